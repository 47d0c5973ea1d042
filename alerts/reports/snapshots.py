"""A report as it is told: webhooks get it so, and mails and chats are made of it. No database."""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from alerts.forecasts import answers as forecasts
from alerts.forecasts.outlook import CONFIDENCE
from alerts.models import Report
from alerts.reports.figures import Figures, Stretch
from alerts.reports.movers import Mover, Movers
from billing.answers.limits import limit as written_limit
from core.moments import format_moment
from core.money import format_money
from organizations.models import Organization
from organizations.roles import Scope, scopes_of
from usage import answers
from usage.quantities import quotient
from usage.queries.rollups import Group

PLACES: Final = 6
_NAMED: Final = {
    "keys": ("clientId", "name"),
    "models": ("model", "provider"),
    "capabilities": ("capability",),
}


def of_report(
    report: Report,
    organization: Organization,
    digest_id: UUID,
    found: Figures,
    at: datetime,
    *,
    is_test: bool = False,
) -> dict[str, Any]:
    """Return the message that tells a report."""
    data = {
        "id": str(digest_id),
        "report": str(report.pk),
        "name": report.name,
        "isTest": is_test,
        "organization": {
            "slug": organization.slug,
            "name": organization.name,
            "timezone": found.due.zone.key,
        },
        "currency": organization.currency,
        "period": answers.period(found.now.totals.period),
        "comparedWith": None if found.before is None else answers.period(found.before.totals.period),
        "figures": _figures(found.now, found.before),
        "daily": [_day(day, group) for day, group in found.now.days],
        "dailyBefore": [_day(day, group) for day, group in found.before.days] if found.before else [],
        "movers": {
            "by": found.by,
            **{
                kind: _movers(kind, found.movers.get(kind, Movers((), ())), found)
                for kind in ("keys", "models", "capabilities")
            },
        },
        "forecast": _forecast(found),
        "spendLimit": None
        if found.limit is None
        else written_limit(found.limit, currency=organization.currency),
        "unpriced": {
            "records": found.now.totals.unpriced,
            "models": [
                {
                    "model": cause.values[0] or None,
                    "provider": cause.values[1] or None,
                    "records": cause.figures.unpriced,
                }
                for cause in found.unpriced
            ],
        },
    }
    return {"type": f"report.{found.due.cadence}", "timestamp": format_moment(at), "data": data}


def for_member(payload: Mapping[str, Any], role: str) -> Mapping[str, Any]:
    """Return what a member of some role gets to see of a report: not everybody may read spend limits."""
    if Scope.BILLING_READ in scopes_of(role):
        return payload
    return {**payload, "data": {**payload["data"], "spendLimit": None}}


def _figures(now: Stretch, before: Stretch | None) -> dict[str, Any]:
    """Write each figure beside the one before, and by how much of that it changed."""
    after, earlier = _numbers(now), None if before is None else _numbers(before)
    return {
        name: {
            "value": _written(name, value),
            "before": None if earlier is None else _written(name, earlier[name]),
            "change": None if earlier is None else _change(value, earlier[name]),
        }
        for name, value in after.items()
    }


def _numbers(stretch: Stretch) -> dict[str, Any]:
    sums = stretch.totals
    return {
        "requests": sums.requests,
        "errors": sums.errors,
        "errorRate": quotient(sums.errors, sums.requests, PLACES),
        "tokens": sums.total_tokens,
        "cost": sums.cost_nanos,
        "activeKeys": stretch.active_keys,
    }


def _written(name: str, value: Any) -> Any:
    return format_money(value) if name == "cost" else value


def _change(value: Any, before: Any) -> float | None:
    """Return the change as a share of what was before; None where there was nothing."""
    if value is None or not before:
        return None
    ratio = (Decimal(str(value)) - Decimal(str(before))) / Decimal(str(before))
    return float(round(ratio, PLACES))


def _day(day: date, group: Group) -> dict[str, Any]:
    return {
        "date": day.isoformat(),
        "requests": group.sums.get("requests", 0),
        "errors": group.sums.get("errors", 0),
        "tokens": group.sums.get("total_tokens", 0),
        "cost": format_money(group.sums.get("cost_nanos", 0)),
    }


def _movers(kind: str, moved: Movers, found: Figures) -> dict[str, Any]:
    return {
        way: [_mover(kind, mover, found) for mover in ranked]
        for way, ranked in (("up", moved.up), ("down", moved.down))
    }


def _mover(kind: str, mover: Mover, found: Figures) -> dict[str, Any]:
    values = found.names[mover.values[0]] if kind == "keys" else mover.values
    named = {name: value or None for name, value in zip(_NAMED[kind], values, strict=True)}
    return {
        **named,
        "value": _written(found.by, mover.now),
        "before": _written(found.by, mover.before),
        "difference": _written(found.by, mover.difference),
        "change": _change(mover.now, mover.before),
    }


def _forecast(found: Figures) -> list[dict[str, Any]]:
    """Write what the week or month after this one will come to, as `/usage/forecast` does."""
    return [
        {
            "metric": one.metric.name,
            "method": one.method.value,
            "confidence": CONFIDENCE,
            "period": forecasts.forecast(found.ask, one)["period"],
        }
        for one in found.forecast
    ]
