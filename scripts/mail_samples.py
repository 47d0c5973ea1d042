"""One message of each kind that goes out by mail, as deliveries keep them."""

from __future__ import annotations

import math
from calendar import monthrange
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final
from uuid import UUID

from alerts.models import Kind, Notice
from alerts.senders import Job
from core import clock
from core.moments import format_moment
from core.periods import day_bounds, zone

ID: Final = UUID("0d4f2f6e-6f0a-4c5d-9a53-7a4f1d2c8b90")
ORGANIZATION: Final = {"slug": "northwind", "name": "Northwind Traders", "timezone": "Europe/Berlin"}
CHANNEL: Final = {"id": str(ID), "kind": "email", "name": "Operations"}
_TEST: Final = ("The channel Operations works.", "There is nothing to do: somebody asked for this test.")
_CONFIRMATION: Final = (
    "Northwind Traders wants to send its alerts and reports to this address.",
    "If you did not expect this, leave it: nothing else comes without your consent.",
)
_DAY: Final = timedelta(days=1)
_MOVERS: Final[dict[str, Any]] = {
    "keys": [
        ("clientId", "name"),
        ("cl_7Hq", "Support assistant", 184.2, 121.4),
        ("cl_9Rt", "Nightly batch", 0, 38.75),
    ],
    "models": [
        ("model", "provider"),
        ("claude-sonnet-4-5", "anthropic", 201.35, 150.1),
        ("gpt-5-mini", "openai", 96.4, 58.02),
        ("gpt-4o", "openai", 12.8, 77.3),
    ],
    "capabilities": [("capability", ""), ("document parsing", "", 88.1, 61.9), ("search", "", 41.0, 55.2)],
}


@dataclass(frozen=True, slots=True)
class Sample:
    """A mail to be pictured: what it is called, what is told, and of what."""

    name: str
    notice: str
    payload: dict[str, Any]
    chart: dict[str, Any] | None = None
    is_report: bool = False

    @property
    def job(self) -> Job:
        """What the sender is given."""
        return Job(
            delivery_id=ID,
            organization_id=1,
            number=1,
            notice=self.notice,
            kind=Kind.EMAIL,
            channel_id=ID,
            subscription=ID if self.is_report else None,
            target="ada@northwind.example",
            secrets=(),
            payload=self.payload,
            chart=self.chart,
            at=clock.now(),
        )


def samples() -> Iterator[Sample]:
    """Yield a message of each kind."""
    yield Sample("fired", Notice.FIRED, _event("alert.fired"), _chart())
    yield Sample("resolved", Notice.RESOLVED, _event("alert.resolved", resolvedAt="2026-11-19T07:40:00Z"))
    yield Sample(
        "weekly", Notice.REPORT, report("weekly", date(2026, 11, 9), date(2026, 11, 16)), is_report=True
    )
    yield Sample(
        "monthly", Notice.REPORT, report("monthly", date(2026, 10, 1), date(2026, 11, 1)), is_report=True
    )
    yield Sample("test", Notice.TEST, _plain("alert.test", *_TEST))
    yield Sample("confirmation", Notice.CONFIRMATION, _plain("channel.confirmation", *_CONFIRMATION))


def report(cadence: str, first: date, end: date) -> dict[str, Any]:
    """Return a report of days that look like a business's: busy weekdays, quiet weekends."""
    before = first - (end - first) if cadence == "weekly" else (first - _DAY).replace(day=1)
    days, earlier = _days(first, end, 1.0), _days(before, first, 0.8)
    after = end + (end - first) if cadence == "weekly" else end + monthrange(end.year, end.month)[1] * _DAY
    cost, cost_before = (sum(float(one["cost"]) for one in part) for part in (days, earlier))
    requests, requests_before = (sum(one["requests"] for one in part) for part in (days, earlier))
    return {
        "type": f"report.{cadence}",
        "timestamp": _moment(end, hours=8),
        "data": {
            "id": str(ID),
            "report": str(ID),
            "name": "For the board",
            "isTest": False,
            "organization": ORGANIZATION,
            "currency": "EUR",
            "period": {"from": _moment(first), "to": _moment(end)},
            "comparedWith": {"from": _moment(before), "to": _moment(first)},
            "figures": {
                "requests": _figure(requests, requests_before),
                "errors": _figure(412, 655),
                "errorRate": _figure(0.0061, 0.0122),
                "tokens": _figure(requests * 1830, requests_before * 1795),
                "cost": {
                    **_figure(cost, cost_before),
                    "value": f"{cost:.9f}",
                    "before": f"{cost_before:.9f}",
                },
                "activeKeys": _figure(14, 13),
            },
            "daily": days,
            "dailyBefore": earlier,
            "movers": {"by": "cost", **{kind: _movers(*rows) for kind, rows in _MOVERS.items()}},
            "forecast": [
                _forecast("cost", end, after, ("612.000000000", "548.000000000", "683.000000000")),
                _forecast("requests", end, after, (71_200, 64_900, 78_100)),
            ],
            "spendLimit": {
                "limit": "800.000000000",
                "spent": "611.240000000",
                "currency": "EUR",
                "state": "open",
                "forecast": {"pausesAt": _moment(end + 3 * _DAY, hours=14)},
            },
            "unpriced": {
                "records": 128,
                "models": [{"model": "acme-embed-2", "provider": "acme", "records": 128}],
            },
        },
    }


