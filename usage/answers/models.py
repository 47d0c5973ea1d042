"""How models, and capabilities, are written against each other (S4, S5)."""

from collections.abc import Iterable, Sequence
from typing import Any

from core.moments import format_moment
from core.money import format_money
from usage.quantities import average_ms, cost_per_million
from usage.queries.buckets import Buckets
from usage.queries.models import Standing
from usage.queries.rollups import Group


def comparison(name: str, standings: Sequence[Standing], buckets: Buckets) -> dict[str, Any]:
    """Write trends, distribution and leaderboard; ``name`` is the member that names what is compared."""
    requests = sum(standing.total.sums["requests"] for standing in standings)
    return {
        "trends": [
            {name: standing.name or None, "points": list(_points(standing, buckets))}
            for standing in standings
        ],
        "distribution": [
            {
                name: standing.name or None,
                "requests": standing.total.sums["requests"],
                "share": round(standing.total.sums["requests"] / requests, 6),
            }
            for standing in standings
        ],
        "leaderboard": [
            {"rank": rank, name: standing.name or None, **_figures(standing.total)}
            for rank, standing in enumerate(standings, start=1)
        ],
    }


def _points(standing: Standing, buckets: Buckets) -> Iterable[dict[str, Any]]:
    for place in range(buckets.count):
        group = standing.points.get(place)
        sums = {} if group is None else group.sums
        yield {
            "timestamp": format_moment(buckets.start(place)),
            "requests": sums.get("requests", 0),
            "errors": sums.get("errors", 0),
            "tokens": sums.get("total_tokens", 0),
            "cost": format_money(sums.get("cost_nanos", 0)),
        }


def _figures(total: Group) -> dict[str, Any]:
    sums = total.sums
    return {
        "requests": sums["requests"],
        "errors": sums["errors"],
        "promptTokens": sums["prompt_tokens"],
        "completionTokens": sums["completion_tokens"],
        "tokens": sums["total_tokens"],
        "cost": format_money(sums["cost_nanos"]),
        "errorRate": round(sums["errors"] / sums["requests"], 6),
        "averageLatencyMs": average_ms(sums["latency_us"], sums["latency_records"]),
        "costPerMillionTokens": cost_per_million(sums["cost_nanos"], sums["total_tokens"]),
    }
