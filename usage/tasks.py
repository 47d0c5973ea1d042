"""What the worker does for usage, on schedule. Every task may run twice or late without harm."""

from typing import Final
from uuid import UUID

import structlog
from celery import shared_task
from django.db.models import F

from core import clock
from organizations.models import Organization
from organizations.tenancy import system_scope
from usage import partitions, retention
from usage.exports import run, sweep
from usage.imports.jobs import job
from usage.imports.jobs import sweep as imports_sweep
from usage.rollups import fold
from usage.rollups.rebuild import move_days
from usage.rollups.verify import verify

EXPORT_SECONDS: Final = 54 * 60
"""How long an export may take: less than a message can stay unacknowledged before it is sent again."""
IMPORT_SECONDS: Final = EXPORT_SECONDS

log: Final = structlog.get_logger(__name__)


@shared_task
def fold_pending() -> int:
    """Fold what is pending into the cubes, and return how many records that were."""
    return fold.fold_pending()


@shared_task
def make_partitions() -> int:
    """Make the partitions of the coming weeks, and return how many were missing."""
    return partitions.make_ahead(clock.now())


@shared_task
def drop_expired() -> int:
    """Remove what lies before the organizations' histories, and return how many weeks were touched."""
    return retention.drop_expired(clock.now())


@shared_task
def align_days() -> int:
    """Rebuild the daily rollups of organizations that changed their zone, and return how many did."""
    with system_scope():
        moved = list(Organization.objects.exclude(timezone=F("rollup_timezone")))
    for organization in moved:
        move_days(organization, organization.timezone)
    return len(moved)


@shared_task
def verify_rollups() -> int:
    """Compare every cube with the records, report what differs, and return how many rows do."""
    with system_scope():
        organizations = list(Organization.objects.order_by("pk"))
    differing = 0
    for organization in organizations:
        for difference in verify(organization):
            differing += difference.rows
            log.error(
                "rollups differ from the records",
                organization=difference.organization,
                cube=difference.cube,
                since=difference.stretch.start.isoformat(),
                rows=difference.rows,
            )
    return differing


@shared_task(soft_time_limit=EXPORT_SECONDS, time_limit=EXPORT_SECONDS + 60)
def run_export(export_id: str, organization_id: int) -> int:
    """Write an export that waits, and return how many rows that were; 0 when it is not for this worker."""
    return run.run_export(UUID(export_id), organization_id)


@shared_task
def sweep_exports() -> int:
    """Set right what went wrong with exports, remove those that expired, and return how many that were."""
    return sweep.sweep()


@shared_task(soft_time_limit=IMPORT_SECONDS, time_limit=IMPORT_SECONDS + 60)
def run_import(import_id: str, organization_id: int) -> int:
    """Import a file that waits, and return how many records were new; 0 when it is not for this worker."""
    return job.run_import(UUID(import_id), organization_id)


@shared_task
def sweep_imports() -> int:
    """Set right what went wrong with imports, remove those that expired, and return how many that were."""
    return imports_sweep.sweep()
