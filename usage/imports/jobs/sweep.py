"""What sets right, each minute, whatever went wrong with imports."""

import shutil
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import structlog
from django.conf import settings
from django.db.models import Q, QuerySet

from core import clock
from organizations.tenancy import system_scope
from usage.imports.jobs import files, services
from usage.imports.jobs.queue import enqueue
from usage.models import Import, ImportState

ABANDONED: Final = timedelta(hours=2)
"""What nobody wrote to for so long, and no import names, belongs to none: no attempt lasts that long."""

log: Final = structlog.get_logger(__name__)


def sweep() -> int:
    """Take back what lost its worker, remove what expired, ask for what waits; return how many that were."""
    now = clock.now()
    lost = _all(Import.objects.filter(state=ImportState.RUNNING, heartbeat_at__lt=now - services.STALE))
    ended = _all(Import.objects.filter(state__in=services.ENDED).exclude(file=""))
    expired = _all(Import.objects.filter(expires_at__lte=now))
    for one in lost:
        log.warning("import lost its worker", one=str(one.pk), attempt=one.attempts)
    for one in ended:
        services.clear(one)
    touched = sum(services.take_back(one) for one in lost)
    touched += sum(services.expire(one) for one in expired)
    _clear(now - ABANDONED)
    return touched + start_waiting()


def start_waiting() -> int:
    """Ask for the imports whose turn it is, oldest first, and return how many were asked for."""
    waiting = Import.objects.filter(state=ImportState.QUEUED).order_by("created_at", "pk")
    return sum(enqueue(one.pk, one.organization_id) for one in _all(waiting[: settings.IMPORTS_AT_ONCE]))


def _all(imports: QuerySet[Import]) -> list[Import]:
    with system_scope():
        return list(imports)


def _clear(before: datetime) -> None:
    """Remove what lost workers of this machine left behind, and uploads that broke off."""
    work = Path(settings.IMPORT_WORK_DIR)
    for directory in work.iterdir() if work.is_dir() else ():
        if directory.stat().st_mtime < before.timestamp():
            shutil.rmtree(directory, ignore_errors=True)
    for name in files.older_than(before):
        with system_scope():
            is_named = Import.objects.filter(Q(file=name) | Q(refusals_file=name)).exists()
        if not is_named:
            files.remove(name)
