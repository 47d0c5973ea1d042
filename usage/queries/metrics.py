"""The metrics a question can ask for: what each needs added up, and how it is read. No database."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from core.money import format_money
from usage.dialects.plain import METER_PATTERN
from usage.quantities import average_ms, cost_per_million, number, quotient
from usage.queries.facets import Facet
from usage.queries.rollups import Group
from usage.rollups.latency import percentiles_ms
from usage.rollups.measures import MEASURES

BUILT_IN_METERS: Final = (
    "pages",
    "processorRuns",
    "documents",
    "conversations",
    "messages",
    "credits",
    "quota",
)
METER_PREFIX: Final = "quantities."
METRIC_PATTERN: Final = rf"(quantities\.)?{METER_PATTERN.strip('^$')}"
"""How metrics are spelled, as an expression: built-in ones, and meters with or without `METER_PREFIX`."""

Number = int | float | Decimal | None


@dataclass(frozen=True, slots=True)
class Metric:
    """Something to ask for.

    ``sums`` are the measures it is made of, ``meter`` the quantity; ``read`` gives its number, None where
    there is none, and ``write`` what stands in an answer.
    """

    name: str
    sums: tuple[str, ...]
    read: Callable[[Group], Number]
    write: Callable[[Any], Any] = lambda value: value
    meter: str | None = None

    @property
    def adds_up(self) -> bool:
        """Whether the values of parts make up that of the whole: of quotients and percentiles they don't."""
        return self.meter is not None or self.sums in _SUMS

    def value(self, group: Group) -> Any:
        """Return the metric of a group as it is answered."""
        found = self.read(group)
        return None if found is None else self.write(found)


def _sum(name: str, measure: str, write: Callable[[Any], Any] = lambda value: value) -> Metric:
    return Metric(name, (measure,), lambda group: group.sums.get(measure, 0), write)


def _quotient(name: str, above: str, below: str, read: Callable[[int, int], Number]) -> Metric:
    """What is read from two sums, the second of which divides."""
    return Metric(
        name, (above, below), lambda group: read(group.sums.get(above, 0), group.sums.get(below, 0))
    )


def _percentile(name: str, rank: float) -> Metric:
    def read(group: Group) -> Number:
        return percentiles_ms(group.sums.get("latency_histogram", 0), (rank,))[0]

    return Metric(name, ("latency_histogram",), read)


_BUILT_IN: Final = (
    _sum("requests", "requests"),
    _sum("errors", "errors"),
    _quotient("errorRate", "errors", "requests", lambda errors, all_: quotient(errors, all_, 6)),
    _quotient("successRate", "errors", "requests", lambda errors, all_: quotient(all_ - errors, all_, 6)),
    _sum("tokens", "total_tokens"),
    _sum("promptTokens", "prompt_tokens"),
    _sum("completionTokens", "completion_tokens"),
    _sum("cachedPromptTokens", "cached_prompt_tokens"),
    _sum("cacheWriteTokens", "cache_write_tokens"),
    _sum("reasoningTokens", "reasoning_tokens"),
    _sum("cost", "cost_nanos", format_money),
    _quotient("costPerMillionTokens", "cost_nanos", "total_tokens", cost_per_million),
    _sum("count", "count"),
    _sum("executions", "executions"),
    _sum("failedExecutions", "failed_executions"),
    _sum("unpriced", "unpriced"),
    _quotient("latency.average", "latency_us", "latency_records", average_ms),
    _percentile("latency.p50", 0.5),
    _percentile("latency.p95", 0.95),
    _percentile("latency.p99", 0.99),
)
METRICS: Final = {metric.name: metric for metric in _BUILT_IN}
_SUMS: Final = frozenset((measure.name,) for measure in MEASURES)
_TAKEN: Final = frozenset({"timestamp", *(facet.value for facet in Facet)})
"""What else stands in a row of an answer: a meter of such a name is asked for with `METER_PREFIX`."""


def meter_metric(meter: str, name: str | None = None) -> Metric:
    """Return the metric of a quantity."""
    return Metric(name or meter, (), lambda group: group.meters.get(meter, Decimal(0)), number, meter)


def metric_named(name: str) -> Metric | None:
    """Return the metric of a name: one of `METRICS`, or a meter; None where no meter could be called so."""
    if name in METRICS:
        return METRICS[name]
    meter = name.removeprefix(METER_PREFIX)
    if name in _TAKEN or not re.fullmatch(METER_PATTERN, meter):
        return None
    return meter_metric(meter, name)


def sums_of(metrics: Iterable[Metric]) -> tuple[str, ...]:
    """Return the measures that metrics are made of, each once; requests always, which tell who was there."""
    return tuple(dict.fromkeys(["requests", *(measure for metric in metrics for measure in metric.sums)]))


def meters_of(metrics: Iterable[Metric]) -> tuple[str, ...]:
    """Return the quantities that some metrics are."""
    return tuple(dict.fromkeys(metric.meter for metric in metrics if metric.meter is not None))
