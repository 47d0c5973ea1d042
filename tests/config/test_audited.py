"""The audit trail tells an organization's admins of everything of theirs that is tracked."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.apps import apps

from alerts.channels.services import change_channel
from billing.ledger.services import grant
from organizations import audit
from organizations.tenancy import tenant_scope
from tests.alerts.telling import webhook
from tests.billing.pricing import price
from tests.portal.pages import sign_in
from tests.usage.factories import Tenant, make_tenant

pytestmark = pytest.mark.django_db


@pytest.fixture
def acme(db: None) -> Tenant:
    """An organization."""
    return make_tenant("Acme")


def told(tenant: Tenant, kind: str) -> list[dict[str, Any]]:
    """Return what the trail tells of a kind, the oldest first."""
    found: list[dict[str, Any]] = sign_in(tenant).get(f"/api/v1/audit?kind={kind}&order=asc").json()["items"]
    return found


def changed(entry: dict[str, Any]) -> dict[str, Any]:
    """Return what the fields became."""
    return {change["field"]: change["after"] for change in entry["changes"]}


def test_every_tracked_row_of_an_organization_is_told_of() -> None:
    tables = {kind.table for kind in audit.KINDS.values()}
    tracked = [model for model in apps.get_models() if hasattr(model, "pgh_event_model")]
    of_organizations = {
        model.pgh_event_model._meta.db_table
        for model in tracked
        if any(field.column == "organization_id" for field in model._meta.concrete_fields)
    }
    assert {"billing_grantevent", "alerts_channelevent"} <= of_organizations <= tables


def test_every_column_that_is_told_is_there() -> None:
    events = {model._meta.db_table: model for model in apps.get_models()}
    for name, kind in audit.KINDS.items():
        columns = {field.column for field in events[kind.table]._meta.concrete_fields}
        assert {kind.tenant, kind.subject, *kind.fields} <= columns, name


def test_of_grants(acme: Tenant) -> None:
    grant(organization_id=acme.id, allowance="credits", amount=Decimal("12.50"), reason="Welcome")
    [entry] = told(acme, "grant")
    assert (entry["action"], entry["subject"]) == ("created", "Welcome")
    assert (changed(entry)["allowance"], changed(entry)["amount"]) == ("credits", "12.5")
    assert changed(entry)["effectiveAt"].endswith("Z")


def test_of_prices_of_ones_own_and_not_of_the_list(acme: Tenant) -> None:
    price(model="listed")
    price(acme.id, model="own")
    assert [entry["subject"] for entry in told(acme, "price")] == ["own"]
    assert changed(told(acme, "price")[0])["effectiveFrom"].endswith("Z")


def test_of_channels_and_never_of_their_addresses(acme: Tenant) -> None:
    channel = webhook(acme, "https://hooks.example.com/secret-place").channel
    with tenant_scope(acme.id):
        change_channel(organization_id=acme.id, channel_id=channel.pk, enabled=False)
    made, disabled = told(acme, "alertChannel")
    assert changed(made) == {
        "kind": "webhook",
        "name": "Hook",
        "target": "https://hooks.example.com/…lace",
        "enabled": True,
        "disabledBecause": "",
    }
    assert changed(disabled) == {"enabled": False, "disabledBecause": "byHand"}
