"""What waits for the workers, over all organizations."""

from dataclasses import dataclass
from typing import Final

from django.db import connection

from usage.models import ExportState


@dataclass(frozen=True, slots=True)
class Backlog:
    """What is not folded yet, and the exports that are not done.

    Units: ``oldest_seconds`` since the oldest pending row was stored, 0 without any.
    """

    pending_rows: int
    oldest_seconds: float
    exports_queued: int
    exports_running: int


_BACKLOG: Final = """
SELECT count(*), coalesce(extract(epoch FROM clock_timestamp() - min(stored_at)), 0),
       (SELECT count(*) FROM usage_export WHERE state = %s),
       (SELECT count(*) FROM usage_export WHERE state = %s)
FROM usage_pending
"""


def backlog(*, timeout_ms: int) -> Backlog:
    """Return what waits.

    Raises: `OperationalError` when counting takes longer than ``timeout_ms``.
    Tenancy: call in the system's scope.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('statement_timeout', %s, true)", [str(timeout_ms)])
        cursor.execute(_BACKLOG, [ExportState.QUEUED, ExportState.RUNNING])
        pending, oldest, queued, running = cursor.fetchone()
    return Backlog(pending, max(float(oldest), 0.0), queued, running)
