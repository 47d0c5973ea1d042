"""How exports are written, and what their files are called."""

from typing import Any

from core.moments import format_moment
from core.periods import local_date, zone
from organizations.models import User
from usage.models import Export, ExportState


def export(asked: Export, *, address: str) -> dict[str, Any]:
    """Write an export; ``address`` is where it can be read."""
    ready = asked.state == ExportState.DONE
    return {
        "id": str(asked.pk),
        "dataset": asked.dataset,
        "format": asked.format,
        "from": format_moment(asked.window_start),
        "to": format_moment(asked.window_end),
        "timezone": asked.timezone,
        "state": asked.state,
        "rowsDone": asked.rows_done,
        "rowsTotal": asked.rows_total,
        "bytes": asked.bytes,
        "sums": asked.sums,
        "file": f"{address}/file" if ready else None,
        "error": asked.error or None,
        "attempts": asked.attempts,
        "requestedBy": {
            "user": _name(asked.requested_by),
            "clientId": asked.credential.client_id if asked.credential else None,
        },
        "createdAt": format_moment(asked.created_at),
        "startedAt": _moment(asked.started_at),
        "finishedAt": _moment(asked.finished_at),
        "expiresAt": _moment(asked.expires_at),
    }


def file_name(asked: Export, organization: str) -> str:
    """Return what the file is to be called: whose, what, and the first and last local day of its window."""
    tz = zone(asked.timezone)
    first = local_date(asked.window_start, tz)
    # A window without an end of its own reaches a little into the future.
    last = max(first, local_date(min(asked.window_end - asked.window_end.resolution, asked.created_at), tz))
    return f"{organization}-{asked.dataset}-{first}-to-{last}.{asked.format}"


def _name(user: User | None) -> str | None:
    return None if user is None else user.email


def _moment(value: Any) -> str | None:
    return None if value is None else format_moment(value)
