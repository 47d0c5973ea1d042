"""The constraints of exports: what the table takes, and what it refuses."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from organizations.tenancy import tenant_scope
from tests.usage.factories import NOW, Tenant
from usage.models import Export

pytestmark = pytest.mark.django_db

ASKED: dict[str, Any] = {
    "dataset": "records",
    "format": "csv",
    "window_start": NOW - timedelta(days=1),
    "window_end": NOW,
    "timezone": "UTC",
}
RUNNING = {"state": "running", "heartbeat_at": NOW, "attempts": 1}
DONE = {
    "state": "done",
    "file": "1/a.csv",
    "bytes": 0,
    "sums": {},
    "finished_at": NOW,
    "expires_at": NOW + timedelta(days=7),
}


def keep(tenant: Tenant, **values: Any) -> Export:
    """Write a row past every service."""
    with tenant_scope(tenant.id), transaction.atomic():
        return Export.objects.create(organization_id=tenant.id, **{**ASKED, **values})


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"window_start": NOW},
        RUNNING,
        DONE,
        {"state": "failed", "error": "why", "finished_at": NOW},
        {**DONE, "state": "expired", "file": ""},
    ],
)
def test_every_state_of_an_export_can_be_kept(acme: Tenant, values: dict[str, Any]) -> None:
    assert keep(acme, **values).state == values.get("state", "queued")


@pytest.mark.parametrize(
    ("values", "constraint"),
    [
        ({"state": "lost"}, "export_state_known"),
        ({"window_start": NOW + timedelta(microseconds=1)}, "export_window_ordered"),
        ({**RUNNING, "heartbeat_at": None}, "export_running_is_alive"),
        ({**RUNNING, "attempts": 0}, "export_running_is_alive"),
        ({**DONE, "file": ""}, "export_done_has_file"),
        ({**DONE, "bytes": None}, "export_done_has_file"),
        ({**DONE, "sums": None}, "export_done_has_file"),
        ({**DONE, "expires_at": None}, "export_done_has_file"),
        ({**DONE, "finished_at": None}, "export_end_has_moment"),
        ({"state": "failed"}, "export_end_has_moment"),
        ({"state": "expired"}, "export_end_has_moment"),
    ],
)
def test_what_an_export_can_not_be_is_refused(acme: Tenant, values: dict[str, Any], constraint: str) -> None:
    with pytest.raises(IntegrityError, match=constraint):
        keep(acme, **values)


def test_an_export_can_not_be_kept_for_another_organization(acme: Tenant, globex: Tenant) -> None:
    with (
        tenant_scope(acme.id),
        pytest.raises(Exception, match="row-level security"),
        transaction.atomic(),
    ):
        Export.objects.create(organization_id=globex.id, **ASKED)
