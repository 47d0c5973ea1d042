from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.periods import (
    Granularity,
    Period,
    billing_period,
    buckets,
    day_bounds,
    floor,
    local_date,
    next_bucket,
    zone,
)

# Whole, half and quarter-hour offsets; midnights that are skipped, shown twice or jumped over with a day.
ZONES = (
    "UTC", "Europe/Berlin", "America/New_York", "America/St_Johns", "America/Sao_Paulo", "Asia/Kathmandu",
    "Asia/Kolkata", "Asia/Tehran", "Asia/Beirut", "Australia/Lord_Howe", "Australia/Adelaide", "Pacific/Apia",
    "Pacific/Chatham", "Pacific/Kwajalein", "Africa/Casablanca", "Atlantic/Azores", "Antarctica/Troll",
    "America/Havana", "Africa/Monrovia",
)  # fmt: skip
zones = st.sampled_from(ZONES).map(ZoneInfo)
granularities = st.sampled_from(Granularity)
moments = st.datetimes(min_value=datetime(1971, 1, 1), max_value=datetime(2037, 12, 31)).map(  # noqa: DTZ001
    lambda moment: moment.replace(tzinfo=UTC)
)
BERLIN = ZoneInfo("Europe/Berlin")
HOUR = timedelta(hours=1)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def starts(period: Period, granularity: Granularity, tz: ZoneInfo) -> list[str]:
    return [bucket.start.strftime("%Y-%m-%d %H:%M") for bucket in buckets(period, granularity, tz)]


def test_a_period_has_its_start_and_not_its_end() -> None:
    period = Period(utc("2026-01-01"), utc("2026-01-02"))
    assert utc("2026-01-01") in period
    assert utc("2026-01-01T23:59:59.999999") in period
    assert utc("2026-01-02") not in period
    assert period.duration == timedelta(days=1)


def test_a_period_may_be_empty_but_not_reversed() -> None:
    assert utc("2026-01-01") not in Period(utc("2026-01-01"), utc("2026-01-01"))
    with pytest.raises(ValueError, match="can't end before it starts"):
        Period(utc("2026-01-02"), utc("2026-01-01"))


def test_a_period_of_naive_times_is_refused() -> None:
    with pytest.raises(ValueError, match="aware"):
        Period(datetime(2026, 1, 1), datetime(2026, 1, 2))  # noqa: DTZ001


@pytest.mark.parametrize(
    "name", ["Mars/Base", "", "../etc/passwd", "/etc/passwd", "Europe", "europe/berlin\x00", "x" * 300]
)
def test_what_is_not_a_zone_is_named(name: str) -> None:
    with pytest.raises(ValueError, match="is not an IANA time zone"):
        zone(name)


def test_the_day_that_summer_time_begins_has_23_hours() -> None:
    day = day_bounds(date(2026, 3, 29), BERLIN)
    assert day == Period(utc("2026-03-28T23:00"), utc("2026-03-29T22:00"))
    assert len(buckets(day, Granularity.HOUR, BERLIN)) == 23


def test_the_day_that_summer_time_ends_has_25_hours_of_which_none_overlap() -> None:
    day = day_bounds(date(2026, 10, 25), BERLIN)
    hours = buckets(day, Granularity.HOUR, BERLIN)
    assert day.duration == 25 * HOUR
    assert len(hours) == 25
    assert {hour.duration for hour in hours} == {HOUR}


def test_a_shift_by_half_an_hour_gives_half_an_hour_its_own_bucket() -> None:
    tz = ZoneInfo("Australia/Lord_Howe")
    evening = Period(utc("2026-04-04T14:00"), utc("2026-04-04T16:30"))
    assert starts(evening, Granularity.HOUR, tz) == [
        "2026-04-04 14:00",
        "2026-04-04 15:00",
        "2026-04-04 15:30",
    ]


@pytest.mark.parametrize(
    ("name", "start"),
    [
        ("Asia/Kolkata", "2026-05-01T08:30"),
        ("Asia/Kathmandu", "2026-05-01T08:15"),
        ("Pacific/Chatham", "2026-05-01T08:15"),
    ],
)
def test_hours_are_those_of_the_clock_on_the_wall(name: str, start: str) -> None:
    assert floor(utc("2026-05-01T09:00"), Granularity.HOUR, ZoneInfo(name)) == utc(start)


def test_the_day_that_samoa_skipped_is_empty_and_has_no_bucket() -> None:
    apia = ZoneInfo("Pacific/Apia")
    jump = utc("2011-12-30T10:00")
    assert day_bounds(date(2011, 12, 30), apia) == Period(jump, jump)
    week = Period(utc("2011-12-29T10:00"), utc("2011-12-31T10:00"))
    assert starts(week, Granularity.DAY, apia) == ["2011-12-29 10:00", "2011-12-30 10:00"]
    assert local_date(jump - timedelta(microseconds=1), apia) == date(2011, 12, 29)
    assert local_date(jump, apia) == date(2011, 12, 31)


def test_a_day_whose_midnight_was_skipped_begins_at_the_jump() -> None:
    sao_paulo = ZoneInfo("America/Sao_Paulo")
    assert day_bounds(date(2018, 11, 4), sao_paulo) == Period(
        utc("2018-11-04T03:00"), utc("2018-11-05T02:00")
    )


