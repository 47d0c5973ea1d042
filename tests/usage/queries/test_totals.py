"""GET /usage and GET /usage/series against the oracle."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from fractions import Fraction
from random import Random
from typing import Any

import pytest

from tests.usage.queries.calendars import ZONES, all_starts, bucket_starts
from tests.usage.queries.dataset import NOW
from tests.usage.queries.oracle import Use, moment, money, quantity, quotient, tally, within
from tests.usage.queries.world import HOME, SPANS, World

MICROSECOND = timedelta(microseconds=1)
NAMED = ("conversations", "messages", "pages", "processorRuns", "documents", "quota", "credits")


def expected(world: World, start: datetime, end: datetime, client: str | None = None) -> dict[str, Any]:
    """Return the whole answer for a window."""
    filters = {} if client is None else {"clientId": client}
    group = tally(within(world.uses, start, end, filters))
    sums, meters = group.sums, {name: quantity(group.meters[name]) for name in NAMED}
    passed = max(min(end, NOW) - start, timedelta())
    return {
        "period": {"from": moment(start), "to": moment(end)},
        "requests": {
            "total": sums["requests"],
            "succeeded": sums["requests"] - sums["errors"],
            "failed": sums["errors"],
            "successRate": quotient(sums["requests"] - sums["errors"], sums["requests"], 6),
        },
        "tokens": {
            "prompt": sums["prompt_tokens"],
            "completion": sums["completion_tokens"],
            "total": sums["total_tokens"],
            "cachedPrompt": sums["cached_prompt_tokens"],
            "cacheWrite": sums["cache_write_tokens"],
            "reasoning": sums["reasoning_tokens"],
        },
        **{name: meters[name] for name in NAMED[:5]},
        "executions": {
            "completed": sums["executions"] - sums["failed_executions"],
            "failed": sums["failed_executions"],
        },
        "quota": {"consumed": meters["quota"], "granted": None, "remaining": None},
        "credits": {"consumed": meters["credits"], "granted": None, "remaining": None},
        "cost": money(sums["cost_nanos"]),
        "currency": "USD",
        "unpricedRecords": sums["unpriced"],
        "averageRpm": per_minute(sums["requests"], passed),
        "averageTpm": per_minute(sums["total_tokens"], passed),
        "peakMinute": None,
        "averageLatencyMs": group.average_ms,
        "quantities": every_meter(within(world.uses, start, end, filters)),
        "historyFrom": moment(world.history_from),
    }


def per_minute(number: int, passed: timedelta) -> float:
    return round(float(Fraction(number * 60_000_000, passed // MICROSECOND)), 4) if passed else 0.0


def every_meter(uses: list[Use]) -> dict[str, Any]:
    """Return the meters that any record has, zeros too, by name."""
    group = tally(uses)
    return {
        name: quantity(group.meters[name]) for name in sorted({name for use in uses for name in use.meters})
    }


def month_of(zone: str) -> tuple[datetime, datetime]:
    """Return the billing period that holds now, by the calendar of a zone."""
    (start,) = bucket_starts(zone, "month", NOW, NOW + MICROSECOND)
    return start, next(after for after in all_starts(zone, "month") if after > start)


@pytest.mark.parametrize("span", SPANS)
@pytest.mark.parametrize("used_by", [None, 0, 2, 5])
def test_totals_of_every_timeframe(world: World, span: str, used_by: int | None) -> None:
    start, end = NOW - SPANS[span], NOW + timedelta(minutes=5)
    client = None if used_by is None else world.keys[used_by].client_id
    query = {"from": moment(start), "to": moment(end)} | ({} if client is None else {"clientId": client})
    assert world.ask("/usage", query) == expected(world, start, end, client)


def peak(uses: list[Use]) -> dict[str, Any] | None:
    """Return the busiest minutes, the earliest of equals."""
    minutes: dict[datetime, list[Use]] = {}
    for use in sorted(uses, key=lambda use: use.at):
        minutes.setdefault(use.at.replace(second=0, microsecond=0), []).append(use)
    if not minutes:
        return None
    tallies = [(start, tally(each).sums) for start, each in minutes.items()]
    found = {}
    for name, measure in (("requests", "requests"), ("tokens", "total_tokens")):
        start, sums = max(tallies, key=lambda minute, of=measure: minute[1][of])  # type: ignore[misc]
        found[name] = {"timestamp": moment(start), "total": sums[measure]}
    return found


@pytest.mark.parametrize("seed", range(20))
def test_the_busiest_minute_between_any_two_moments(world: World, seed: int) -> None:
    random = Random(seed)
    bounds = [random.choice(world.uses).at + random.choice((-1, 0, 1)) * MICROSECOND for _ in range(2)]
    start, end = min(bounds), max(bounds) + MICROSECOND
    client = random.choice((None, world.keys[1].client_id))
    query = {"from": moment(start), "to": moment(end), "includePeak": "true"}
    answer = world.ask("/usage", query | ({} if client is None else {"clientId": client}))
    found = within(world.uses, start, end, {} if client is None else {"clientId": client})
    assert answer == {**expected(world, start, end, client), "peakMinute": peak(found)}


@pytest.mark.parametrize("zone", ZONES)
def test_totals_of_the_billing_period_of_a_zone(world: World, zone: str) -> None:
    assert world.ask("/usage", {"timezone": zone}) == expected(world, *month_of(zone))


def test_without_a_zone_the_billing_period_is_the_organizations(world: World) -> None:
    assert world.ask("/usage") == expected(world, *month_of(HOME))


@pytest.mark.parametrize("seed", range(40))
def test_totals_between_any_two_moments(world: World, seed: int) -> None:
    random = Random(seed)
    # Bounds are half-open to the microsecond: those that a record has are the ones to get wrong.
    bounds = [random.choice(world.uses).at + random.choice((-1, 0, 1)) * MICROSECOND for _ in range(2)]
    start, end = min(bounds), max(bounds) + MICROSECOND
    client = random.choice((None, world.keys[1].client_id))
    query = {"from": moment(start), "to": milliseconds(end) if end.microsecond % 1000 == 0 else moment(end)}
    answer = world.ask("/usage", query | ({} if client is None else {"clientId": client}))
    assert answer == expected(world, start, end, client)


def test_a_window_that_lies_ahead_is_empty(world: World) -> None:
    start = NOW + timedelta(days=1)
    query = {"from": moment(start), "to": moment(start + timedelta(days=1))}
    answer = world.ask("/usage", query)
    assert answer == expected(world, start, start + timedelta(days=1))
    assert (answer["requests"]["total"], answer["averageRpm"], answer["quantities"]) == (0, 0.0, {})


@pytest.mark.parametrize("days", [1, 2, 89, 90])
@pytest.mark.parametrize("used_by", [None, 1, 5])
def test_the_daily_series_is_of_utc_days(world: World, days: int, used_by: int | None) -> None:
    client = None if used_by is None else world.keys[used_by].client_id
    today = NOW.replace(hour=0, minute=0, second=0, microsecond=0)
    answer = world.ask("/usage/series", {"days": days} | ({} if client is None else {"clientId": client}))
    expected: dict[str, list[dict[str, Any]]] = {"tokens": [], "conversations": [], "messages": []}
    for back in range(days - 1, -1, -1):
        start = today - timedelta(days=back)
        filters = {} if client is None else {"clientId": client}
        group = tally(within(world.uses, start, start + timedelta(days=1), filters))
        totals = {"tokens": group.sums["total_tokens"]} | {
            name: quantity(group.meters[name]) for name in ("conversations", "messages")
        }
        for name, points in expected.items():
            points.append({"timestamp": int(milliseconds(start)), "total": totals[name]})
    assert answer == expected


def milliseconds(value: datetime) -> str:
    return str((value - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1))
