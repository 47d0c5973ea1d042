"""The totals of a period, and daily series of them."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final

from core.periods import Granularity, Period, buckets, zone
from usage.queries.buckets import Buckets
from usage.queries.facets import Facet
from usage.queries.rollups import Group, RollupQuery, add_up, greatest

UTC_ZONE: Final = zone("UTC")
_ZERO: Final = Decimal(0)


@dataclass(frozen=True, slots=True)
class Subject:
    """Whose usage is asked for: an organization, or one credential of it.

    ``rollup_timezone`` is the zone of its daily rollups.
    """

    organization_id: int
    rollup_timezone: str
    credential_id: int | None = None


@dataclass(frozen=True, slots=True)
class Totals:
    """What was consumed in a period.

    Units: ``cost_nanos`` nanos, ``latency_us`` microseconds summed over ``latency_records``; ``minutes`` are
    those of the period that have passed.
    """

    period: Period
    minutes: Decimal
    requests: int = 0
    errors: int = 0
    executions: int = 0
    failed_executions: int = 0
    unpriced: int = 0
    count: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    total_tokens: int = 0
    cached_prompt_tokens: int = 0
    cache_write_tokens: int = 0
    reasoning_tokens: int = 0
    cost_nanos: int = 0
    latency_records: int = 0
    latency_us: int = 0
    meters: dict[str, Decimal] | None = None

    @property
    def succeeded(self) -> int:
        """How many requests did not fail."""
        return self.requests - self.errors

    def meter(self, name: str) -> Decimal:
        """Return the sum of one meter."""
        return (self.meters or {}).get(name, _ZERO)

    def per_minute(self, number: int) -> float:
        """Return a sum of the period as a rate, to four places."""
        return round(float(number / self.minutes), 4) if self.minutes else 0.0


@dataclass(frozen=True, slots=True)
class Peak:
    """The minute of a period with the most requests, and the one with the most tokens."""

    requests_at: datetime
    requests: int
    tokens_at: datetime
    tokens: int


def totals(subject: Subject, period: Period, now: datetime) -> Totals:
    """Return everything that adds up over a period.

    Tenancy: call in the tenant's scope.
    """
    groups = add_up(_query(subject, period))
    minutes = elapsed_minutes(period, now)
    if not groups:
        return Totals(period, minutes, meters={})
    return Totals(period, minutes, **groups[0].sums, meters=groups[0].meters)


def peak(subject: Subject, period: Period) -> Peak | None:
    """Return the busiest minutes of a period, the earliest of equals; None without any request.

    Tenancy: call in the tenant's scope.
    """
    minutes = Buckets.over(period, Granularity.MINUTE, UTC_ZONE)
    found = greatest(
        RollupQuery(
            organization_id=subject.organization_id,
            rollup_timezone=subject.rollup_timezone,
            period=period,
            buckets=minutes,
            sums=("requests", "total_tokens"),
            filters=_filters(subject),
        )
    )
    if not found:
        return None
    # In order of time, so that the first of equals is the earliest.
    busiest = max(found, key=lambda group: group.sums["requests"])
    most = max(found, key=tokens_of)
    return Peak(
        minutes.start(busiest.bucket), busiest.sums["requests"], minutes.start(most.bucket), tokens_of(most)
    )


def elapsed_minutes(period: Period, now: datetime) -> Decimal:
    """Return how much of the period has passed.

    Units: minutes.
    """
    passed = min(period.end, now) - period.start
    microseconds = max(passed, timedelta()) // timedelta(microseconds=1)
    return Decimal(microseconds) / 60_000_000


def daily(
    subject: Subject, days: int, now: datetime, timezone: str, *, since: datetime
) -> list[tuple[datetime, Group | None]]:
    """Return the last days of a zone, today last, with what adds up in each; None where nothing happened.

    ``since`` is where the history begins: what lies before it counts as nothing.
    Tenancy: call in the tenant's scope.
    """
    tz = zone(timezone)
    today = buckets(Period(now, now + timedelta(microseconds=1)), Granularity.DAY, tz)[0]
    window = _last_days(today, days, timezone)
    starts = tuple(bucket.start for bucket in window)
    period = Period(min(max(starts[0], since), today.end), today.end)
    series = Buckets(starts[0], len(starts), starts)
    found = {group.bucket: group for group in add_up(_query(subject, period, series))}
    return [(start, found.get(place)) for place, start in enumerate(starts)]


def _last_days(today: Period, days: int, timezone: str) -> list[Period]:
    # Two days more than can be needed: a zone may have skipped one.
    earliest = today.start - timedelta(days=days + 2)
    return buckets(Period(earliest, today.end), Granularity.DAY, zone(timezone))[-days:]


def _query(subject: Subject, period: Period, series: Buckets | None = None) -> RollupQuery:
    return RollupQuery(
        organization_id=subject.organization_id,
        rollup_timezone=subject.rollup_timezone,
        period=period,
        buckets=series,
        meters=True,
        filters=_filters(subject),
    )


def _filters(subject: Subject) -> dict[Facet, str | int]:
    return {} if subject.credential_id is None else {Facet.CLIENT: subject.credential_id}


Meter = Callable[[Group], int | Decimal]


def tokens_of(group: Group) -> int:
    """Return the tokens of a group."""
    return group.sums.get("total_tokens", 0)


def meter_of(name: str) -> Meter:
    """Return what reads one meter of a group."""
    return lambda group: group.meters.get(name, _ZERO)


def utc_midnight_ms(moment: datetime) -> int:
    """Return a moment in Unix milliseconds."""
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
