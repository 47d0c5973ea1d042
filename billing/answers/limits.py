"""How spend limits, decisions, replays and reservations are written."""

from datetime import datetime
from typing import Any

from billing.models import Decision, Reservation
from billing.queries.limits import Standing, state_at
from billing.replay import Limit, Pause, Replay
from billing.services.reservations import format_reservation
from core.moments import format_moment
from core.money import format_money
from usage.answers import period


def limit(found: Standing, *, currency: str) -> dict[str, Any]:
    """Write a limit as it stands."""
    return {
        "clientId": found.client_id,
        "limit": format_money(found.limit_nanos),
        "currency": currency,
        "window": found.window.value,
        "warnAt": list(found.warn_at),
        "enforcement": found.enforcement.value,
        "state": found.state.value,
        "pausedAt": _moment(found.paused_at),
        "period": period(found.period),
        "spent": format_money(found.spent_nanos),
        "reserved": format_money(found.reserved_nanos),
        "remaining": format_money(found.remaining_nanos),
        "resetsAt": _moment(found.resets_at),
        "forecast": {
            "pausesAt": _moment(found.pausing.at),
            "earliest": _moment(found.pausing.earliest),
            "latest": _moment(found.pausing.latest),
        },
    }


def decision(found: Decision, *, currency: str) -> dict[str, Any]:
    """Write what happened to a limit."""
    return {
        "id": found.pk,
        "kind": found.kind,
        "decidedAt": format_moment(found.decided_at),
        "clientId": found.credential.client_id if found.credential else None,
        "threshold": found.threshold,
        "limit": format_money(found.limit_nanos),
        "currency": currency,
        "window": found.window_kind,
        "enforcement": found.enforcement,
        "period": {"from": format_moment(found.window_start), "to": format_moment(found.window_end)},
        "spent": format_money(int(found.spent_nanos)),
        "reserved": format_money(int(found.reserved_nanos)),
    }


def reservation(found: Reservation, now: datetime, *, currency: str) -> dict[str, Any]:
    """Write a reservation."""
    state = state_at(found, now)
    over = found.expires_at if found.state != state else found.ended_at
    return {
        "id": format_reservation(found.pk),
        "clientId": found.credential.client_id if found.credential else None,
        "state": state.value,
        "amount": format_money(found.amount_nanos),
        "settled": format_money(int(found.settled_nanos)),
        "currency": currency,
        "createdAt": format_moment(found.created_at),
        "expiresAt": format_moment(found.expires_at),
        "endedAt": _moment(over),
    }


def replayed(found: Replay, tried: Limit, *, window: str, enforcement: str, currency: str) -> dict[str, Any]:
    """Write what a limit would have done."""
    return {
        "period": period(found.period),
        "limit": format_money(tried.limit_nanos),
        "currency": currency,
        "window": window,
        "warnAt": list(tried.warn_at),
        "enforcement": enforcement,
        "spent": format_money(found.spent_nanos),
        "stopped": format_money(found.stopped_nanos),
        "pausedSeconds": found.paused_seconds,
        "pauses": [_pause(pause) for pause in found.pauses],
        "warnings": [
            {"threshold": threshold, "warnedAt": format_moment(at)} for threshold, at in found.warned
        ],
    }


def _pause(found: Pause) -> dict[str, Any]:
    return {
        "pausedAt": format_moment(found.paused_at),
        "resumedAt": _moment(found.resumed_at),
        "spent": format_money(found.spent_nanos),
        "stopped": format_money(found.stopped_nanos),
    }


def _moment(value: datetime | None) -> str | None:
    return None if value is None else format_moment(value)
