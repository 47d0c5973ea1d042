"""The charts of what is told of spend limits: what was spent in the window, hour by hour, up to the limit."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from django.db.models import Q

from billing.models import Decision, SpendBucket
from core.moments import format_moment
from core.money import format_money
from core.periods import Granularity, floor, zone

_UTC: Final = zone("UTC")
Chart = Mapping[str, Any]
"""As `alerts.senders.charts.draw` takes it."""


def of_decisions(decisions: Sequence[Decision], zones: Mapping[int, tuple[str, str]]) -> dict[int, Chart]:
    """Return the charts of decisions by their ids; ``zones`` has each organization's zone and currency.

    Tenancy: call in the system's scope.
    Concurrency: one statement, however many decisions.
    """
    if not decisions:
        return {}
    wanted = Q()
    for one in decisions:
        wanted |= Q(
            limit__organization_id=one.organization_id,
            limit__credential_id=one.credential_id,
            quarter__gte=one.window_start,
            quarter__lt=one.window_end,
        )
    spent: dict[tuple[int, int | None], list[tuple[datetime, int]]] = {}
    rows = (
        SpendBucket.objects.filter(wanted)
        .order_by("quarter")
        .values_list("organization_id", "limit__credential_id", "quarter", "cost_nanos")
    )
    for organization_id, credential_id, quarter, cost in rows:
        spent.setdefault((organization_id, credential_id), []).append((quarter, int(cost)))
    return {
        one.pk: _chart(
            one, spent.get((one.organization_id, one.credential_id), []), *zones[one.organization_id]
        )
        for one in decisions
    }


def _chart(decision: Decision, spent: Iterable[tuple[datetime, int]], timezone: str, currency: str) -> Chart:
    total, points = 0, {decision.window_start: 0}
    for quarter, cost in spent:
        if decision.window_start <= quarter <= decision.decided_at:
            total += cost
            points[floor(quarter, Granularity.HOUR, _UTC)] = total
    points[decision.decided_at] = int(decision.spent_nanos)
    return {
        "points": [[format_moment(moment), format_money(value)] for moment, value in points.items()],
        "threshold": format_money(decision.limit_nanos),
        "unit": currency,
        "timezone": timezone,
    }
