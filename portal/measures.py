"""What pages measure: each of the API's metrics with its name, its meaning, and how it is written."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from portal import numbers
from portal.kinds import COUNT, MONEY, Writer
from usage.queries.metrics import Metric, metric_named
from usage.queries.rollups import Group

NONE: Final = "–"
"""What stands where there is no number."""


def _percent(value: Any) -> str:
    return f"{Decimal(str(value)) * 100:,.2f}%"


def _milliseconds(value: Any) -> str:
    number = Decimal(str(value))
    return f"{numbers.exact(round(number))} ms" if number >= 10 else f"{numbers.exact(round(number, 1))} ms"


def _per_million(value: Any) -> str:
    return numbers.short_money(int(Decimal(str(value)).scaleb(9)))


PERCENT: Final = Writer(_percent, lambda value: f"{numbers.exact(Decimal(str(value)) * 100)}%")
MILLISECONDS: Final = Writer(_milliseconds, lambda value: f"{numbers.exact(Decimal(str(value)))} ms")
PER_MILLION: Final = Writer(
    _per_million, lambda value: numbers.exact_money(int(Decimal(str(value)).scaleb(9)))
)


@dataclass(frozen=True, slots=True)
class Measure:
    """A metric as pages show it; ``is_money`` for amounts, which carry the organization's currency."""

    metric: Metric
    label: str
    writer: Writer = COUNT
    meaning: str = ""

    @property
    def name(self) -> str:
        """Its name in the API."""
        return self.metric.name

    @property
    def is_money(self) -> bool:
        """Whether its values are amounts."""
        return self.writer in (MONEY, PER_MILLION)

    def number(self, group: Group) -> Any:
        """Return its value: amounts in nanos, as the metric reads it; None where there is none.

        There is none either of an amount that has nothing priced in it.
        """
        return None if self.is_money and is_unknown(group) else self.metric.read(group)

    def drawn(self, group: Group) -> float:
        """Return its value as a chart draws it, nothing where there is none."""
        value = self.number(group)
        if value is None:
            return 0.0
        return float(Decimal(value).scaleb(-9)) if self.writer is MONEY else float(value)

    def short(self, group: Group) -> str:
        """Write its value in little room."""
        value = self.number(group)
        return NONE if value is None else self.writer.short(value)

    def exact(self, group: Group) -> str:
        """Write its value in full."""
        value = self.number(group)
        return NONE if value is None else self.writer.exact(value)

    def with_unit(self, group: Group, currency: str) -> str:
        """Write its value in full, an amount with its currency."""
        has_unit = self.is_money and self.number(group) is not None
        return f"{self.exact(group)} {currency}" if has_unit else self.exact(group)

    def lacks(self, group: Group) -> str:
        """Say how many requests a cost lacks for want of a price; nothing of anything else."""
        return lacking(UNPRICED.number(group)) if self is COST else ""


def _measure(name: str, label: str, writer: Writer = COUNT, meaning: str = "") -> Measure:
    metric = metric_named(name)
    if metric is None:
        raise ValueError(f"There is no metric {name}.")
    return Measure(metric, label, writer, meaning)


REQUESTS: Final = _measure("requests", "Requests")
ERRORS: Final = _measure("errors", "Errors")
ERROR_RATE: Final = _measure("errorRate", "Error rate", PERCENT, "share of requests that failed")
SUCCESS_RATE: Final = _measure("successRate", "Success rate", PERCENT, "share of requests that succeeded")
TOKENS: Final = _measure("tokens", "Tokens")
PROMPT: Final = _measure("promptTokens", "Prompt tokens")
COMPLETION: Final = _measure("completionTokens", "Completion tokens")
COST: Final = _measure("cost", "Cost", MONEY)
PER_MILLION_TOKENS: Final = _measure("costPerMillionTokens", "Cost per 1M tokens", PER_MILLION)
UNPRICED: Final = _measure(
    "unpriced", "Unpriced requests", COUNT, "requests without a price, not included in totals"
)
LATENCY: Final = _measure("latency.average", "Average latency", MILLISECONDS)
P50: Final = _measure("latency.p50", "p50", MILLISECONDS, "half of the requests answer within this")
P95: Final = _measure("latency.p95", "p95", MILLISECONDS, "95 of 100 requests answer within this")
P99: Final = _measure("latency.p99", "p99", MILLISECONDS, "99 of 100 requests answer within this")
QUOTA: Final = _measure("quota", "Quota")
CREDITS: Final = _measure("credits", "Credits")
CONVERSATIONS: Final = _measure("conversations", "Conversations")
MESSAGES: Final = _measure("messages", "Messages")
PAGES: Final = _measure("pages", "Pages parsed")
PROCESSOR_RUNS: Final = _measure("processorRuns", "Processor runs")
DOCUMENTS: Final = _measure("documents", "Documents")
EXECUTIONS: Final = _measure("executions", "Executions")
FAILED_EXECUTIONS: Final = _measure("failedExecutions", "Failed executions")


def is_unknown(group: Group) -> bool:
    """Tell whether a cost of nothing only says that prices are missing."""
    return is_unpriced(group.sums.get("cost_nanos", 0), UNPRICED.number(group))


def is_unpriced(cost_nanos: int, unpriced: int) -> bool:
    """Tell whether a cost is nothing where some requests have no price."""
    return bool(unpriced) and not cost_nanos


def lacking(unpriced: int) -> str:
    """Say how many requests a cost lacks: `3,481 unpriced`; nothing where it lacks none."""
    return f"{numbers.exact(unpriced)} unpriced" if unpriced else ""
