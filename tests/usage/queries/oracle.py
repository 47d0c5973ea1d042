"""What the usage API has to answer, by loops over a list: no SQL, and no code of the application.

A window is half-open; money and meters are exact decimals; a percentile is the nearest rank of the sorted
latencies, to which an answer may be 6 % off.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final

from tests.usage.model import NANOS, Fact, nearest_rank

FACETS: Final = (
    "clientId", "endpoint", "capability", "model", "provider", "type", "status", "statusCode", "errorType",
)  # fmt: skip
SUMS: Final = {
    "requests": "requests",
    "errors": "errors",
    "tokens": "total_tokens",
    "promptTokens": "prompt_tokens",
    "completionTokens": "completion_tokens",
    "cachedPromptTokens": "cached_prompt_tokens",
    "cacheWriteTokens": "cache_write_tokens",
    "reasoningTokens": "reasoning_tokens",
    "cost": "cost_nanos",
    "count": "count",
    "executions": "executions",
    "failedExecutions": "failed_executions",
    "unpriced": "unpriced",
}
RATIOS: Final = ("errorRate", "successRate", "costPerMillionTokens", "latency.average")
PERCENTILES: Final = {"latency.p50": 0.5, "latency.p95": 0.95, "latency.p99": 0.99}
METRICS: Final = (
    "requests", "errors", "errorRate", "successRate", "tokens", "promptTokens", "completionTokens",
    "cachedPromptTokens", "cacheWriteTokens", "reasoningTokens", "cost", "costPerMillionTokens", "count",
    "executions", "failedExecutions", "unpriced", "latency.average", *PERCENTILES,
)  # fmt: skip
"""All of them, in the order in which they are listed to who asks for another."""

_SHORTEST_MS: Final = 0.1
"""Below a tenth of a millisecond the histogram has one bucket."""


@dataclass(frozen=True, slots=True)
class Use:
    """One record, with what it adds and what it is about worked out once."""

    at: datetime
    client: str
    facets: Mapping[str, str | int | None]
    sums: Mapping[str, int]
    meters: Mapping[str, Decimal]
    latency_us: int | None
    sent: Mapping[str, Any]

    @classmethod
    def of(cls, sent: Mapping[str, Any]) -> Use:
        """Read a record as it was sent."""
        fact = Fact(datetime.fromisoformat(sent["timestamp"]).astimezone(UTC), sent["clientId"], sent)
        facets = {name: sent.get(name) for name in FACETS}
        facets["status"] = "error" if fact.failed else "success"
        return cls(fact.at, sent["clientId"], facets, fact.sums(), fact.quantities(), fact.latency_us, sent)


@dataclass(slots=True)
class Tally:
    """What some records add up to."""

    sums: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    meters: dict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    latencies_us: list[int] = field(default_factory=list)

    def add(self, use: Use) -> None:
        """Count one record."""
        for name, number in use.sums.items():
            self.sums[name] += number
        for name, amount in use.meters.items():
            self.meters[name] += amount
        if use.latency_us is not None:
            self.latencies_us.append(use.latency_us)

    @property
    def error_rate(self) -> float | None:
        """Errors per request, to six places."""
        return quotient(self.sums["errors"], self.sums["requests"], 6)

    @property
    def average_ms(self) -> float | None:
        """The average latency in milliseconds, to three places."""
        return quotient(sum(self.latencies_us), 1000 * len(self.latencies_us), 3)

    def percentile_ms(self, rank: float) -> float | None:
        """Return the exact percentile in milliseconds."""
        return nearest_rank(sorted(self.latencies_us), rank) / 1000 if self.latencies_us else None


def tally(uses: Iterable[Use]) -> Tally:
    """Add up records."""
    total = Tally()
    for use in uses:
        total.add(use)
    return total


def within(
    uses: Iterable[Use],
    start: datetime,
    end: datetime,
    filters: Mapping[str, str | int | None] | None = None,
) -> list[Use]:
    """Return the records of a window that have the values asked for."""
    wanted = (filters or {}).items()
    return [
        use
        for use in uses
        if start <= use.at < end and all(use.facets[name] == value for name, value in wanted)
    ]


def by_bucket(uses: Iterable[Use], starts: Sequence[datetime], facets: Sequence[str]) -> dict[Any, Tally]:
    """Return the sums by the place of the bucket and the values of the facets."""
    groups: dict[Any, Tally] = defaultdict(Tally)
    for use in uses:
        place = bisect_right(starts, use.at) - 1
        groups[place, tuple(use.facets[name] for name in facets)].add(use)
    return groups


def metric(group: Tally, name: str) -> Any:
    """Return a metric as an answer writes it; percentiles exactly."""
    if name in PERCENTILES:
        return group.percentile_ms(PERCENTILES[name])
    if name == "cost":
        return money(group.sums["cost_nanos"])
    if name in SUMS:
        return group.sums[SUMS[name]]
    if name in RATIOS:
        return _ratio(group, name)
    return quantity(group.meters[name.removeprefix("quantities.")])


def _ratio(group: Tally, name: str) -> float | None:
    requests, errors, tokens = group.sums["requests"], group.sums["errors"], group.sums["total_tokens"]
    match name:
        case "errorRate":
            return group.error_rate
        case "successRate":
            return quotient(requests - errors, requests, 6)
        case "costPerMillionTokens":
            return quotient(group.sums["cost_nanos"] * 10**6, tokens * NANOS, 6)
    return group.average_ms


def quotient(above: int, below: int, places: int) -> float | None:
    """Return a rounded quotient, or None where there is nothing to divide by."""
    return round(float(Fraction(above, below)), places) if below else None


def money(nanos: int) -> str:
    """Write an amount."""
    return f"{nanos // NANOS}.{nanos % NANOS:09d}"


def quantity(amount: Decimal) -> int | str:
    """Write a quantity."""
    if amount == amount.to_integral_value():
        return int(amount)
    return f"{amount:f}".rstrip("0")


def moment(value: datetime) -> str:
    """Write a moment."""
    text = value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{text}.{value.microsecond:06d}Z" if value.microsecond else f"{text}Z"


def near(found: float | None, exact: float | None) -> bool:
    """Tell whether a percentile is as near as promised, to half a microsecond of rounding."""
    if found is None or exact is None:
        return found is exact
    if exact < _SHORTEST_MS:
        return 0 < found < _SHORTEST_MS
    return math.isclose(found, exact, rel_tol=0, abs_tol=0.06 * exact + 0.0005)
