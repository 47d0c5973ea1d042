"""What is added up: the measures every cube has, as SQL over records or over cubes."""

from dataclasses import dataclass
from typing import Final

from usage.rollups.latency import EDGES_US


@dataclass(frozen=True, slots=True)
class Measure:
    """A sum kept in the cubes, how a group of records makes it, and what adjusting their costs adds to it."""

    name: str
    of_records: str
    of_adjustments: str = "0"

    @property
    def of_cubes(self) -> str:
        """The SQL that adds up the measure over cube rows."""
        return f"sum({self.name})"


def _sum(column: str) -> str:
    return f"coalesce(sum({column}), 0)"


MEASURES: Final = (
    Measure("requests", "count(*)"),
    Measure("errors", "count(*) FILTER (WHERE NOT succeeded)"),
    Measure("executions", "count(*) FILTER (WHERE execution)"),
    Measure("failed_executions", "count(*) FILTER (WHERE execution AND NOT succeeded)"),
    Measure("unpriced", "count(*) FILTER (WHERE cost_nanos IS NULL)", "-count(*)"),
    Measure("count", _sum("count")),
    Measure("prompt_tokens", _sum("prompt_tokens")),
    Measure("completion_tokens", _sum("completion_tokens")),
    Measure("total_tokens", _sum("total_tokens")),
    Measure("cached_prompt_tokens", _sum("cached_prompt_tokens")),
    Measure("cache_write_tokens", _sum("cache_write_tokens")),
    Measure("reasoning_tokens", _sum("reasoning_tokens")),
    Measure("cost_nanos", _sum("cost_nanos"), _sum("cost_nanos")),
    Measure("latency_records", "count(latency_us)"),
    Measure("latency_us", _sum("latency_us")),
)
HISTOGRAM: Final = Measure("latency_histogram", _sum("latency_unit"))
BY_NAME: Final = {measure.name: measure for measure in (*MEASURES, HISTOGRAM)}

LATENCY_UNIT_JOIN: Final = (
    "LEFT JOIN usage_latency_bucket latency ON latency.bucket = "
    f"width_bucket(source.latency_us, '{{{','.join(map(str, EDGES_US))}}}'::bigint[])"
)
"""Joins to each record of ``source`` its place in a histogram, as ``latency.unit``."""
