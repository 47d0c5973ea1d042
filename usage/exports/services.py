"""The life of an export: asked for, claimed by one worker, finished, failed or taken back, expired.

Every change of state is a compare-and-set, so that of two who try the same one only one succeeds. What a
worker writes names its attempt: once the export was taken back from it, its writes change nothing.
"""

from collections.abc import Mapping
from datetime import timedelta
from functools import partial
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F

from core import clock
from core.periods import Period
from core.problems import Problem, forbidden, too_many_requests
from organizations.models import Plan
from organizations.services.locks import lock_organization
from organizations.tenancy import Caller, system_scope, tenant_scope
from usage.exports import files
from usage.exports.queue import enqueue
from usage.models import Export, ExportState

UNDER_WAY: Final = (ExportState.QUEUED, ExportState.RUNNING)
MOST_UNDER_WAY: Final = 5
"""Exports that an organization can have queued or running."""
KEPT: Final = timedelta(days=7)
STALE: Final = timedelta(seconds=60)
"""Without a sign of life for so long, a worker is taken for lost."""
MOST_ATTEMPTS: Final = 3
LOST: Final = f"Its worker was lost {MOST_ATTEMPTS} times."
_RETRY_SECONDS: Final = 60


def request_export(*, caller: Caller, dataset: str, format_: str, window: Period) -> Export:
    """Note an export, and ask for it when that is committed.

    Raises: `Problem` 403 for a plan without exports, 429 while too many are under way.
    Tenancy: call in the tenant's scope.
    """
    if not caller.plan.exports:
        raise _plan_required(caller)
    lock_organization(caller.organization_id)
    _refuse_too_many(caller.organization_id)
    export = Export.objects.create(
        organization_id=caller.organization_id,
        dataset=dataset,
        format=format_,
        window_start=window.start,
        window_end=window.end,
        timezone=caller.timezone,
        requested_by_id=caller.user_id,
        credential_id=caller.credential_id,
    )
    if not clock.is_standing():
        transaction.on_commit(partial(enqueue, export.pk, export.organization_id))
    return export


def claim(*, export_id: UUID, organization_id: int) -> Export | None:
    """Take a queued export for this worker; None when it isn't queued, or as many as may are running.

    Concurrency: claims take turns, so that there are never more than ``EXPORTS_AT_ONCE``.
    """
    with system_scope():
        _lock_claims()
        if Export.objects.filter(state=ExportState.RUNNING).count() >= settings.EXPORTS_AT_ONCE:
            return None
        mine = Export.objects.filter(pk=export_id, organization_id=organization_id)
        now = clock.now()
        claimed = mine.filter(state=ExportState.QUEUED).update(
            state=ExportState.RUNNING,
            attempts=F("attempts") + 1,
            started_at=now,
            heartbeat_at=now,
            rows_done=0,
            rows_total=None,
        )
        return mine.get() if claimed else None


def note_progress(export: Export, *, rows_done: int, rows_total: int | None) -> bool:
    """Give a sign of life; False when the export is no longer this attempt's."""
    return _write(export, rows_done=rows_done, rows_total=rows_total, heartbeat_at=clock.now())


def finish(export: Export, *, file: str, rows: int, size: int, sums: Mapping[str, Any]) -> bool:
    """Have the export done; False when it is no longer this attempt's."""
    now = clock.now()
    return _write(
        export,
        state=ExportState.DONE,
        file=file,
        rows_done=rows,
        rows_total=rows,
        bytes=size,
        sums=dict(sums),
        heartbeat_at=now,
        finished_at=now,
        expires_at=now + KEPT,
        error="",
    )


def fail(export: Export, error: str) -> bool:
    """Give the export up; False when it is no longer this attempt's."""
    return _write(export, state=ExportState.FAILED, error=error, finished_at=clock.now())


def take_back(export: Export) -> bool:
    """Take an export from a worker that was lost: queued again, or failed when that was its last attempt.

    Concurrency: nothing happens, and False is returned, if the worker has given a sign of life meanwhile.
    """
    with tenant_scope(export.organization_id):
        lost = Export.objects.filter(
            pk=export.pk,
            state=ExportState.RUNNING,
            attempts=export.attempts,
            heartbeat_at=export.heartbeat_at,
        )
        if export.attempts < MOST_ATTEMPTS:
            taken = lost.update(state=ExportState.QUEUED)
        else:
            taken = lost.update(state=ExportState.FAILED, error=LOST, finished_at=clock.now())
    if taken:
        files.discard(export.pk, export.organization_id, export.attempts, f".{export.format}")
    return bool(taken)


def expire(export: Export) -> bool:
    """Remove a file whose time is over."""
    # The file first: an export without one is answered as expired already, a file without one is never found.
    files.storage().delete(export.file)
    with tenant_scope(export.organization_id):
        kept = Export.objects.filter(pk=export.pk, state=ExportState.DONE)
        return bool(kept.update(state=ExportState.EXPIRED, file=""))


def _write(export: Export, **values: Any) -> bool:
    with tenant_scope(export.organization_id):
        mine = Export.objects.filter(pk=export.pk, state=ExportState.RUNNING, attempts=export.attempts)
        return mine.update(**values) == 1


def _lock_claims() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('usage_export claims'))")


def _plan_required(caller: Caller) -> Problem:
    plans = ", ".join(Plan.objects.filter(exports=True).values_list("name", flat=True))
    return forbidden(
        f"The plan {caller.plan.name} has no exports; these have: {plans}.", code="plan_required"
    )


def _refuse_too_many(organization_id: int) -> None:
    under_way = Export.objects.filter(organization_id=organization_id, state__in=UNDER_WAY).count()
    if under_way >= MOST_UNDER_WAY:
        raise too_many_requests(
            f"{under_way} exports are under way, as many as an organization can have: wait for one of them.",
            retry_after=_RETRY_SECONDS,
            code="too_many_exports",
        )
