"""How the use of API keys is written (S3)."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from core.moments import format_moment
from core.money import format_money
from core.periods import Period
from organizations import rate_limits
from organizations.models import Credential
from organizations.tenancy import Caller
from usage.advice import Advice
from usage.answers import period
from usage.key_rules import Standing
from usage.quantities import average_ms
from usage.queries.keys import Errors
from usage.queries.rollups import Group
from usage.rollups.latency import percentiles_ms

__all__ = ["advice", "endpoints", "errors", "figures", "keys", "limits", "period", "point", "sum_of"]

NOTHING = Group(0)


def sum_of(groups: Iterable[Group]) -> Group:
    """Return the sums of several groups as one."""
    total = Group(0)
    for group in groups:
        for name, value in group.sums.items():
            total.sums[name] = total.sums.get(name, 0) + value
    return total


def figures(group: Group, *, latency: bool) -> dict[str, Any]:
    """Write what adds up of a key, or of all of them."""
    requests, failed = group.sums.get("requests", 0), group.sums.get("errors", 0)
    return {
        "requests": requests,
        "errors": failed,
        "errorRate": round(failed / requests, 6) if requests else 0.0,
        "tokens": group.sums.get("total_tokens", 0),
        "cost": format_money(group.sums.get("cost_nanos", 0)),
        "latency": _latency(group) if latency else None,
    }


def keys(
    credentials: Sequence[Credential],
    by_key: Mapping[int, Group],
    last_used: Mapping[int, datetime],
    peaks: Mapping[int, int] | None,
    *,
    latency: bool,
) -> list[dict[str, Any]]:
    """Write each key with its use, the busiest first; without ``peaks`` none is told."""
    written = [
        {
            "keyId": credential.client_id,
            "name": credential.name,
            "environment": credential.environment,
            **figures(by_key.get(credential.pk, NOTHING), latency=latency),
            "peakRpm": None if peaks is None else peaks.get(credential.pk, 0),
            "lastUsedAt": _moment(last_used.get(credential.pk)),
            "revokedAt": _moment(credential.revoked_at),
        }
        for credential in credentials
    ]
    return sorted(written, key=lambda key: -key["requests"])


def point(start: datetime, group: Group | None) -> dict[str, Any]:
    """Write one bucket of a series."""
    sums = (group or NOTHING).sums
    return {
        "timestamp": format_moment(start),
        "requests": sums.get("requests", 0),
        "errors": sums.get("errors", 0),
        "tokens": sums.get("total_tokens", 0),
        "cost": format_money(sums.get("cost_nanos", 0)),
        "averageLatencyMs": _average(group or NOTHING),
    }


def endpoints(groups: Iterable[Group], *, latency: bool) -> list[dict[str, Any]]:
    """Write each endpoint with its use; null is where a record names none."""
    return [_endpoint(group, latency=latency) for group in groups]


def errors(found: Errors, by_endpoint: Iterable[Group]) -> dict[str, Any]:
    """Write the errors of a window."""
    places = {group.values[0] or "unknown": group.sums["errors"] for group in by_endpoint}
    ranked = sorted(places.items(), key=lambda item: (-item[1], item[0]))
    return {
        "total": found.total,
        "byStatusCode": found.by_status_code,
        "byType": found.by_type,
        "byEndpoint": {endpoint: count for endpoint, count in ranked if count},
    }


def advice(found: Advice | Standing) -> dict[str, str]:
    """Write what is worth telling of a key."""
    return {
        "severity": found.severity,
        "code": found.code,
        "keyId": found.client_id,
        "message": found.message,
        "recommendation": found.recommendation,
    }


def limits(caller: Caller, credentials: Sequence[Credential], over: Period) -> list[dict[str, Any]]:
    """Write how much of the rate limit each key has used, and its peak in the days of a period.

    The API and the gate count apart, by the same limit: told is the one that is used more.
    """
    limit = caller.plan.requests_per_minute
    states = rate_limits.fuller_states([credential.client_id for credential in credentials], over)
    return [
        {
            "keyId": client_id,
            "limit": limit,
            "window": f"{rate_limits.WINDOW_SECONDS}s",
            "used": state.used,
            "remaining": max(limit - state.used, 0),
            "resetAt": format_moment(state.resets_at),
            "peakPerMinute": state.peak_per_minute,
        }
        for client_id, state in states.items()
    ]


def _endpoint(group: Group, *, latency: bool) -> dict[str, Any]:
    percentiles = _latency(group) if latency else None
    requests, failed = group.sums["requests"], group.sums["errors"]
    return {
        "endpoint": group.values[0] or None,
        "requests": requests,
        "errors": failed,
        "errorRate": round(failed / requests, 6) if requests else 0.0,
        "tokens": group.sums["total_tokens"],
        "cost": format_money(group.sums["cost_nanos"]),
        "averageLatencyMs": None if percentiles is None else percentiles["average"],
        "p50LatencyMs": None if percentiles is None else percentiles["p50"],
        "p95LatencyMs": None if percentiles is None else percentiles["p95"],
        "p99LatencyMs": None if percentiles is None else percentiles["p99"],
    }


def _latency(group: Group) -> dict[str, float | None]:
    p50, p95, p99 = percentiles_ms(group.sums.get("latency_histogram", 0), (0.5, 0.95, 0.99))
    return {"average": _average(group), "p50": p50, "p95": p95, "p99": p99}


def _average(group: Group) -> float | None:
    return average_ms(group.sums.get("latency_us", 0), group.sums.get("latency_records", 0))


def _moment(value: datetime | None) -> str | None:
    return None if value is None else format_moment(value)
