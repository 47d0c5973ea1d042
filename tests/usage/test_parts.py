"""Cutting windows: the parts join without gap or overlap, each on the grid of its source."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

from hypothesis import given
from hypothesis import strategies as st

from core.periods import Period, day_bounds
from usage.queries.parts import Part, Source, cut, floor_to

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
ALL = frozenset(Source)
QUARTER = timedelta(minutes=15)
MINUTE = timedelta(minutes=1)
ZONES = sorted(
    name
    for name in available_timezones()
    if "/" in name and not name.startswith(("posix/", "right/", "Etc/", "SystemV/"))
)

zones = st.sampled_from(
    ["UTC", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe", "Africa/Casablanca", "Africa/Cairo"]
) | st.sampled_from(ZONES)
moments = st.builds(
    lambda days, grid, steps, extra: (
        datetime(2017, 1, 1, tzinfo=UTC) + timedelta(days=days) + grid * steps + timedelta(microseconds=extra)
    ),
    st.integers(0, 20 * 365),
    st.sampled_from([timedelta(hours=1), QUARTER, MINUTE, timedelta(seconds=1)]),
    st.integers(0, 96),
    st.sampled_from([0, 0, 0, 1, -1, 500_000]),
)
spans = st.sampled_from([timedelta(microseconds=1), MINUTE, QUARTER, timedelta(days=1)]).flatmap(
    lambda unit: st.integers(1, 200).map(lambda number: unit * number)
)
known = st.sets(st.sampled_from(sorted(ALL, key=lambda source: source.value))).map(frozenset)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def on_grid(part: Part, tz: ZoneInfo) -> bool:
    match part.source:
        case Source.DAYS:
            # A day begins where the local date becomes another one.
            return all(
                bound.astimezone(tz).date() > (bound - timedelta(seconds=1)).astimezone(tz).date()
                for bound in (part.start, part.end)
            )
        case Source.QUARTERS:
            return not any((bound - EPOCH) % QUARTER for bound in (part.start, part.end))
        case Source.MINUTES:
            return not any((bound - EPOCH) % MINUTE for bound in (part.start, part.end))
        case Source.RECORDS:
            return True


@given(moments, spans, st.lists(moments, max_size=3), zones, known)
def test_parts_cover_a_window_exactly_and_lie_on_the_grids_of_their_sources(
    start: datetime, span: timedelta, inner: list[datetime], zone: str, sources: frozenset[Source]
) -> None:
    tz = ZoneInfo(zone)
    starts = sorted(moment for moment in inner if start < moment < start + span)
    parts = cut(Period(start, start + span), starts, tz, sources)
    assert (parts[0].start, parts[-1].end) == (start, start + span)
    assert all(before.end == after.start for before, after in pairwise(parts))
    assert all(part.start < part.end and on_grid(part, tz) for part in parts)
    assert {part.source for part in parts} <= sources | {Source.RECORDS}
    for part in parts:
        # No bucket of the series begins inside of a bucket of the source.
        assert part.source is Source.RECORDS or all(
            floor_to(part.source, each, tz) == each for each in starts
        )


@given(moments, spans, zones)
def test_finer_sources_stand_around_coarser_ones(start: datetime, span: timedelta, zone: str) -> None:
    parts = cut(Period(start, start + span), (), ZoneInfo(zone), ALL)
    order = [list(Source).index(part.source) for part in parts]
    coarsest = order.index(min(order))
    assert order[: coarsest + 1] == sorted(order[: coarsest + 1], reverse=True)
    assert order[coarsest:] == sorted(order[coarsest:])
    assert len(set(order[: coarsest + 1])) == coarsest + 1
    records = [part.end - part.start for part in parts if part.source is Source.RECORDS]
    assert all(length < MINUTE for length in records) or len(parts) == 1


def test_a_window_at_odd_microseconds_is_cut_into_days_and_ever_finer_edges() -> None:
    window = Period(at("2026-07-10T07:50:30.000001"), at("2026-07-12T12:16:00.5"))
    assert cut(window, (), ZoneInfo("UTC"), ALL) == [
        Part(Source.RECORDS, window.start, at("2026-07-10T07:51")),
        Part(Source.MINUTES, at("2026-07-10T07:51"), at("2026-07-10T08:00")),
        Part(Source.QUARTERS, at("2026-07-10T08:00"), at("2026-07-11T00:00")),
        Part(Source.DAYS, at("2026-07-11T00:00"), at("2026-07-12T00:00")),
        Part(Source.QUARTERS, at("2026-07-12T00:00"), at("2026-07-12T12:15")),
        Part(Source.MINUTES, at("2026-07-12T12:15"), at("2026-07-12T12:16")),
        Part(Source.RECORDS, at("2026-07-12T12:16"), window.end),
    ]


def test_days_of_another_zone_than_the_cubes_are_made_of_quarter_hours() -> None:
    window = Period(at("2026-07-10T00:00"), at("2026-07-13T00:00"))
    midnights = [at("2026-07-11T00:00"), at("2026-07-12T00:00")]
    assert cut(window, midnights, ZoneInfo("Asia/Kathmandu"), ALL) == [
        Part(Source.QUARTERS, window.start, window.end)
    ]
    assert cut(window, midnights, ZoneInfo("UTC"), ALL) == [Part(Source.DAYS, window.start, window.end)]


def test_a_skipped_day_is_no_part_of_anything() -> None:
    window = Period(at("2011-12-29T10:00"), at("2011-12-31T10:00"))
    assert cut(window, (), ZoneInfo("Pacific/Apia"), ALL) == [Part(Source.DAYS, window.start, window.end)]


def test_an_empty_window_has_no_parts() -> None:
    moment = at("2026-07-10T00:00")
    assert cut(Period(moment, moment), (), ZoneInfo("UTC"), ALL) == []


def test_every_day_that_a_history_can_hold_begins_on_a_quarter_hour() -> None:
    # What is pending counts for the one stretch that cubes answer: no edge may lie between two of them.
    starts = {(name, start) for name in ZONES for start in days_around_changes(ZoneInfo(name))}
    assert len(starts) > 10_000
    odd = [
        (name, start) for name, start in starts if floor_to(Source.QUARTERS, start, ZoneInfo(name)) != start
    ]
    assert odd == []


def days_around_changes(tz: ZoneInfo) -> Iterator[datetime]:
    """Yield where days begin in the weeks in which the offset changes; all others are like the one before."""
    noon = datetime(2016, 1, 1, 12, tzinfo=UTC)
    offset = None
    while noon.year < 2038:
        if noon.astimezone(tz).utcoffset() != offset:
            offset = noon.astimezone(tz).utcoffset()
            for days in range(8):
                yield day_bounds(noon.date() - timedelta(days=days), tz).start
        noon += timedelta(weeks=1)
