"""What the tables of repricings take and refuse, and who sees what of them."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import IntegrityError, transaction

from billing.models import Repricing, RepricingPart
from organizations.tenancy import system_scope, tenant_scope
from tests.billing.repricings.support import ask
from tests.usage.factories import NOW, Tenant

pytestmark = pytest.mark.django_db


def keep(**values: Any) -> Repricing:
    """Write a row past every service."""
    with system_scope(), transaction.atomic():
        return Repricing.objects.create(**values)


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"window_start": NOW},
        {"state": "running", "started_at": NOW, "heartbeat_at": NOW, "attempts": 1},
        *({"state": state, "finished_at": NOW} for state in ("done", "failed", "cancelled")),
    ],
)
def test_every_state_can_be_kept(values: dict[str, Any]) -> None:
    assert keep(**values).state == values.get("state", "queued")


@pytest.mark.parametrize(
    ("values", "constraint"),
    [
        ({"state": "lost"}, "repricing_state_known"),
        ({"window_start": NOW, "window_end": NOW}, "repricing_window_ordered"),
        ({"state": "running", "started_at": NOW, "attempts": 1}, "repricing_running_is_alive"),
        ({"state": "done"}, "repricing_end_has_moment"),
    ],
)
def test_what_can_not_be_is_refused(values: dict[str, Any], constraint: str) -> None:
    with pytest.raises(IntegrityError, match=constraint):
        keep(**values)


@pytest.mark.parametrize(
    ("values", "constraint"),
    [
        ({}, None),
        ({"looked_at": 3, "priced": 2, "left_records": 1}, None),
        ({"looked_at": 2, "priced": 2, "left_records": 1}, "repricing_part_adds_up"),
        ({"position_at": NOW}, "repricing_part_position_whole"),
    ],
)
def test_a_part_adds_up(acme: Tenant, values: dict[str, Any], constraint: str | None) -> None:
    asked = ask(acme)
    given = {"currency": "USD", "window_start": NOW, "window_end": NOW, "records_total": 3, **values}

    def write() -> None:
        with tenant_scope(acme.id), transaction.atomic():
            RepricingPart.objects.create(repricing=asked, organization=acme.organization, **given)

    if constraint is None:
        write()
        constraint = "repricing_part_once"
    with pytest.raises(IntegrityError, match=constraint):
        write()


def test_everybody_sees_a_repricing_of_all_and_only_its_own_of_one(acme: Tenant, globex: Tenant) -> None:
    whole, own = ask(dry_run=True), ask(acme, dry_run=True)
    with tenant_scope(acme.id):
        assert {each.pk for each in Repricing.objects.all()} == {whole.pk, own.pk}
    with tenant_scope(globex.id):
        assert {each.pk for each in Repricing.objects.all()} == {whole.pk}
        assert Repricing.objects.update(error="x") == 0
    assert not Repricing.objects.exists()
