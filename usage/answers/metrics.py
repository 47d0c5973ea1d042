"""How the use of the current billing period is written for Prometheus and OpenMetrics.

Counters count from the start of the period, which each one's ``_created`` names: when a period begins they
begin anew, which is a reset as the formats have it. Amounts are divided once, exactly rounded.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
    SummaryMetricFamily,
)

from core.money import NANOS
from organizations.tenancy import Caller
from usage.queries.current import MAX_VALUES, OTHER, CurrentUse
from usage.queries.rollups import Group
from usage.rollups.latency import EDGES_US, counts

EDGE_STEP: Final = 3
"""Every third edge of the histogram is a bucket's: each ends 40 % above the one before."""
_MICROSECONDS: Final = 1_000_000

Number = int | float | Decimal


@dataclass(frozen=True, slots=True)
class Limits:
    """The requests of the API itself: how many a minute, and how many each client id has used of them."""

    per_minute: int
    used: Mapping[str, int]


@dataclass(frozen=True, slots=True, eq=False)
class UseCollector:
    """The metrics of one organization; ``limits`` is None while nobody counts."""

    caller: Caller
    use: CurrentUse
    history_from: datetime
    limits: Limits | None

    def collect(self) -> Iterator[Metric]:
        """Yield the families."""
        yield from self._about()
        yield from self._totals()
        yield self._latency()
        for dimension, label, groups in (
            ("client", "client_id", self.use.clients),
            ("model", "model", self.use.models),
            ("capability", "capability", self.use.capabilities),
        ):
            yield from self._parts(dimension, label, groups)
        yield from self._clients()

    def _about(self) -> Iterator[Metric]:
        info = InfoMetricFamily("headroom_organization", "The organization, its plan, zone and currency.")
        caller = self.caller
        named = {"organization": caller.organization, "plan": caller.plan.slug}
        info.add_metric([], {**named, "timezone": caller.timezone, "currency": caller.currency})
        yield info
        period = self.use.period
        for name, moment, text in (
            ("billing_period_start", period.start, "Where the period begins that is counted here."),
            ("billing_period_end", period.end, "Where it ends, and every counter begins anew."),
            ("history_start", self.history_from, "How far back the plan's history reaches."),
        ):
            full = f"headroom_{name}_timestamp_seconds"
            yield GaugeMetricFamily(full, text, value=moment.timestamp(), unit="seconds")

    def _totals(self) -> Iterator[Metric]:
        sums = self.use.total.sums
        yield self._total("requests", "Requests recorded.", sums["requests"])
        yield self._total("errors", "Requests that failed.", sums["errors"])
        yield self._total("unpriced_requests", "Requests without a cost.", sums["unpriced"])
        currency = self.caller.currency
        cost = sums["cost_nanos"] / NANOS
        yield self._total("cost", "Cost in units of the currency.", cost, currency=currency)
        failed = sums["failed_executions"]
        executions = {"completed": sums["executions"] - failed, "failed": failed}
        yield self._counter("executions", "Executions by outcome.", "outcome", executions)
        kinds = {"prompt": sums["prompt_tokens"], "completion": sums["completion_tokens"]}
        kinds["unspecified"] = sums["total_tokens"] - sum(kinds.values())
        yield self._counter("tokens", "Tokens by kind; the kinds add up to all.", "kind", kinds)
        details = {name: sums[f"{name}_tokens"] for name in ("cached_prompt", "cache_write", "reasoning")}
        text = "Tokens that are among those of headroom_tokens_total."
        yield self._counter("token_details", text, "detail", details)
        text = "Quantities by meter, in the meter's own unit."
        yield self._counter("meter", text, "meter", _meters(self.use.total.meters))

    def _latency(self) -> Metric:
        sums = self.use.total.sums
        family = HistogramMetricFamily(
            "headroom_request_latency_seconds", "Latency of the requests that were timed.", unit="seconds"
        )
        # A bucket holds whole microseconds below its edge: the largest of them is the inclusive bound.
        family.add_metric([], _buckets(sums["latency_histogram"]), sums["latency_us"] / _MICROSECONDS)
        family.add_sample(f"{family.name}_created", {}, self._created)
        return family

    def _parts(self, dimension: str, label: str, groups: Mapping[str, Group]) -> Iterator[Metric]:
        for name, measure, text in (
            ("requests", "requests", "Requests recorded"),
            ("errors", "errors", "Requests that failed"),
            ("tokens", "total_tokens", "Tokens"),
        ):
            values = {value: group.sums[measure] for value, group in groups.items()}
            yield self._counter(f"{dimension}_{name}", f"{text} by {dimension}.", label, values)
        cost = {value: group.sums["cost_nanos"] / NANOS for value, group in groups.items()}
        text = f"Cost by {dimension}, in units of the currency."
        yield self._counter(f"{dimension}_cost", text, label, cost, currency=self.caller.currency)
        timed = SummaryMetricFamily(
            f"headroom_{dimension}_latency_seconds",
            f"Latency by {dimension} of the requests that were timed.",
            labels=(label,),
            unit="seconds",
        )
        for value, group in groups.items():
            seconds = group.sums["latency_us"] / _MICROSECONDS
            timed.add_metric([value], group.sums["latency_records"], seconds)
            timed.add_sample(f"{timed.name}_created", {label: value}, self._created)
        yield timed

    def _clients(self) -> Iterator[Metric]:
        active = self.use.active[:MAX_VALUES]
        info = InfoMetricFamily("headroom_client", "What a client is called.", labels=("client_id",))
        for credential in active:
            named = {"name": credential.name, "environment": credential.environment}
            info.add_metric([credential.client_id], named)
        yield info
        if self.limits is None:
            return
        text = "Requests to this API that each client may make in a minute."
        yield GaugeMetricFamily("headroom_rate_limit_requests", text, value=self.limits.per_minute)
        text = "Requests to this API that a client has made in its running minute."
        used = GaugeMetricFamily("headroom_client_rate_limit_used_requests", text, labels=("client_id",))
        for client_id, number in self.limits.used.items():
            used.add_metric([client_id], number)
        yield used

    def _total(self, name: str, text: str, value: Number, **labels: str) -> Metric:
        family = CounterMetricFamily(f"headroom_{name}", text, labels=tuple(labels))
        family.add_metric(tuple(labels.values()), float(value), created=self._created)
        return family

    def _counter(
        self, name: str, text: str, label: str, values: Mapping[str, Number], **labels: str
    ) -> Metric:
        family = CounterMetricFamily(f"headroom_{name}", text, labels=(label, *labels))
        for place, value in values.items():
            family.add_metric((place, *labels.values()), float(value), created=self._created)
        return family

    @property
    def _created(self) -> float:
        return self.use.period.start.timestamp()


def _buckets(histogram: int) -> list[tuple[str, float]]:
    """Return the cumulative counts by upper bound, always for the same bounds.

    Units: bounds in seconds, inclusive.
    """
    filled = dict(counts(histogram))
    cumulated, upto, found = 0, 0, []
    for place in range(0, len(EDGES_US), EDGE_STEP):
        cumulated += sum(filled.get(bucket, 0) for bucket in range(upto, place + 1))
        upto = place + 1
        found.append((str((EDGES_US[place] - 1) / _MICROSECONDS), float(cumulated)))
    return [*found, ("+Inf", float(sum(filled.values())))]


def _meters(meters: Mapping[str, Decimal]) -> dict[str, Decimal]:
    own = [name for name in sorted(meters) if name != OTHER][:MAX_VALUES]
    values = {name: meters[name] for name in own}
    rest = [meters[name] for name in meters.keys() - set(own)]
    return {**values, OTHER: sum(rest, Decimal(0))} if rest else values
