import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from core import keys
from organizations.door import caller_from_key
from organizations.models import User
from organizations.roles import ALL_SCOPES


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("create_organization", *arguments, stdout=out)
    return out.getvalue()


def test_one_json_object_has_all_that_is_needed_to_begin(db: Any) -> None:
    printed = run("Acme GmbH", "--plan", "pay-as-you-go", "--owner", "Ada@acme.example", "--json")
    facts = json.loads(printed)
    assert list(facts) == ["organization", "organizationId", "clientId", "apiKey", "owner", "password"]
    assert printed.count("\n") == 1
    assert (facts["organization"], facts["owner"]) == ("acme-gmbh", "ada@acme.example")
    assert keys.is_client_id(facts["clientId"])
    caller = caller_from_key(f"Bearer {facts['apiKey']}")
    assert (caller.organization_id, caller.client_id) == (facts["organizationId"], facts["clientId"])
    assert (caller.plan.slug, caller.scopes) == ("pay-as-you-go", frozenset(ALL_SCOPES))
    assert User.objects.get(email="ada@acme.example").check_password(facts["password"])


def test_an_owner_with_an_account_has_no_new_password(db: Any) -> None:
    run("Acme", "--owner", "ada@acme.example")
    assert json.loads(run("Globex", "--owner", "ada@acme.example", "--json"))["password"] is None


def test_the_zone_and_the_currency_can_be_given(db: Any) -> None:
    facts = json.loads(
        run("Acme", "--owner", "a@b.example", "--timezone", "Asia/Tokyo", "--currency", "JPY", "--json")
    )
    caller = caller_from_key(f"Bearer {facts['apiKey']}")
    assert (caller.timezone, caller.rollup_timezone, caller.currency) == ("Asia/Tokyo", "Asia/Tokyo", "JPY")


def test_people_can_read_it_too(db: Any) -> None:
    lines = run("Acme", "--owner", "a@b.example").splitlines()
    assert [line.split()[0] for line in lines] == [
        "organization",
        "organizationId",
        "clientId",
        "apiKey",
        "owner",
        "password",
    ]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--plan", "gold"], "There is no plan 'gold'; accepted: free, starter"),
        (["--timezone", "Mars"], "'Mars' is not an IANA time zone"),
        (["--currency", "usd"], "'usd' is not an ISO 4217 code"),
        (["--owner", "ada"], "Enter a valid email address"),
    ],
)
def test_what_will_not_do_is_told(db: Any, arguments: list[str], message: str) -> None:
    with pytest.raises(CommandError, match=message):
        run("Acme", "--owner", "a@b.example", *arguments)