def test_a_jump_across_midnight_begins_the_day_at_the_jump() -> None:
    # Toronto went from 23:30 straight to 00:30.
    assert day_bounds(date(1919, 3, 31), ZoneInfo("America/Toronto")).start == utc("1919-03-31T04:30")


def test_a_day_whose_first_hour_is_shown_twice_begins_at_the_first() -> None:
    assert day_bounds(date(2026, 10, 25), ZoneInfo("Atlantic/Azores")) == Period(
        utc("2026-10-25T00:00"), utc("2026-10-26T01:00")
    )


def test_a_clock_set_back_over_midnight_does_not_bring_yesterday_back() -> None:
    newfoundland = ZoneInfo("America/St_Johns")
    # At 00:01 the clock went back to 23:01 of the day before.
    assert day_bounds(date(2010, 11, 7), newfoundland).start == utc("2010-11-07T02:30")
    assert local_date(utc("2010-11-07T02:45"), newfoundland) == date(2010, 11, 7)


def test_weeks_begin_on_monday_and_months_on_the_first() -> None:
    moment = utc("2026-11-01T22:30")
    assert floor(moment, Granularity.WEEK, BERLIN) == utc("2026-10-25T23:00")
    assert floor(moment, Granularity.MONTH, BERLIN) == utc("2026-10-31T23:00")
    assert next_bucket(moment, Granularity.MONTH, BERLIN) == utc("2026-11-30T23:00")


def test_the_billing_period_is_the_local_month() -> None:
    assert billing_period(utc("2026-02-28T23:30"), BERLIN) == Period(
        utc("2026-02-28T23:00"), utc("2026-03-31T22:00")
    )


def test_an_empty_period_touches_no_bucket() -> None:
    assert buckets(Period(utc("2026-01-01"), utc("2026-01-01")), Granularity.DAY, BERLIN) == []


def test_buckets_are_whole_at_both_ends() -> None:
    inside = Period(utc("2026-06-15T10:20"), utc("2026-06-15T10:40"))
    assert buckets(inside, Granularity.HOUR, BERLIN) == [
        Period(utc("2026-06-15T10:00"), utc("2026-06-15T11:00"))
    ]


@given(moments, granularities, zones)
@settings(max_examples=400)
def test_a_bucket_holds_its_moment_and_begins_where_it_says(
    moment: datetime, granularity: Granularity, tz: ZoneInfo
) -> None:
    start, end = floor(moment, granularity, tz), next_bucket(moment, granularity, tz)
    assert start <= moment < end
    assert floor(start, granularity, tz) == start
    assert next_bucket(start, granularity, tz) == end
    assert floor(end - timedelta(microseconds=1), granularity, tz) == start
    assert floor(end, granularity, tz) == end


@given(moments, st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=3)), granularities, zones)
def test_buckets_cover_a_period_without_gap_or_overlap(
    moment: datetime, length: timedelta, granularity: Granularity, tz: ZoneInfo
) -> None:
    period = Period(
        moment, moment + min(length, HOUR) if granularity is Granularity.MINUTE else moment + length
    )
    found = buckets(period, granularity, tz)
    if period.start == period.end:
        assert found == []
        return
    assert found[0].start <= period.start < found[0].end
    assert found[-1].start < period.end <= found[-1].end
    assert all(one.end == other.start for one, other in pairwise(found))


@given(moments, zones)
def test_the_day_of_a_moment_is_the_day_whose_bounds_hold_it(moment: datetime, tz: ZoneInfo) -> None:
    assert moment in day_bounds(local_date(moment, tz), tz)


@given(moments, zones)
def test_the_day_is_the_calendars_except_where_a_clock_went_back_over_midnight(
    moment: datetime, tz: ZoneInfo
) -> None:
    calendar = moment.astimezone(tz).date()
    assert local_date(moment, tz) - calendar in (timedelta(0), timedelta(days=1))


@given(st.dates(min_value=date(1971, 1, 1), max_value=date(2037, 12, 30)), zones)
def test_days_follow_each_other(day: date, tz: ZoneInfo) -> None:
    assert day_bounds(day, tz).end == day_bounds(day + timedelta(days=1), tz).start


@given(moments, zones)
@settings(max_examples=200)
def test_days_weeks_and_months_are_whole_numbers_of_hours(moment: datetime, tz: ZoneInfo) -> None:
    for granularity in (Granularity.DAY, Granularity.WEEK, Granularity.MONTH):
        start = floor(moment, granularity, tz)
        assert floor(start, Granularity.HOUR, tz) == start


@given(st.datetimes(min_value=datetime(1990, 1, 1), max_value=datetime(2037, 1, 1)), zones)  # noqa: DTZ001
def test_hours_are_whole_numbers_of_quarter_hours_of_utc(naive: datetime, tz: ZoneInfo) -> None:
    # But for the minute past midnight at which Newfoundland changed its clocks until 2011.
    if tz.key == "America/St_Johns":
        return
    start = floor(naive.replace(tzinfo=UTC), Granularity.HOUR, tz)
    assert start.minute % 15 == start.second == start.microsecond == 0
