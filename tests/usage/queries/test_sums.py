"""A window's use is that of its parts, and of its groups: however it is split, whatever it is grouped by."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any, Final

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.money import parse_money
from core.periods import Period
from organizations.tenancy import tenant_scope
from tests.usage.queries import dataset
from tests.usage.queries.calendars import ZONES, all_starts
from tests.usage.queries.dataset import METERS, NOW
from tests.usage.queries.oracle import FACETS, METRICS, PERCENTILES, RATIOS, moment
from tests.usage.queries.world import World
from usage.queries import keys as use
from usage.queries.rollups import Group
from usage.queries.totals import Subject

SPAN: Final = timedelta(days=420)
ADDED: Final = tuple(name for name in METRICS if name not in PERCENTILES and name not in RATIOS)
"""The metrics of which a whole is the sum of its parts."""
TICK: Final = timedelta(microseconds=1)

examples = settings(max_examples=30, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))

odd = st.integers(0, SPAN // TICK).map(lambda number: NOW - SPAN + number * TICK)
records = st.sampled_from(sorted(dataset._edges())).filter(lambda edge: NOW - SPAN <= edge < NOW)
local = st.sampled_from(ZONES).flatmap(
    lambda zone: st.sampled_from([each for each in all_starts(zone, "day") if NOW - SPAN <= each < NOW])
)
steps = st.sampled_from([TICK * 0, TICK, -TICK, timedelta(minutes=7, seconds=30)])
moments = odd | st.builds(lambda edge, step: edge + step, records | local, steps)
splits = st.lists(moments, min_size=2, max_size=5, unique=True).map(sorted)
zones = st.sampled_from(ZONES)
facets = st.lists(st.sampled_from(FACETS), max_size=4, unique=True)


def parts(bounds: Sequence[datetime]) -> list[dict[str, str]]:
    """Return the windows between moments, as parameters."""
    return [{"from": moment(start), "to": moment(end)} for start, end in pairwise(bounds)]


def numbers(row: dict[str, Any], names: Iterable[str]) -> dict[str, Decimal]:
    """Return what is in a row as exact numbers."""
    return {name: Decimal(str(row[name])) for name in names}


def added(rows: Iterable[dict[str, Decimal]], names: Iterable[str]) -> dict[str, Decimal]:
    """Return the sums of rows."""
    total = dict.fromkeys(names, Decimal(0))
    for row in rows:
        for name, number in row.items():
            total[name] = total.get(name, Decimal(0)) + number
    return total


def flat(answer: Any) -> dict[str, Decimal]:
    """Return what adds up of `/usage`, by its path in the answer."""
    found = {
        **{f"requests.{name}": answer["requests"][name] for name in ("total", "succeeded", "failed")},
        **{f"tokens.{name}": number for name, number in answer["tokens"].items()},
        **{f"executions.{name}": number for name, number in answer["executions"].items()},
        **{f"quantities.{name}": amount for name, amount in answer["quantities"].items()},
        **{name: answer[name] for name in ("conversations", "messages", "pages", "cost", "unpricedRecords")},
    }
    return {name: Decimal(str(number)) for name, number in found.items()}


@examples
@given(bounds=splits)
def test_the_totals_of_a_window_are_those_of_its_parts(world: World, bounds: list[datetime]) -> None:
    (whole,) = (flat(world.ask("/usage", window)) for window in parts([bounds[0], bounds[-1]]))
    pieces = [flat(world.ask("/usage", window)) for window in parts(bounds)]
    assert added(pieces, whole) == whole


@examples
@given(
    bounds=splits, zone=zones, chosen=facets, granularity=st.sampled_from(["total", "month", "week", "day"])
)
def test_metrics_of_a_window_are_those_of_its_parts_groups_and_buckets(
    world: World, bounds: list[datetime], zone: str, chosen: list[str], granularity: str
) -> None:
    names = (*ADDED, *METERS[:3])
    asked = {"metrics": ",".join(names), "timezone": zone, "granularity": "total"}
    (window,) = parts([bounds[0], bounds[-1]])
    (row,) = world.ask("/usage/query", {**asked, **window})["rows"]
    whole = numbers(row, names)
    grouped = (
        {"groupBy": ",".join(chosen), "granularity": granularity} if chosen else {"granularity": granularity}
    )
    assert (
        added((numbers(r, names) for r in every_row(world, {**asked, **window, **grouped})), names) == whole
    )
    pieces = [
        numbers(row, names)
        for part in parts(bounds)
        for row in every_row(world, {**asked, **part, **({"groupBy": grouped["groupBy"]} if chosen else {})})
    ]
    assert added(pieces, names) == whole


def every_row(world: World, query: dict[str, str]) -> Iterable[dict[str, Any]]:
    """Yield the rows of all pages."""
    offset = 0
    while True:
        answer = world.ask("/usage/query", {**query, "limit": "1000", "offset": str(offset)})
        yield from answer["rows"]
        if not answer["pagination"]["hasMore"]:
            return
        offset += 1000


@examples
@given(bounds=splits, zone=zones)
def test_the_use_of_keys_is_that_of_their_parts_and_endpoints(
    world: World, bounds: list[datetime], zone: str
) -> None:
    subject = Subject(world.tenant.id, zone)
    with tenant_scope(world.tenant.id):
        whole = Period(bounds[0], bounds[-1])
        pieces = [Period(*pair) for pair in pairwise(bounds)]
        by_key = use.by_key(subject, whole, latency=True)
        total = sums(by_key.values())
        assert sums(g for piece in pieces for g in use.by_key(subject, piece, latency=True).values()) == total
        assert sums(use.by_endpoint(subject, whole, latency=True)) == total
        for key, group in by_key.items():
            of_key = Subject(world.tenant.id, zone, key)
            assert sums(g for piece in pieces for g in use.by_endpoint(of_key, piece, latency=True)) == sums(
                [group]
            )
        assert sum(use.errors(subject, piece).total for piece in pieces) == use.errors(subject, whole).total
        assert use.errors(subject, whole).total == total.get("errors", 0)


def sums(groups: Iterable[Group]) -> dict[str, int]:
    """Return the sums of groups; a histogram's columns add up as its one number does."""
    total: dict[str, int] = {}
    for group in groups:
        for name, number in group.sums.items():
            total[name] = total.get(name, 0) + number
    return total


def test_money_adds_up_by_the_nano(world: World) -> None:
    rows = every_row(world, {"metrics": "cost", "groupBy": "model,clientId", "granularity": "day"})
    (whole,) = world.ask("/usage/query", {"metrics": "cost", "granularity": "total"})["rows"]
    assert sum(parse_money(row["cost"]) for row in rows) == parse_money(whole["cost"]) > 0
