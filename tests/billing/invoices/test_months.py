"""Which months are due, also when the organization moves to another zone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from billing.invoices.months import due, month_of
from core.periods import Period, billing_period, zone

BERLIN, TOKYO, HONOLULU = zone("Europe/Berlin"), zone("Asia/Tokyo"), zone("Pacific/Honolulu")
NOW = datetime(2026, 7, 15, tzinfo=UTC)


def day(month: int, number: int, hour: int = 0) -> datetime:
    return datetime(2026, month, number, hour, tzinfo=UTC)


def test_the_first_time_only_the_month_before_is_due() -> None:
    assert list(due(NOW, BERLIN, None)) == [Period(day(5, 31, 22), day(6, 30, 22))]


def test_later_every_month_since_the_last_invoice_is_due() -> None:
    months = list(due(NOW, BERLIN, day(3, 31, 22)))
    assert months == [
        Period(day(3, 31, 22), day(4, 30, 22)),
        Period(day(4, 30, 22), day(5, 31, 22)),
        Period(day(5, 31, 22), day(6, 30, 22)),
    ]


def test_nothing_is_due_before_a_month_is_over() -> None:
    assert list(due(NOW, BERLIN, day(6, 30, 22))) == []
    assert list(due(day(7, 31, 21), BERLIN, day(6, 30, 22))) == []
    assert len(list(due(day(7, 31, 22), BERLIN, day(6, 30, 22)))) == 1


def test_a_month_is_an_hour_longer_or_shorter_with_daylight_saving() -> None:
    (march,) = due(day(4, 2), BERLIN, None)
    assert march.duration == timedelta(days=31, hours=-1)


def test_after_moving_to_another_zone_no_hour_is_invoiced_twice_or_not_at_all() -> None:
    ended = day(5, 31, 15)  # May in Tokyo
    assert list(due(NOW, HONOLULU, ended)) == [Period(ended, day(7, 1, 10))]
    assert list(due(NOW, TOKYO, day(6, 1, 10))) == [Period(day(6, 1, 10), day(6, 30, 15))]


def test_a_month_long_after_the_last_invoice_is_a_whole_one() -> None:
    assert month_of(NOW, BERLIN, day(1, 31, 23)) == billing_period(NOW, BERLIN)


@given(
    st.integers(0, 3650).map(lambda days: datetime(2020, 1, 1, 7, tzinfo=UTC) + timedelta(days=days)),
    st.lists(st.sampled_from([BERLIN, TOKYO, HONOLULU, zone("UTC"), zone("America/Sao_Paulo")]), min_size=1),
)
def test_periods_always_join(start: datetime, zones: list[object]) -> None:
    ended, periods = None, []
    for step, tz in enumerate(zones):
        for period in due(start + step * timedelta(days=33), tz, ended):  # type: ignore[arg-type]
            periods.append(period)
            ended = period.end
    assert all(one.end == other.start for one, other in pairwise(periods))
    assert all(timedelta(days=26) < one.duration < timedelta(days=33) for one in periods)
