"""GET /usage/keys against the oracle."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from random import Random
from typing import Any

import pytest

from tests.usage.queries.calendars import GRANULARITIES, ZONES, bucket_starts, next_start
from tests.usage.queries.dataset import NOW
from tests.usage.queries.oracle import (
    Tally,
    Use,
    by_bucket,
    moment,
    money,
    near,
    tally,
    within,
)
from tests.usage.queries.world import HOME, SPANS, Key, World

RANKS = {"p50": 0.5, "p95": 0.95, "p99": 0.99}
SORTS = ("requests", "errors", "latency", "timestamp")
MOST_POINTS = 600_000


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked of the endpoint."""

    timeframe: str = "24h"
    granularity: str = "hour"
    zone: str = HOME
    key: Key | None = None
    sort: str = "requests"
    order: str = "desc"
    limit: int = 100
    offset: int = 0
    endpoints: bool = True
    errors: bool = True
    latency: bool = True
    peak: bool = False

    @property
    def query(self) -> dict[str, Any]:
        """The parameters."""
        named = {
            "timeframe": self.timeframe,
            "granularity": self.granularity,
            "timezone": self.zone,
            "sortBy": self.sort,
            "order": self.order,
            "limit": self.limit,
            "offset": self.offset,
            "includeEndpoints": str(self.endpoints).lower(),
            "includeErrors": str(self.errors).lower(),
            "includeLatency": str(self.latency).lower(),
            "includePeak": str(self.peak).lower(),
        }
        return named if self.key is None else {**named, "keyId": self.key.client_id}

    def page(self, rows: Sequence[Any]) -> Sequence[Any]:
        """Return the part that is on the page."""
        return rows[self.offset : self.offset + self.limit]


@dataclass(frozen=True, slots=True)
class Seen:
    """What an answer is made of."""

    world: World
    asked: Asked
    uses: Sequence[Use]
    start: datetime
    end: datetime

    @classmethod
    def of(cls, world: World, asked: Asked) -> Seen:
        """Return the records of the timeframe."""
        first = min(use.at for use in world.uses).replace(second=0, microsecond=0)
        start = first if asked.timeframe == "all" else NOW - SPANS[asked.timeframe]
        end = next_start(asked.zone, asked.granularity, NOW)
        filters = {} if asked.key is None else {"clientId": asked.key.client_id}
        return cls(world, asked, within(world.uses, start, end, filters), start, end)

    @property
    def keys(self) -> list[Key]:
        """The credentials that are asked for, by name."""
        asked = self.asked.key
        return [asked] if asked else sorted(self.world.keys, key=lambda key: (key.name, key.created_at))

    def figures(self, uses: Iterable[Use]) -> dict[str, Any]:
        """Return the figures of some records, percentiles exactly."""
        group = tally(uses)
        return {**_counts(group), "latency": _latency(group) if self.asked.latency else None}

    def by_key(self) -> list[dict[str, Any]]:
        """Return the use of each key that has any or isn't revoked, the busiest first."""
        rows = []
        for key in self.keys:
            uses = [use for use in self.uses if use.client == key.client_id]
            if uses or key.revoked_at is None:
                ever = [use.at for use in self.world.uses if use.client == key.client_id]
                rows.append(
                    {
                        "keyId": key.client_id,
                        "name": key.name,
                        "environment": "production",
                        **self.figures(uses),
                        "peakRpm": _peak(uses) if self.asked.peak else None,
                        "lastUsedAt": moment(max(ever)) if ever else None,
                        "revokedAt": moment(key.revoked_at) if key.revoked_at else None,
                    }
                )
        return sorted(rows, key=lambda row: -row["requests"])

    def starts(self) -> Sequence[datetime]:
        """Return where the points of the series begin; a key without use has none."""
        return (
            bucket_starts(self.asked.zone, self.asked.granularity, self.start, self.end) if self.uses else []
        )

    def series(self) -> list[dict[str, Any]]:
        """Return the points that are shown."""
        starts = self.starts()
        places: Sequence[int] = range(len(starts))
        if self.asked.sort == "timestamp":
            places = self.asked.page(places[::-1] if self.asked.order == "desc" else places)
        cells = by_bucket(self.uses, starts, ()) if starts else {}
        return [_point(starts[place], cells.get((place, ())) or Tally()) for place in places]

    def endpoints(self) -> list[dict[str, Any]]:
        """Return the use of every endpoint, in the order asked for."""
        asked, rows = self.asked, []
        for endpoint in sorted({use.facets["endpoint"] for use in self.uses}, key=lambda name: name or ""):
            group = tally(within(self.uses, self.start, self.end, {"endpoint": endpoint}))
            shown = _latency(group) if asked.latency else dict.fromkeys(("average", *RANKS))
            rows.append(
                (
                    _order(group, asked.sort),
                    {
                        "endpoint": endpoint,
                        **_counts(group),
                        **{f"{name}LatencyMs": value for name, value in shown.items()},
                    },
                )
            )
        known = [row for row in rows if row[0] is not None]
        known.sort(key=lambda row: row[0] or 0, reverse=asked.order == "desc" or asked.sort == "timestamp")
        return [row for _, row in known] + [row for rank, row in rows if rank is None]

    def errors(self) -> dict[str, Any]:
        """Return the errors by what they were, in no order."""
        failed = [use for use in self.uses if use.facets["status"] == "error"]

        def count(facet: str) -> dict[str, int]:
            return dict(Counter(str(use.facets[facet] or "unknown") for use in failed))

        return {
            "total": len(failed),
            "byStatusCode": count("statusCode"),
            "byType": count("errorType"),
            "byEndpoint": count("endpoint"),
        }


