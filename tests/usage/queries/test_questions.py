"""GET /usage/query against the oracle."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import combinations, product
from random import Random
from typing import Any

import pytest
from django.db import transaction

from organizations.tenancy import system_scope
from tests.usage.queries.calendars import GRANULARITIES, ZONES, all_starts
from tests.usage.queries.dataset import METERS, NOW
from tests.usage.queries.oracle import FACETS, METRICS, PERCENTILES, moment, near
from tests.usage.queries.questions import Asked, Rows, any_question
from tests.usage.queries.world import HOME, SPANS, USED, World
from usage.rollups.rebuild import move_days

BUILT_IN_METERS = ("pages", "processorRuns", "documents", "conversations", "messages", "credits", "quota")
MOST_ROWS = 600_000
END = NOW + timedelta(minutes=5)


def check(world: World, asked: Asked) -> Any:
    """Ask, and compare the whole answer."""
    rows = Rows.of(world, asked)
    if len(rows) > MOST_ROWS:
        refused = world.api.get("/usage/query", **asked.query)
        assert (refused.status, refused.body["code"]) == (400, "too_many_rows"), asked
        return None
    answer = world.ask("/usage/query", asked.query)
    found, expected = answer.pop("rows"), rows.page()
    assert answer == {
        "period": {"from": moment(asked.start), "to": moment(asked.end)},
        "timezone": asked.zone,
        "granularity": asked.granularity,
        "currency": "USD",
        "pagination": {
            "total": len(rows),
            "limit": asked.limit,
            "offset": asked.offset,
            "hasMore": asked.offset + asked.limit < len(rows),
        },
        "historyFrom": moment(world.history_from),
    }, asked
    compare(found, expected, asked)
    return found


def compare(found: list[dict[str, Any]], expected: list[dict[str, Any]], asked: Asked) -> None:
    """Compare rows: to the unit, percentiles as near as promised."""
    estimated = [name for name in asked.metrics if name in PERCENTILES]
    for one, other in zip(found, expected, strict=True):
        for name in estimated:
            assert near(one.pop(name), other.pop(name)), (asked, name, one)
    assert found == expected, asked


def anything(world: World, zone: str, granularity: str, span: str, *salt: object) -> None:
    """Ask a question of these buckets that chance, but always the same, has made up."""
    random = Random(f"{zone} {granularity} {span} {salt}")
    check(world, any_question(world, random, Asked(zone, granularity, NOW - SPANS[span], END)))


@pytest.mark.parametrize("span", SPANS)
@pytest.mark.parametrize("granularity", [*GRANULARITIES, "total"])
@pytest.mark.parametrize("zone", ZONES)
def test_every_timeframe_granularity_and_zone(world: World, zone: str, granularity: str, span: str) -> None:
    anything(world, zone, granularity, span)


@pytest.mark.parametrize("kept_in", ZONES)
def test_in_whatever_zone_the_daily_rollups_are_kept(world: World, kept_in: str) -> None:
    with transaction.atomic():
        move_days(world.tenant.organization, kept_in)
        for zone, granularity in product(ZONES, ("day", "week", "month")):
            anything(world, zone, granularity, "1y", kept_in)
        transaction.set_rollback(True)
    with system_scope():
        world.tenant.organization.refresh_from_db()


@pytest.mark.parametrize("facets", [*combinations(FACETS, 1), *combinations(FACETS, 2)], ids=",".join)
def test_every_grouping_also_those_that_only_the_records_know(world: World, facets: tuple[str, ...]) -> None:
    metrics = ("requests", "errors", "cost", "latency.average", "latency.p95", "credits")
    check(world, Asked(HOME, "day", NOW - SPANS["90d"], END, metrics, facets, limit=1000))


@pytest.mark.parametrize("granularity", ["minute", "hour", "total"])
@pytest.mark.parametrize("facet", FACETS)
def test_every_facet_in_finer_buckets_and_in_all(world: World, facet: str, granularity: str) -> None:
    metrics = ("requests", "tokens", "latency.p50", "own:meter/x-1.y")
    check(world, Asked("UTC", granularity, NOW - SPANS["24h"], END, metrics, (facet,), limit=1000))


def test_every_facet_at_once(world: World) -> None:
    check(world, Asked("UTC", "month", NOW - SPANS["all"], END, ("requests", "tokens"), FACETS, limit=1000))


@pytest.mark.parametrize("facet", FACETS)
def test_a_filter_leaves_what_has_its_value(world: World, facet: str) -> None:
    values = {use.facets[facet] for use in world.uses} - {None}
    for value in values:
        filters = {facet: value or ""}
        asked = Asked(HOME, "total", NOW - SPANS["1y"], END, ("requests", "cost"), (facet,), filters)
        (row,) = check(world, asked)
        assert row[facet] == value


@pytest.mark.parametrize("metric", METRICS)
def test_every_metric_by_day_and_model(world: World, metric: str) -> None:
    span = NOW - SPANS["30d"]
    sort = "timestamp" if metric in PERCENTILES else metric
    check(world, Asked("Asia/Kathmandu", "day", span, END, (metric,), ("model",), sort=sort, limit=1000))


@pytest.mark.parametrize("order", ["asc", "desc"])
@pytest.mark.parametrize("metric", PERCENTILES)
def test_rows_are_sorted_by_the_percentile_that_they_show(world: World, metric: str, order: str) -> None:
    asked = Asked(HOME, "day", NOW - SPANS["30d"], END, (metric,), ("endpoint",), limit=1000)
    rows = Rows.of(world, asked)
    found = world.ask("/usage/query", replace(asked, sort=metric, order=order).query)["rows"]
    measured = [row[metric] for row in found if row[metric] is not None]
    assert measured == sorted(measured, reverse=order == "desc")
    assert [row[metric] for row in found[len(measured) :]] == [None] * (len(rows) - len(measured))
    places = {(row["timestamp"], row["endpoint"]): row for row in rows.page()}
    assert len(found) == len(places)
    compare(found, [dict(places[row["timestamp"], row["endpoint"]]) for row in found], asked)


@pytest.mark.parametrize("sort", ["timestamp", "model", "requests", "latency.average"])
@pytest.mark.parametrize("order", [None, "asc", "desc"])
def test_pages_make_the_whole(world: World, sort: str, order: str | None) -> None:
    metrics = ("requests", "latency.average")
    asked = Asked(
        "Pacific/Apia",
        "day",
        NOW - SPANS["30d"],
        END,
        metrics,
        ("model", "status"),
        {"type": "x"},
        sort,
        order,
    )
    whole = replace(asked, limit=1000)
    count = len(Rows.of(world, asked))
    pages = [check(world, replace(asked, limit=97, offset=offset)) for offset in range(0, count + 97, 97)]
    assert [row for page in pages for row in page] == check(world, whole)
    assert pages[-1] == []


def test_the_windows_default_is_the_last_thirty_days_of_the_zone(world: World) -> None:
    for zone in ZONES:
        starts = all_starts(zone, "day")
        today = bisect_right(starts, NOW) - 1
        asked = Asked(zone, "day", starts[today - 29], starts[today + 1])
        answer = world.ask("/usage/query", {"timezone": zone})
        assert answer["period"] == {"from": moment(asked.start), "to": moment(asked.end)}
        assert answer["rows"] == Rows.of(world, asked).page()


def test_a_plan_shows_its_history_and_says_where_it_begins(world: World) -> None:
    with world.on_plan("pay-as-you-go") as limited:
        answer = limited.ask("/usage/query", {"from": moment(NOW - SPANS["1y"]), "granularity": "total"})
    begins = datetime(2012, 1, 13, 5, tzinfo=UTC)
    to = datetime(2012, 4, 13, 4, tzinfo=UTC)
    assert answer["historyFrom"] == answer["period"]["from"] == moment(begins)
    assert answer["rows"] == Rows.of(world, Asked(HOME, "total", begins, to)).page()


def test_a_meter_is_known_by_its_name_whether_folded_or_pending(world: World) -> None:
    for name in (*METERS[:5], *METERS[6:], "quantities.requests", "documents"):
        check(world, Asked("UTC", "month", NOW - SPANS["1y"], END, (name,), ("capability",), sort=name))


@pytest.mark.parametrize("name", ["speed", "quantities.speed", "timestamp", "model", "", "a b", "x" * 101])
def test_a_metric_that_is_none_is_refused_with_those_there_are(world: World, name: str) -> None:
    refused = world.api.get("/usage/query", metrics=f"requests,{name}")
    assert (refused.status, refused.errors[0]["pointer"]) == (400, "/metrics")
    assert refused.body["detail"] == (
        f"Invalid metrics: {name[:100]!r}; accepted: {', '.join([*METRICS, *BUILT_IN_METERS])}, "
        "own:meter/x-1.y, requests."
    )


@pytest.mark.parametrize("order", ["asc", "desc"])
def test_rows_sorted_by_credential_go_by_the_client_id(world: World, order: str) -> None:
    query = {"groupBy": "clientId", "granularity": "total", "from": moment(NOW - SPANS["1y"])}
    rows = world.ask("/usage/query", {**query, "sort": "clientId", "order": order})["rows"]
    shown = [row["clientId"] for row in rows]
    assert len(shown) == USED
    assert shown == sorted(shown, reverse=order == "desc")
