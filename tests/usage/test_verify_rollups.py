"""`manage.py verify_rollups`."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from organizations.tenancy import system_scope
from tests.usage.factories import Tenant, record
from usage.rollups.fold import fold_pending

pytestmark = pytest.mark.django_db


def run(*args: str) -> str:
    out = StringIO()
    call_command("verify_rollups", *args, stdout=out)
    return out.getvalue()


@pytest.fixture
def tampered(acme: Tenant, globex: Tenant) -> Tenant:
    """An organization one of whose cubes says too much, beside one that is right."""
    for tenant in (acme, globex):
        tenant.api.keep(record("a", tokens={"prompt": 3, "completion": 4}))
    fold_pending()
    with system_scope(), connection.cursor() as cursor:
        cursor.execute(
            "UPDATE usage_rollup_quarter SET prompt_tokens = 30 WHERE organization_id = %s", [acme.id]
        )
    return acme


def test_what_agrees_is_said_of_each_organization(acme: Tenant, globex: Tenant) -> None:
    acme.api.keep(record("a"))
    assert run().splitlines() == [
        "acme: every rollup agrees with the records",
        "globex: every rollup agrees with the records",
    ]


def test_a_difference_is_named_and_is_a_failure(tampered: Tenant) -> None:
    with pytest.raises(CommandError, match="differ") as failure:
        run("--organization", "acme")
    assert failure.value.returncode == 1


def test_repair_makes_anew_what_differs(tampered: Tenant) -> None:
    said = run("--repair")
    # A total and a row for each of model, endpoint and capability.
    assert "acme: usage_rollup_quarter, " in said
    assert ": 4 rows differ" in said
    assert "acme: rebuilt 1 stretches of days" in said
    assert run("--organization", "acme") == "acme: every rollup agrees with the records\n"


def test_an_unknown_organization_is_named(acme: Tenant) -> None:
    with pytest.raises(CommandError, match="There is no organization nobody"):
        run("--organization", "nobody")
