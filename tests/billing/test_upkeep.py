"""Limits as time goes by: windows over clock changes and month ends, holds that end, zones that change."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from billing.models import Reservation, SpendBucket, Window
from billing.services.limits import correct
from billing.services.upkeep import RESERVATIONS_KEPT
from billing.tasks import drop_reservations, keep_limits
from organizations.services import set_timezone
from organizations.tenancy import system_scope, tenant_scope
from tests.billing.spending import ask, decisions, figures, hold, limit_of, limit_to, spend, unlimit
from tests.usage.factories import NOW, Tenant, at, make_tenant, record

pytestmark = pytest.mark.django_db
BERLIN = "Europe/Berlin"


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def states(tenant: Tenant, clock: time_machine.Traveller, *moments: str) -> list[str]:
    """Return the state that upkeep leaves a limit in at each moment."""
    found = []
    for text in moments:
        clock.move_to(moment(text), tick=False)
        keep_limits()
        found.append(limit_of(tenant).state)
    return found


@pytest.mark.parametrize(
    ("spent_at", "before", "after"),
    [
        # The week in which the clocks go forward ends an hour early, that in which they go back an hour late.
        ("2026-03-27T12:00:00", "2026-03-29T21:59:59", "2026-03-29T22:00:00"),
        ("2026-10-23T12:00:00", "2026-10-25T22:59:59", "2026-10-25T23:00:00"),
        # The ends of a month and of a year lie within a week and are nothing to it.
        ("2026-09-28T12:00:00", "2026-10-04T21:59:59", "2026-10-04T22:00:00"),
        ("2026-12-31T12:00:00", "2027-01-03T22:59:59", "2027-01-03T23:00:00"),
    ],
)
def test_a_paused_week_resumes_on_the_zones_monday_and_each_is_announced_once(
    stopped_clock: time_machine.Traveller, spent_at: str, before: str, after: str
) -> None:
    stopped_clock.move_to(moment(spent_at), tick=False)
    acme = make_tenant("Acme", timezone=BERLIN)
    limit_to(acme, 5, window=Window.WEEK)
    acme.api.keep(record("a", cost="5"))
    assert states(acme, stopped_clock, before, before, after, after) == ["paused", "paused", "open", "open"]
    assert decisions(acme) == ["limitSet", "paused", "resumed"]
    assert figures(acme) == (0, 0, "open")


@pytest.mark.parametrize("spent_at", ["2026-03-28T12:07:00", "2026-10-24T12:07:00", "2026-02-27T12:07:00"])
def test_a_rolling_window_lasts_seven_times_24_hours_whatever_the_clocks_do(
    stopped_clock: time_machine.Traveller, spent_at: str
) -> None:
    stopped_clock.move_to(moment(spent_at), tick=False)
    acme = make_tenant("Acme", timezone=BERLIN)
    limit_to(acme, 5)
    acme.api.keep(record("a", cost="5"))
    leaves = moment(spent_at).replace(minute=15) + timedelta(days=7)
    last = leaves - timedelta(microseconds=1)
    found = states(acme, stopped_clock, *(each.replace(tzinfo=None).isoformat() for each in (last, leaves)))
    assert found == ["paused", "open"]
    assert decisions(acme) == ["limitSet", "paused", "resumed"]


def test_late_records_count_in_the_quarter_hour_they_happened_in(
    acme: Tenant, stopped_clock: time_machine.Traveller
) -> None:
    limit_to(acme, 10)
    acme.api.keep(record("late", cost="6", timestamp=at(NOW - timedelta(days=6, hours=23))))
    acme.api.keep(record("too-late", cost="6", timestamp=at(NOW - timedelta(days=7, hours=1))))
    assert figures(acme) == (6, 0, "open")
    stopped_clock.shift(timedelta(hours=2))
    assert keep_limits() == 1
    assert figures(acme) == (0, 0, "open")
    assert correct(acme.organization) == 0


def test_an_organization_that_moves_to_another_zone_has_its_weeks_there(
    acme: Tenant, stopped_clock: time_machine.Traveller
) -> None:
    sunday = moment("2026-07-12T20:00:00")
    acme.api.keep(record("a", cost="1", timestamp=at(sunday)), record("b", cost="2"))
    limit_to(acme, 10, window=Window.WEEK)
    assert figures(acme)[0] == 2
    set_timezone(organization_id=acme.id, timezone="Asia/Tokyo")
    keep_limits()
    # In Tokyo it was Monday already.
    assert figures(acme)[0] == 3
    assert limit_of(acme).window_start == moment("2026-07-12T15:00:00")
    assert keep_limits() == 0


def test_the_task_ends_holds_that_are_over_also_where_no_limit_is_left(
    acme: Tenant, stopped_clock: time_machine.Traveller
) -> None:
    globex = make_tenant("Globex")
    limit_to(acme, 10)
    limit_to(globex, 10)
    hold(acme, 1, seconds=60)
    hold(acme, 2, seconds=600)
    hold(globex, 1, seconds=60)
    unlimit(globex)
    assert keep_limits() == 0
    stopped_clock.shift(60)
    assert keep_limits() == 2
    assert keep_limits() == 0
    assert figures(acme) == (0, 2, "open")
    with system_scope():
        held = Reservation.objects.filter(state="held").values_list("amount_nanos", flat=True)
        assert list(held) == [2 * 10**9]


def test_quarter_hours_that_no_window_reaches_are_forgotten(
    acme: Tenant, stopped_clock: time_machine.Traveller
) -> None:
    limit_to(acme, 10)
    spend(acme, 1)
    for days, kept in ((15, 1), (17, 0)):
        stopped_clock.move_to(NOW + timedelta(days=days), tick=False)
        keep_limits()
        with tenant_scope(acme.id):
            assert SpendBucket.objects.count() == kept


def test_reservations_are_kept_a_while_after_their_end(
    acme: Tenant, stopped_clock: time_machine.Traveller
) -> None:
    limit_to(acme, 10)
    hold(acme, 1, seconds=60)
    stopped_clock.shift(60)
    keep_limits()
    stopped_clock.shift(RESERVATIONS_KEPT)
    assert drop_reservations() == 0
    stopped_clock.shift(1)
    assert drop_reservations() == 1


def test_whoever_asks_first_after_a_window_has_ended_finds_it_moved_on(
    acme: Tenant, stopped_clock: time_machine.Traveller
) -> None:
    limit_to(acme, 5, window=Window.WEEK)
    spend(acme, 5)
    stopped_clock.move_to(moment("2026-07-20T00:00:00"), tick=False)
    assert ask(acme).decided.allowed
    assert decisions(acme) == ["limitSet", "paused"]
    hold(acme, 1)
    assert decisions(acme) == ["limitSet", "paused", "resumed"]
