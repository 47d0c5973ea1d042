"""What sets right, each minute, whatever went wrong with exports."""

import shutil
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import structlog
from django.conf import settings
from django.db.models import QuerySet

from core import clock
from organizations.tenancy import system_scope
from usage.exports import services
from usage.exports.queue import enqueue
from usage.models import Export, ExportState

ABANDONED: Final = timedelta(hours=2)
"""An attempt's directory that nobody wrote to for so long belongs to none: no attempt lasts that long."""

log: Final = structlog.get_logger(__name__)


def sweep() -> int:
    """Take back what lost its worker, remove what expired, ask for what waits; return how many that were."""
    now = clock.now()
    lost = _all(Export.objects.filter(state=ExportState.RUNNING, heartbeat_at__lt=now - services.STALE))
    expired = _all(Export.objects.filter(state=ExportState.DONE, expires_at__lte=now))
    for export in lost:
        log.warning("export lost its worker", export=str(export.pk), attempt=export.attempts)
    touched = sum(services.take_back(export) for export in lost)
    touched += sum(services.expire(export) for export in expired)
    _clear(now)
    return touched + start_waiting()


def start_waiting() -> int:
    """Ask for the exports whose turn it is, oldest first, and return how many were asked for."""
    waiting = Export.objects.filter(state=ExportState.QUEUED).order_by("created_at", "pk")
    return sum(
        enqueue(export.pk, export.organization_id) for export in _all(waiting[: settings.EXPORTS_AT_ONCE])
    )


def _all(exports: QuerySet[Export]) -> list[Export]:
    with system_scope():
        return list(exports)


def _clear(now: datetime) -> None:
    """Remove what workers on this machine left behind when they were lost."""
    root = Path(settings.EXPORT_WORK_DIR)
    for directory in root.iterdir() if root.is_dir() else ():
        if directory.stat().st_mtime < (now - ABANDONED).timestamp():
            shutil.rmtree(directory, ignore_errors=True)
