"""GET /usage/models and GET /usage/capabilities against the oracle."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from fractions import Fraction
from itertools import product
from random import Random
from typing import Any

import pytest

from tests.usage.queries.calendars import ZONES, bucket_starts
from tests.usage.queries.dataset import NOW
from tests.usage.queries.oracle import Tally, by_bucket, metric, moment, money, tally, within
from tests.usage.queries.world import HOME, SPANS, World

MOST_POINTS = 600_000
# Minutes of a year and hours of all time are many points to write; that they are right is for /usage/query.
CHARTS = [
    *product(("minute",), ("1h", "24h")),
    *product(("hour",), ("1h", "24h", "7d", "30d")),
    *product(("day", "week", "month"), SPANS),
]
PATHS = {"model": "/usage/models", "capability": "/usage/capabilities"}


def points_of(group: Tally) -> dict[str, Any]:
    sums = group.sums
    return {
        "requests": sums["requests"],
        "errors": sums["errors"],
        "tokens": sums["total_tokens"],
        "cost": money(sums["cost_nanos"]),
    }


def check(
    world: World, facet: str, zone: str, granularity: str, start: datetime, end: datetime, **filters: str
) -> None:
    """Ask, and compare the whole answer."""
    uses = within(world.uses, start, end, filters)
    names = {use.facets[facet] for use in uses}
    totals = {name: tally(within(uses, start, end, {facet: name})) for name in names}
    ranked = sorted(totals, key=lambda name: (-totals[name].sums["requests"], name or ""))
    starts = bucket_starts(zone, granularity, start, end)
    window = {"from": moment(start), "to": moment(end)}
    query = {**window, "timezone": zone, "granularity": granularity, **filters}
    if len(starts) * len(names) > MOST_POINTS:
        refused = world.api.call("GET", PATHS[facet], query=query)
        assert (refused.status, refused.body["code"]) == (400, "too_many_rows")
        return
    cells = by_bucket(uses, starts, (facet,))
    answer = world.ask(PATHS[facet], query)
    trends = answer.pop("trends")
    assert [trend[facet] for trend in trends] == ranked
    for trend in trends:
        where = [(place, (trend[facet],)) for place in range(len(starts))]
        assert trend["points"] == [
            {"timestamp": moment(starts[place]), **points_of(cells.get((place, key)) or Tally())}
            for place, key in where
        ]
    assert answer == {
        "period": window,
        "currency": "USD",
        "distribution": [
            {
                facet: name,
                "requests": totals[name].sums["requests"],
                "share": round(float(Fraction(totals[name].sums["requests"], len(uses))), 6),
            }
            for name in ranked
        ],
        "leaderboard": [
            {"rank": rank, facet: name, **standing(totals[name])} for rank, name in enumerate(ranked, start=1)
        ],
        "historyFrom": moment(world.history_from),
    }


def standing(group: Tally) -> Mapping[str, Any]:
    return {
        **points_of(group),
        "promptTokens": group.sums["prompt_tokens"],
        "completionTokens": group.sums["completion_tokens"],
        "errorRate": group.error_rate,
        "averageLatencyMs": group.average_ms,
        "costPerMillionTokens": metric(group, "costPerMillionTokens"),
    }


@pytest.mark.parametrize(("granularity", "span"), CHARTS)
@pytest.mark.parametrize("zone", ZONES)
def test_every_chart_in_every_zone(world: World, zone: str, granularity: str, span: str) -> None:
    random = Random(f"{zone} {granularity} {span}")
    filters = random.choice(({}, {"clientId": world.keys[1].client_id}))
    for facet in PATHS:
        check(world, facet, zone, granularity, NOW - SPANS[span], NOW + timedelta(minutes=5), **filters)


@pytest.mark.parametrize("facet", PATHS)
def test_a_key_without_use_compares_nothing(world: World, facet: str) -> None:
    start, end = NOW - SPANS["30d"], NOW
    check(world, facet, HOME, "day", start, end, clientId=world.keys[5].client_id)


@pytest.mark.parametrize("facet", PATHS)
def test_more_points_than_can_be_written_are_refused(world: World, facet: str) -> None:
    check(world, facet, HOME, "minute", NOW - SPANS["1y"], NOW)


@pytest.mark.parametrize("facet", PATHS)
def test_trends_are_of_the_last_thirty_days_unless_told_otherwise(world: World, facet: str) -> None:
    trends = world.ask(PATHS[facet])["trends"]
    starts = bucket_starts(HOME, "day", NOW - timedelta(days=29), NOW)
    assert all([point["timestamp"] for point in t["points"]] == list(map(moment, starts)) for t in trends)