def _counts(group: Tally) -> dict[str, Any]:
    return {
        "requests": group.sums["requests"],
        "errors": group.sums["errors"],
        "errorRate": group.error_rate or 0.0,
        "tokens": group.sums["total_tokens"],
        "cost": money(group.sums["cost_nanos"]),
    }


def _peak(uses: Iterable[Use]) -> int:
    minutes: dict[datetime, list[Use]] = {}
    for use in uses:
        minutes.setdefault(use.at.replace(second=0, microsecond=0), []).append(use)
    return max((tally(each).sums["requests"] for each in minutes.values()), default=0)


def _latency(group: Tally) -> dict[str, float | None]:
    return {"average": group.average_ms, **{name: group.percentile_ms(rank) for name, rank in RANKS.items()}}


def _point(start: datetime, group: Tally) -> dict[str, Any]:
    counts = _counts(group)
    del counts["errorRate"]
    return {"timestamp": moment(start), **counts, "averageLatencyMs": group.average_ms}


def _order(group: Tally, sort: str) -> float | None:
    if sort == "latency":
        return sum(group.latencies_us) / len(group.latencies_us) if group.latencies_us else None
    return group.sums["errors" if sort == "errors" else "requests"]


def compare(found: Any, exact: Any) -> None:
    """Compare two answers: to the unit, percentiles as near as promised."""
    if isinstance(exact, Mapping):
        assert found.keys() == exact.keys()
        for name, value in exact.items():
            if name.removesuffix("LatencyMs") in RANKS:
                assert near(found[name], value), (name, found, exact)
            else:
                compare(found[name], value)
    elif isinstance(exact, list):
        assert len(found) == len(exact)
        for one, other in zip(found, exact, strict=True):
            compare(one, other)
    else:
        assert found == exact


