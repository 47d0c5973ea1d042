"""The operator adds, supersedes and ends prices, and edits none."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from billing.book.services import rates_of
from billing.book.written import read_rates, write_rates
from billing.models import Discount, Price
from billing.rating import Rate
from core import clock
from organizations.models import User
from organizations.tenancy import system_scope
from tests.billing.pricing import MILLION, price
from tests.usage.factories import Tenant

pytestmark = pytest.mark.django_db

RATES = (Rate("prompt", 2_500_000_000, MILLION), Rate("prompt", 5_000_000_000, MILLION, above=200_000))
TEXT = "prompt 2.5 per 1000000\nprompt 5 per 1000000 above 200000"


@pytest.fixture
def client(db: None) -> Client:
    """The operator, signed in."""
    with system_scope():
        operator = User.objects.create_superuser("operator@example.org", "x")
    client = Client()
    client.force_login(operator)
    return client


def form(**fields: Any) -> dict[str, Any]:
    moment = clock.now()
    given = {
        "organization": "",
        "provider": "openai",
        "model": "gpt-4o",
        "tier": "standard",
        "currency": "USD",
        "effective_from": f"{moment:%Y-%m-%dT%H:%M:%S}",
        "effective_until": "",
        "daily_from": "",
        "daily_until": "",
        "rates": TEXT,
    }
    return {**given, **fields}


def test_rates_are_read_as_they_are_written() -> None:
    assert read_rates(TEXT) == RATES
    assert write_rates(RATES) == TEXT
    assert read_rates("  pages 0 per 1 \n\n") == (Rate("pages", 0, 1),)


@pytest.mark.parametrize("line", ["prompt", "prompt 1", "prompt 1 per 0", "prompt -1 per 1", "a b 1 per 1"])
def test_what_is_no_rate_is_named(line: str) -> None:
    with pytest.raises(ValueError, match="is not a rate"):
        read_rates(line)


def test_a_price_is_added_with_its_rates(client: Client, acme: Tenant) -> None:
    answer = client.post("/admin/billing/price/add/", form(organization=acme.id))
    assert answer.status_code == 302, answer.context["errors"]
    with system_scope():
        made = Price.objects.get()
        assert (made.organization_id, made.model, made.source) == (acme.id, "gpt-4o", "manual")
        assert rates_of([made.pk]) == {made.pk: RATES}
    assert b"above 200000" in client.get(f"/admin/billing/price/{made.pk}/change/").content


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"rates": "prompt 1"}, "is not a rate"),
        ({"rates": "prompt 1 per 1\nprompt 2 per 1"}, "two rates"),
        ({"currency": "EUR"}, "never applies"),
        ({"effective_until": "2020-01-01T00:00:00"}, "A price ends after it begins."),
        ({"daily_from": "10:00:00"}, "a beginning and an end, or neither"),
        ({"daily_from": "10:00:00", "daily_until": "10:00:00"}, "at another time than they begin"),
    ],
)
def test_what_no_price_can_be_is_refused(
    client: Client, acme: Tenant, fields: dict[str, str], said: str
) -> None:
    answer = client.post("/admin/billing/price/add/", form(organization=acme.id, **fields))
    assert answer.status_code == 200
    assert said in answer.content.decode()
    (errors,) = answer.context["adminform"].form.errors.values()
    assert len(errors) == 1
    with system_scope():
        assert not Price.objects.exists()


def test_everything_that_is_wrong_with_a_price_is_said_at_its_inputs(client: Client, acme: Tenant) -> None:
    wrong = form(rates="", effective_until="2020-01-01T00:00:00", daily_until="10:00:00")
    errors = client.post("/admin/billing/price/add/", wrong).context["adminform"].form.errors
    assert {name: len(found) for name, found in errors.items()} == {
        "rates": 1,
        "effective_until": 1,
        "daily_until": 1,
    }


def test_superseding_begins_with_what_there_was(client: Client) -> None:
    old = price(rates=RATES)
    assert f"supersedes={old.pk}" in client.get("/admin/billing/price/").content.decode()
    shown = client.get(f"/admin/billing/price/add/?supersedes={old.pk}").content.decode()
    assert TEXT in shown
    assert 'value="gpt-4o"' in shown


def test_a_price_is_never_edited_or_removed_but_ended(client: Client) -> None:
    made = price()
    assert client.post(f"/admin/billing/price/{made.pk}/change/", form()).status_code == 403
    assert client.post(f"/admin/billing/price/{made.pk}/delete/", {"post": "yes"}).status_code == 403
    ended = client.post(
        "/admin/billing/price/", {"action": "end", "_selected_action": [made.pk], "confirmed": "yes"}
    )
    assert ended.status_code == 302
    with system_scope():
        assert Price.objects.get().effective_until is not None


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("basis_points", "0", "greater than or equal to 1."),
        ("basis_points", "10001", "less than or equal to 10000."),
        ("effective_until", "2020-01-01T00:00:00", "A discount begins now or later, and ends after that."),
    ],
)
def test_what_no_discount_can_be_is_said_at_its_input(
    client: Client, acme: Tenant, field: str, value: str, said: str
) -> None:
    given = form(organization=acme.id, **{"basis_points": "1250", field: value})
    answer = client.post("/admin/billing/discount/add/", given)
    ((name, errors),) = answer.context["adminform"].form.errors.items()
    assert (name, len(errors)) == (field, 1)
    assert said in errors[0]


def test_a_discount_is_given_and_ended(client: Client, acme: Tenant) -> None:
    given = form(organization=acme.id, basis_points="1250", model="", provider="")
    assert client.post("/admin/billing/discount/add/", given).status_code == 302
    with system_scope():
        made = Discount.objects.get()
    assert (made.organization_id, made.basis_points) == (acme.id, 1_250)
    client.post(
        "/admin/billing/discount/", {"action": "end", "_selected_action": [made.pk], "confirmed": "yes"}
    )
    with system_scope():
        assert Discount.objects.get().effective_until is not None
        trail = Discount.pgh_event_model.objects.order_by("pgh_id")  # type: ignore[attr-defined]
        assert [event.pgh_label for event in trail] == ["insert", "update"]
        assert all(event.pgh_context["kind"] == "user" for event in trail)
