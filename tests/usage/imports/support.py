"""What the tests of imports share."""

import io
import json
from collections.abc import Callable
from typing import Any

from django.core.management import CommandError, call_command

from organizations.services import CreatedOrganization
from organizations.tenancy import tenant_scope
from usage.models import Record

Run = Callable[..., tuple[dict[str, int], str]]


def call(file: str, **options: Any) -> tuple[dict[str, int], str]:
    """Import a file into acme, and return the figures and what was said, the failure last."""
    out, err = io.StringIO(), io.StringIO()
    try:
        call_command(
            "import_records", file, organization="acme", json=True, stdout=out, stderr=err, **options
        )
    except CommandError as error:
        err.write(str(error))
    return json.loads(out.getvalue() or "{}"), err.getvalue()


def figures(accepted: int, duplicates: int = 0, rejected: int = 0) -> dict[str, int]:
    """Return the figures of an import."""
    return {"accepted": accepted, "duplicates": duplicates, "rejected": rejected}


def stored(made: CreatedOrganization) -> list[Record]:
    """Return the records of an organization, oldest first."""
    with tenant_scope(made.organization.pk):
        return list(Record.objects.order_by("occurred_at", "record_id"))


def only(made: CreatedOrganization) -> Record:
    """Return its one record."""
    records = stored(made)
    assert len(records) == 1
    return records[0]