def check(world: World, asked: Asked) -> Any:
    """Ask, and compare the whole answer, but for what isn't about records."""
    seen = Seen.of(world, asked)
    count = len(seen.starts())
    if count > MOST_POINTS and asked.sort != "timestamp":
        refused = world.api.call("GET", "/usage/keys", query=asked.query)
        assert (refused.status, refused.body["code"]) == (400, "too_many_rows")
        return None
    answer = world.ask("/usage/keys", asked.query)
    ranked, by_time = seen.endpoints(), asked.sort == "timestamp"
    shown = ranked if by_time else list(asked.page(ranked))
    total = count if by_time else len(ranked)
    errors = answer["errors"]
    if errors is not None:
        for name in ("byStatusCode", "byType", "byEndpoint"):
            numbers = list(errors[name].items())
            assert numbers == sorted(numbers, key=lambda item: (-item[1], item[0]))
    compare(
        {name: value for name, value in answer.items() if name not in ("rateLimits", "alerts")},
        {
            "success": True,
            "usage": {**seen.figures(seen.uses), "currency": "USD", "keys": seen.by_key()},
            "timeSeries": seen.series(),
            "endpoints": shown if asked.endpoints else None,
            "errors": seen.errors() if asked.errors else None,
            "pagination": {
                "total": total,
                "limit": asked.limit,
                "offset": asked.offset,
                "hasMore": asked.offset + asked.limit < total,
            },
            "period": {"from": moment(seen.start), "to": moment(seen.end)},
            "historyFrom": moment(world.history_from),
            "timestamp": moment(NOW),
        },
    )
    return answer


@pytest.mark.parametrize("timeframe", SPANS)
@pytest.mark.parametrize("granularity", GRANULARITIES)
@pytest.mark.parametrize("zone", ZONES)
def test_every_timeframe_granularity_and_zone(
    world: World, zone: str, granularity: str, timeframe: str
) -> None:
    random = Random(f"{zone} {granularity} {timeframe}")
    long = granularity == "minute" and timeframe not in ("1h", "24h", "7d")
    asked = Asked(
        timeframe,
        granularity,
        zone,
        key=random.choice((None, None, *world.keys)),
        # A year has half a million minutes; by time they come in pages.
        sort="timestamp" if long else random.choice(SORTS),
        order=random.choice(("asc", "desc")),
        limit=random.choice((2, 3, 100, 1000)),
        offset=random.choice((0, 0, 1, 50)),
        endpoints=random.random() < 0.8,
        errors=random.random() < 0.8,
        latency=random.random() < 0.8,
        peak=random.random() < 0.5,
    )
    check(world, asked)


@pytest.mark.parametrize("order", ["asc", "desc"])
@pytest.mark.parametrize("sort", SORTS)
def test_every_order_pages_endpoints_or_the_series(world: World, sort: str, order: str) -> None:
    whole = check(world, Asked("30d", "day", sort=sort, order=order))
    pages = [
        check(world, Asked("30d", "day", sort=sort, order=order, limit=4, offset=offset))
        for offset in range(0, 36, 4)
    ]
    paged, other = ("timeSeries", "endpoints") if sort == "timestamp" else ("endpoints", "timeSeries")
    assert [row for page in pages for row in page[paged]] == whole[paged]
    assert all(page[other] == whole[other] for page in pages)


@pytest.mark.parametrize("place", range(7))
def test_each_key_by_itself(world: World, place: int) -> None:
    answer = check(world, Asked("7d", "hour", key=world.keys[place], peak=True))
    assert [key["keyId"] for key in answer["usage"]["keys"]] == (
        [] if place == 4 else [world.keys[place].client_id]
    )


def test_the_defaults_are_a_day_by_the_hour_in_the_organizations_zone(world: World) -> None:
    answer, spelt = world.ask("/usage/keys"), check(world, Asked())
    assert {**answer, "rateLimits": None} == {**spelt, "rateLimits": None}
    assert [limit["keyId"] for limit in answer["rateLimits"]] == [
        key.client_id for key in Seen.of(world, Asked()).keys if key.revoked_at is None
    ]


def test_minutes_of_all_time_come_in_pages_by_time(world: World) -> None:
    check(world, Asked("all", "minute", "UTC", sort="timestamp", order="asc", limit=1000))
    check(world, Asked("all", "minute", "UTC"))


def test_a_plan_shows_its_history_alone(world: World) -> None:
    start = datetime.fromisoformat("2012-01-13T05:00:00Z")
    with world.on_plan("pay-as-you-go") as limited:
        for timeframe in ("1y", "all"):
            answer = limited.ask("/usage/keys", {"timeframe": timeframe, "granularity": "month"})
            assert answer["period"]["from"] == answer["historyFrom"] == moment(start)
            assert answer["usage"]["requests"] == len([use for use in world.uses if use.at >= start])
