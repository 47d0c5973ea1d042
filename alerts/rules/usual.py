"""The hours around an anomaly, and from where on each of them would have been one."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from alerts.anomalies.baseline import LEAST_CHANGE, UNUSUAL, WEEK_HOURS, Baseline, baseline
from alerts.anomalies.queries import HOUR, WEEKS
from alerts.models import Event, ScopeKind
from alerts.rules.measured import DIMENSIONS
from alerts.rules.watched import Watched
from core.money import NANOS
from core.periods import Granularity, Period, floor, zone
from usage.queries.many import Need, add_up_many
from usage.queries.metrics import METRICS, sums_of
from usage.rollups.cubes import Dimension

_UTC: Final = zone("UTC")
_HISTORY: Final = WEEKS * WEEK_HOURS
Hour = tuple[datetime, Decimal, Decimal | None]
"""When an hour was over, what it brought, and from where on it would have been an anomaly."""


def hours(rule: Watched, event: Event, seen: Period) -> Iterator[Hour]:
    """Yield the whole hours of a time; what the event says was judged is one of them.

    Tenancy: call in the tenant's scope.
    Concurrency: one statement.
    """
    first, end = floor(seen.start, Granularity.HOUR, _UTC), floor(seen.end, Granularity.HOUR, _UTC)
    start = first - _HISTORY * HOUR
    series, grain = _series(rule, Period(start, max(end, start + HOUR)))
    scale = NANOS if rule.metric == "cost" else 1
    usual = {
        place: baseline(series[place - _HISTORY : place], grain) for place in range(_HISTORY, len(series))
    }
    is_high = _is_high(series, usual, event, start)
    for place, found in usual.items():
        limit = None if found is None else _limit(found, is_high=is_high)
        held = None if limit is None else Decimal(str(limit)) / scale
        yield start + (place + 1) * HOUR, Decimal(str(series[place])) / scale, held


def _series(rule: Watched, window: Period) -> tuple[list[float], float]:
    """Return what each hour brought, and what a single request usually brings."""
    metric = METRICS[rule.metric]
    need = Need(
        organization_id=rule.organization_id,
        rollup_timezone=rule.rollup_timezone,
        period=window,
        dimension=DIMENSIONS.get(ScopeKind(rule.scope_kind), Dimension.TOTAL),
        credential_id=rule.credential_id,
        value=rule.value,
        hourly=True,
    )
    (found,) = add_up_many([need], sums_of([metric]))
    series = [0.0] * int(window.duration / HOUR)
    groups = found.get(None, [])
    for group in groups:
        series[group.bucket] = float(metric.read(group) or 0)
    requests = sum(group.sums.get("requests", 0) for group in groups)
    return series, max(sum(series) / requests, 1.0) if requests else 1.0


def _is_high(series: list[float], usual: dict[int, Baseline | None], event: Event, start: datetime) -> bool:
    """Tell which way the event's hour was unusual."""
    judged = event.period_start or event.fired_at - timedelta(hours=1)
    place = int((judged - start) / HOUR)
    found = usual.get(place)
    return found is None or series[place] > found.expected


def _limit(found: Baseline, *, is_high: bool) -> float | None:
    """Return from where on an hour is an anomaly; None where it can't be low enough."""
    far = UNUSUAL * found.deviation
    if is_high:
        return max(found.expected + far, found.expected / (1 - LEAST_CHANGE))
    least = min(found.expected - far, found.expected * (1 - LEAST_CHANGE))
    return least if least >= 0 else None
