"""How deliveries are written."""

from typing import Any

from alerts.models import Attempt, Delivery
from core.moments import format_moment


def delivery(found: Delivery) -> dict[str, Any]:
    """Write a delivery with its attempts."""
    return {
        "id": str(found.pk),
        "notice": found.notice,
        "event": None if found.event_id is None else str(found.event_id),
        "channel": {
            "id": None if found.channel_id is None else str(found.channel_id),
            "kind": found.channel_kind,
            "name": found.channel_name,
        },
        "recipient": found.recipient,
        "state": found.state,
        "reason": found.reason,
        "createdAt": format_moment(found.created_at),
        "nextAttemptAt": None if found.due_at is None else format_moment(found.due_at),
        "finishedAt": None if found.finished_at is None else format_moment(found.finished_at),
        "attempts": [_attempt(one) for one in found.attempts.all()],
    }


def _attempt(found: Attempt) -> dict[str, Any]:
    return {
        "number": found.number,
        "startedAt": format_moment(found.started_at),
        "outcome": found.outcome,
        "status": found.status,
        "durationMs": found.duration_ms,
        "response": found.response,
        "error": found.error,
    }