def _event(kind: str, **more: Any) -> dict[str, Any]:
    data = {
        "id": str(ID),
        "rule": str(ID),
        "severity": "warning",
        "metric": "cost",
        "scope": {"kind": "organization"},
        "unit": "percent",
        "threshold": "80",
        "value": "81.25",
        "period": {"from": "2026-11-15T23:00:00Z", "to": "2026-11-22T23:00:00Z"},
        "message": "Spend has reached 80% of the limit.",
        "recommendation": "Raise the limit, or look at what spends the most: claude-sonnet-4-5.",
        "firedAt": "2026-11-19T05:00:00Z",
        "resolvedAt": None,
        "organization": ORGANIZATION,
        **more,
    }
    return {"type": kind, "timestamp": "2026-11-19T05:00:00Z", "data": data}


def _plain(kind: str, message: str, recommendation: str) -> dict[str, Any]:
    data = {
        "organization": ORGANIZATION,
        "channel": CHANNEL,
        "severity": "info",
        "message": message,
        "recommendation": recommendation,
    }
    return {"type": kind, "timestamp": "2026-11-19T05:00:00Z", "data": data}


def _chart() -> dict[str, Any]:
    first = date(2026, 11, 15)
    amounts = [round(650 * (1 - math.exp(-hour / 60)), 2) for hour in range(0, 97, 4)]
    points = [[_moment(first, hours=4 * place), str(amount)] for place, amount in enumerate(amounts)]
    return {"points": points, "threshold": "500", "unit": "EUR", "timezone": "Europe/Berlin"}


def _days(first: date, end: date, level: float) -> list[dict[str, Any]]:
    found = []
    for place in range((end - first).days):
        day = first + place * _DAY
        busy = (0.25 if day.weekday() > 4 else 1.0) * (1 + 0.12 * math.sin(place * 1.7)) * level
        requests = round(11_400 * busy)
        found.append(
            {
                "date": day.isoformat(),
                "requests": requests,
                "errors": round(requests / 160),
                "tokens": requests * 1830,
                "cost": f"{98.4 * busy:.9f}",
            }
        )
    return found


def _figure(value: float, before: float) -> dict[str, Any]:
    return {"value": value, "before": before, "change": round((value - before) / before, 6)}


def _movers(naming: Sequence[str], *rows: Sequence[Any]) -> dict[str, Any]:
    ways: dict[str, Any] = {"up": [], "down": []}
    for first, second, now, before in rows:
        ways["up" if now > before else "down"].append(
            {
                **dict(zip(naming, (first, second), strict=True)),
                "value": f"{now:.9f}",
                "before": f"{before:.9f}",
                "difference": f"{now - before:.9f}",
                "change": round((now - before) / before, 6),
            }
        )
    return ways


def _forecast(metric: str, start: date, end: date, estimate: Sequence[Any]) -> dict[str, Any]:
    expected, low, high = estimate
    return {
        "metric": metric,
        "method": "ets",
        "confidence": 0.8,
        "period": {
            "from": _moment(start),
            "to": _moment(end),
            "actual": "0.000000000",
            "expected": expected,
            "low": low,
            "high": high,
        },
    }


def _moment(day: date, *, hours: int = 0) -> str:
    """Return a moment so many hours after a day of Berlin began."""
    return format_moment(day_bounds(day, zone("Europe/Berlin")).start + timedelta(hours=hours))
