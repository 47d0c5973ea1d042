from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.moments import FIRST, LAST, format_moment, parse_moment

moments = st.datetimes(
    min_value=FIRST.replace(tzinfo=None), max_value=LAST.replace(tzinfo=None) - timedelta(days=1)
).map(lambda moment: moment.replace(tzinfo=UTC))
offsets = st.integers(min_value=-23 * 60, max_value=23 * 60).map(
    lambda minutes: timezone(timedelta(minutes=minutes))
)


@pytest.mark.parametrize(
    ("value", "moment"),
    [
        ("2026-11-21T09:30:00Z", datetime(2026, 11, 21, 9, 30, tzinfo=UTC)),
        ("2026-11-21t09:30:00z", datetime(2026, 11, 21, 9, 30, tzinfo=UTC)),
        ("2026-11-21 09:30Z", datetime(2026, 11, 21, 9, 30, tzinfo=UTC)),
        ("2026-11-21T09:30:00+05:45", datetime(2026, 11, 21, 3, 45, tzinfo=UTC)),
        ("2026-11-21T09:30:00-0330", datetime(2026, 11, 21, 13, 0, tzinfo=UTC)),
        ("2023-11-16T18:17:03.9799600Z", datetime(2023, 11, 16, 18, 17, 3, 979960, tzinfo=UTC)),
        ("2023-11-16T18:17:03.9999999Z", datetime(2023, 11, 16, 18, 17, 3, 999999, tzinfo=UTC)),
        ("2023-11-16T18:17:03,5Z", datetime(2023, 11, 16, 18, 17, 3, 500000, tzinfo=UTC)),
        (1_700_000_000_123, datetime(2023, 11, 14, 22, 13, 20, 123000, tzinfo=UTC)),
        ("1700000000123", datetime(2023, 11, 14, 22, 13, 20, 123000, tzinfo=UTC)),
        (0, datetime(1970, 1, 1, tzinfo=UTC)),
        (-1, datetime(1969, 12, 31, 23, 59, 59, 999000, tzinfo=UTC)),
    ],
)
def test_iso_8601_and_unix_milliseconds_are_read(value: str | int, moment: datetime) -> None:
    assert parse_moment(value) == moment
    assert parse_moment(value).tzinfo is UTC


@pytest.mark.parametrize(
    "value",
    [
        "", "now", "2026-11-21", "2026-11-21T09:30:00+25:00", "2026-11-21T09:30:00+02:60",
        "2026-02-29T00:00:00Z", "2026-11-21T24:00:00Z", "2026-11-21T23:59:60Z", "20261121T093000Z",
        "2026-11-21T09:30:00 Z", "1.5", "\uff12026-11-21T09:30:00Z", "1" * 16, 10**15, 10**30, -(10**14),
        True, False, "0001-01-01T00:00:00+10:00", "3000-01-01T00:00:00Z", "1899-12-31T23:59:59Z",
        "9999-12-31T23:59:59-10:00",
    ],
)  # fmt: skip
def test_anything_else_is_refused(value: str | int) -> None:
    with pytest.raises(ValueError):
        parse_moment(value)


def test_a_time_without_an_offset_is_told_what_it_lacks() -> None:
    with pytest.raises(ValueError, match=r"has no offset: add Z or one such as \+02:00"):
        parse_moment("2026-11-21T09:30:00")


def test_microseconds_are_written_only_when_there_are_any() -> None:
    assert format_moment(datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)) == "2026-01-02T03:04:05Z"
    assert format_moment(datetime(2026, 1, 2, 3, 4, 5, 60, tzinfo=UTC)) == "2026-01-02T03:04:05.000060Z"


def test_a_moment_of_another_zone_is_written_in_utc() -> None:
    moment = datetime(2026, 1, 2, 3, 4, tzinfo=timezone(timedelta(hours=5, minutes=30)))
    assert format_moment(moment) == "2026-01-01T21:34:00Z"


@given(moments)
def test_what_is_written_is_read_back(moment: datetime) -> None:
    assert parse_moment(format_moment(moment)) == moment


@given(moments.filter(lambda moment: FIRST + timedelta(days=1) < moment), offsets)
def test_any_offset_names_the_same_moment(moment: datetime, offset: timezone) -> None:
    assert parse_moment(moment.astimezone(offset).isoformat()) == moment


@given(st.integers(min_value=-2_208_988_800_000, max_value=32_503_679_999_999))
def test_digits_mean_the_same_as_the_number(milliseconds: int) -> None:
    assert parse_moment(str(milliseconds)) == parse_moment(milliseconds)
    assert parse_moment(milliseconds).timestamp() * 1000 == pytest.approx(milliseconds)
