"""The constraints of imports: what the table takes, and what it refuses."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from organizations.tenancy import tenant_scope
from tests.usage.factories import NOW, Tenant
from usage.models import Import

pytestmark = pytest.mark.django_db

DRAFT: dict[str, Any] = {
    "name": "a.csv",
    "file": "1/a",
    "size": 1,
    "chosen": {"columns": {}, "constants": {}},
    "expires_at": NOW,
}
RUNNING = {"state": "running", "heartbeat_at": NOW, "attempts": 1, "expires_at": None}
DONE = {"state": "done", "file": "", "finished_at": NOW}


def keep(tenant: Tenant, **values: Any) -> Import:
    """Write a row past every service."""
    with tenant_scope(tenant.id), transaction.atomic():
        return Import.objects.create(organization_id=tenant.id, **{**DRAFT, **values})


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"state": "queued", "expires_at": None},
        RUNNING,
        DONE,
        {**DONE, "first_at": NOW, "last_at": NOW, "expires_at": None},
        {**DONE, "state": "failed", "error": "why"},
        {**DONE, "state": "cancelled"},
    ],
)
def test_every_state_of_an_import_can_be_kept(acme: Tenant, values: dict[str, Any]) -> None:
    assert keep(acme, **values).state == values.get("state", "draft")


@pytest.mark.parametrize(
    ("values", "constraint"),
    [
        ({"state": "lost"}, "import_state_known"),
        ({"file": ""}, "import_ahead_has_file"),
        ({**RUNNING, "file": ""}, "import_ahead_has_file"),
        ({"expires_at": None}, "import_draft_expires"),
        ({**RUNNING, "heartbeat_at": None}, "import_running_is_alive"),
        ({**RUNNING, "attempts": 0}, "import_running_is_alive"),
        ({**DONE, "finished_at": None}, "import_end_has_moment"),
        ({**DONE, "first_at": NOW, "last_at": NOW - timedelta(seconds=1)}, "import_moments_ordered"),
        ({**DONE, "first_at": NOW}, "import_moments_ordered"),
        ({**DONE, "last_at": NOW}, "import_moments_ordered"),
    ],
)
def test_what_an_import_can_not_be_is_refused(acme: Tenant, values: dict[str, Any], constraint: str) -> None:
    with pytest.raises(IntegrityError, match=constraint):
        keep(acme, **values)


def test_an_import_can_not_be_kept_for_another_organization(acme: Tenant, globex: Tenant) -> None:
    with (
        tenant_scope(acme.id),
        pytest.raises(Exception, match="row-level security"),
        transaction.atomic(),
    ):
        Import.objects.create(organization_id=globex.id, **DRAFT)
