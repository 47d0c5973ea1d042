"""Files that the demo's owner has asked for: made as every other, only that nobody waits for a worker."""

from dataclasses import replace
from datetime import timedelta
from typing import Final

from core import clock
from core.periods import Period
from organizations.tenancy import tenant_scope
from usage.demo.load import Demo, owner_of
from usage.exports.run import run_export
from usage.exports.services import request_export
from usage.imports.importer import importing
from usage.models import Export

_DAY: Final = timedelta(days=1)
ASKED: Final = (
    ("costs", "xlsx", 30 * _DAY, timedelta(days=2, hours=5)),
    ("records", "csv", 3 * _DAY, timedelta(hours=4)),
)
"""Data sets with their formats, of how much time, and how long ago they were asked for."""


def export(demo: Demo) -> None:
    """Make the demo's exports; nothing for a plan without, or when it was done before."""
    organization = demo.organization
    with tenant_scope(organization.pk):
        is_done = Export.objects.filter(organization_id=organization.pk).exists()
    if is_done or not organization.plan.exports:
        return
    caller, owner = importing(organization), owner_of(organization)
    if owner is not None:
        caller = replace(caller, user_id=owner.pk, credential_id=None, client_id=None)
    for dataset, format_, length, ago in ASKED:
        moment = demo.calendar.now - ago
        start = max(moment - length, demo.calendar.start)
        if start + _DAY > moment:
            continue
        window = Period(start, moment)
        with clock.standing_at(moment):
            with tenant_scope(organization.pk):
                asked = request_export(caller=caller, dataset=dataset, format_=format_, window=window)
            run_export(asked.pk, organization.pk)
