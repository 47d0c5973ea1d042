"""Spend limits: what moves them, what they refuse, and that each thing is announced once."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine

from billing.models import Decision, Enforcement, Reservation, Window
from billing.services.limits import Terms, set_limit
from billing.services.reservations import Spending, charge, release
from billing.windows import quarter_of
from core.problems import Problem
from organizations.tenancy import tenant_scope
from tests.billing.spending import (
    UNIT,
    ask,
    decisions,
    figures,
    give_back,
    hold,
    limit_of,
    limit_to,
    spend,
    unlimit,
)
from tests.usage.factories import NOW, Tenant, make_tenant

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("stopped_clock")]

Clock = time_machine.Traveller


def test_without_a_limit_everything_goes_ahead_and_nothing_is_held(acme: Tenant) -> None:
    verdict = ask(acme, 5)
    assert (verdict.decided.allowed, verdict.decided.limited, verdict.reservation) == (True, False, None)
    spend(acme, 1)
    with tenant_scope(acme.id):
        assert not Reservation.objects.exists()


def test_what_is_spent_and_held_is_taken_from_what_remains(acme: Tenant) -> None:
    limit_to(acme, 10)
    spend(acme, 3)
    hold(acme, 2)
    assert figures(acme) == (3, 2, "open")
    assert ask(acme).decided.remaining_nanos == 5 * UNIT
    assert ask(acme, 5).decided.remaining_nanos == 0


def test_an_amount_that_just_fits_is_held_and_one_nano_more_is_refused(acme: Tenant) -> None:
    limit_to(acme, 1)
    refused = ask(acme, 1.000000001)
    assert (refused.decided.allowed, refused.decided.reason, refused.decided.until) == (False, "full", None)
    hold(acme, 1)
    assert figures(acme) == (0, 1, "open")


def test_when_nothing_is_left_a_call_without_an_amount_is_refused_too(acme: Tenant) -> None:
    limit_to(acme, 1)
    hold(acme, 1, seconds=90)
    refused = ask(acme).decided
    assert (refused.allowed, refused.reason, refused.until) == (False, "full", NOW + timedelta(seconds=90))


def test_a_hold_is_settled_once_and_later_records_add_up_in_it(acme: Tenant) -> None:
    limit_to(acme, 10)
    reservation = hold(acme, 4)
    spend(acme, 1, reservation=reservation)
    assert figures(acme) == (1, 0, "open")
    spend(acme, 2, reservation=reservation)
    assert figures(acme) == (3, 0, "open")
    with tenant_scope(acme.id):
        stored = Reservation.objects.get(pk=reservation)
    assert (stored.state, stored.ended_at, stored.settled_nanos) == ("settled", NOW, 3 * UNIT)


def test_two_records_of_one_batch_settle_a_hold_together(acme: Tenant) -> None:
    limit_to(acme, 10)
    first, second = hold(acme, 4), hold(acme, 1)
    with tenant_scope(acme.id):
        charge(
            organization_id=acme.id,
            timezone="UTC",
            moment=NOW,
            spending=Spending(
                {(acme.credential_id, quarter_of(NOW)): 3 * UNIT}, {first: 2 * UNIT, second: 1 * UNIT}
            ),
        )
    assert figures(acme) == (3, 0, "open")


def test_a_hold_of_another_credential_is_given_back_where_it_was_taken(acme: Tenant) -> None:
    other = acme.another_credential()
    limit_to(acme, 10)
    limit_to(acme, 5, credential_id=other.credential_id)
    reservation = hold(acme, 4, credential_id=other.credential_id)
    assert (figures(acme), figures(acme, other.credential_id)) == ((0, 4, "open"), (0, 4, "open"))
    # The record says that it was the first credential's use.
    spend(acme, 1, reservation=reservation)
    assert (figures(acme), figures(acme, other.credential_id)) == ((1, 0, "open"), (0, 0, "open"))


def test_a_hold_can_be_given_back_once_and_again(acme: Tenant) -> None:
    limit_to(acme, 10)
    reservation = hold(acme, 4)
    give_back(acme, reservation)
    give_back(acme, reservation)
    assert figures(acme) == (0, 0, "open")
    # What is used after all is counted, and written beside the hold that was given back.
    spend(acme, 1, reservation=reservation)
    with tenant_scope(acme.id):
        stored = Reservation.objects.get(pk=reservation)
    assert (stored.state, stored.settled_nanos) == ("released", UNIT)
    assert figures(acme) == (1, 0, "open")


def test_a_settled_hold_can_not_be_given_back(acme: Tenant) -> None:
    limit_to(acme, 10)
    reservation = hold(acme, 4)
    spend(acme, 1, reservation=reservation)
    with pytest.raises(Problem, match="reservation_settled"):
        give_back(acme, reservation)


def test_another_organizations_hold_does_not_exist(acme: Tenant) -> None:
    globex = make_tenant("Globex", plan="pay-as-you-go")
    limit_to(acme, 10)
    reservation = hold(acme, 4)
    with pytest.raises(Problem, match="404"):
        give_back(globex, reservation)
    limit_to(globex, 10)
    spend(globex, 1, reservation=reservation)
    assert figures(acme) == (0, 4, "open")
    with tenant_scope(acme.id), pytest.raises(Problem, match="404"):
        release(organization_id=acme.id, reservation="res_nothing")


def test_a_hold_that_is_over_makes_room_for_the_next(acme: Tenant, stopped_clock: Clock) -> None:
    limit_to(acme, 10)
    over = hold(acme, 8, seconds=60)
    assert not ask(acme, 5).decided.allowed
    stopped_clock.shift(60)
    assert ask(acme, 5).reservation is not None
    with tenant_scope(acme.id):
        stored = Reservation.objects.get(pk=over)
    assert (stored.state, stored.ended_at) == ("expired", NOW + timedelta(seconds=60))
    assert figures(acme) == (0, 5, "open")


def test_the_limits_of_organization_and_credential_hold_both_or_neither(acme: Tenant) -> None:
    limit_to(acme, 10)
    limit_to(acme, 3, credential_id=acme.credential_id)
    refused = ask(acme, 4).decided
    assert (refused.reason, refused.whole, refused.limit_nanos) == ("full", False, 3 * UNIT)
    assert (figures(acme), figures(acme, acme.credential_id)) == ((0, 0, "open"), (0, 0, "open"))
    allowed = ask(acme, 2).decided
    assert (allowed.whole, allowed.remaining_nanos) == (False, UNIT)
    assert (figures(acme), figures(acme, acme.credential_id)) == ((0, 2, "open"), (0, 2, "open"))


def test_a_credentials_limit_does_not_touch_another(acme: Tenant) -> None:
    other = acme.another_credential()
    limit_to(acme, 1, credential_id=other.credential_id)
    spend(acme, 5)
    assert figures(acme, other.credential_id) == (0, 0, "open")
    assert ask(acme).decided.limited is False
    spend(acme, 1, credential_id=other.credential_id)
    assert ask(acme, credential_id=other.credential_id).decided.reason == "reached"


def test_reaching_the_limit_pauses_once_and_every_share_on_the_way_is_warned_of(acme: Tenant) -> None:
    limit_to(acme, 10, warn_at=(50, 80, 95))
    spend(acme, 9.6)
    assert decisions(acme) == ["limitSet", "warned 50", "warned 80", "warned 95"]
    spend(acme, 0.4)
    spend(acme, 3)
    assert decisions(acme)[4:] == ["paused"]
    assert figures(acme) == (13, 0, "paused")
    with tenant_scope(acme.id):
        paused = Decision.objects.get(kind="paused")
    assert (paused.spent_nanos, paused.limit_nanos, paused.decided_at) == (10 * UNIT, 10 * UNIT, NOW)


def test_one_nano_below_the_limit_is_open(acme: Tenant) -> None:
    limit_to(acme, 1)
    spend(acme, 0.999999999)
    assert figures(acme)[2] == "open"
    spend(acme, 0.000000001)
    assert figures(acme)[2] == "paused"


def test_a_limit_that_only_warns_lets_everything_through_and_tells_at_the_whole(acme: Tenant) -> None:
    limit_to(acme, 1, warn_at=(50,), enforcement=Enforcement.WARN)
    spend(acme, 2)
    assert decisions(acme) == ["limitSet", "warned 50", "warned 100"]
    verdict = ask(acme, 5)
    assert (verdict.decided.allowed, verdict.decided.remaining_nanos) == (True, 0)
    assert figures(acme) == (2, 5, "open")


def test_a_rolling_window_lets_go_of_a_quarter_hour_after_seven_days(
    acme: Tenant, stopped_clock: Clock
) -> None:
    limit_to(acme, 10)
    spend(acme, 6)
    stopped_clock.shift(timedelta(hours=1))
    spend(acme, 4)
    ended = ask(acme).decided
    # The quarter-hour of 12:30 leaves the window at 12:45, seven days on.
    assert (ended.reason, ended.until) == (
        "reached",
        NOW.replace(minute=45, second=0, microsecond=0) + timedelta(days=7),
    )
    assert ended.until is not None
    stopped_clock.move_to(ended.until - timedelta(microseconds=1), tick=False)
    assert not ask(acme).decided.allowed
    stopped_clock.move_to(ended.until, tick=False)
    assert ask(acme).decided.remaining_nanos == 6 * UNIT
    hold(acme, 6)
    assert figures(acme) == (4, 6, "open")
    assert decisions(acme) == ["limitSet", "paused", "resumed"]


def test_a_week_begins_anew_on_monday_and_warns_anew(acme: Tenant, stopped_clock: Clock) -> None:
    limit_to(acme, 10, window=Window.WEEK, warn_at=(50,))
    spend(acme, 10)
    refused = ask(acme).decided
    monday = NOW.replace(day=20, hour=0, minute=0, second=0, microsecond=0)
    assert (refused.reason, refused.until) == ("reached", monday)
    stopped_clock.move_to(monday, tick=False)
    assert ask(acme).decided.allowed
    spend(acme, 6)
    assert figures(acme) == (6, 0, "open")
    assert decisions(acme) == ["limitSet", "warned 50", "paused", "warned 50", "resumed"]


def test_a_late_record_counts_in_the_window_it_falls_into_or_not_at_all(acme: Tenant) -> None:
    limit_to(acme, 10, window=Window.WEEK)
    monday = NOW.replace(day=13, hour=0, minute=0, second=0, microsecond=0)
    spend(acme, 2, at=monday)
    spend(acme, 3, at=monday - timedelta(microseconds=1))
    spend(acme, 4, at=NOW - timedelta(days=40))
    assert figures(acme) == (2, 0, "open")
    # The rolling window reaches further back, and nothing has to be looked up for it.
    limit_to(acme, 10)
    assert figures(acme)[0] == 0  # no record is behind what these tests charge


def test_a_record_dated_ahead_counts_at_once(acme: Tenant) -> None:
    limit_to(acme, 10)
    spend(acme, 2, at=NOW + timedelta(minutes=14))
    assert figures(acme) == (2, 0, "open")


def test_a_share_is_warned_of_again_only_after_the_spend_fell_well_below_it(
    acme: Tenant, stopped_clock: Clock
) -> None:
    limit_to(acme, 100, warn_at=(80,))
    spend(acme, 3)
    stopped_clock.shift(timedelta(hours=1))
    spend(acme, 79)
    stopped_clock.move_to(NOW + timedelta(days=7, minutes=15), tick=False)
    # The three have left, 79 are there; three more reach the share again, which was announced already.
    spend(acme, 3)
    assert figures(acme)[0] == 82
    assert decisions(acme) == ["limitSet", "warned 80"]
    stopped_clock.shift(timedelta(hours=2))
    spend(acme, 1)
    assert figures(acme)[0] == 4
    spend(acme, 90)
    assert decisions(acme) == ["limitSet", "warned 80", "warned 80"]


def test_an_unpriced_call_is_refused_only_where_a_limit_would_stop(acme: Tenant) -> None:
    assert ask(acme, unpriced=True).decided.allowed
    limit_to(acme, 10, enforcement=Enforcement.WARN)
    assert ask(acme, unpriced=True).decided.allowed
    limit_to(acme, 10)
    refused = ask(acme, unpriced=True).decided
    assert (refused.allowed, refused.reason, refused.until) == (False, "unpriced", None)


def test_of_two_limits_that_refuse_the_one_that_does_so_longer_is_told(acme: Tenant) -> None:
    limit_to(acme, 5, window=Window.WEEK)
    limit_to(acme, 5, credential_id=acme.credential_id)
    spend(acme, 5)
    refused = ask(acme).decided
    assert (refused.whole, refused.until) == (
        False,
        NOW.replace(minute=45, second=0, microsecond=0) + timedelta(days=7),
    )


def test_a_plan_without_limits_can_not_set_one(acme: Tenant) -> None:
    globex = make_tenant("Globex", plan="professional")
    with tenant_scope(globex.id), pytest.raises(Problem, match=r"plan_required: .*Pay-as-you-go"):
        set_limit(caller=globex.caller(), credential_id=None, terms=Terms(UNIT))


def test_removing_a_limit_lets_everything_through_and_leaves_holds_to_their_end(
    acme: Tenant, stopped_clock: Clock
) -> None:
    limit_to(acme, 10)
    reservation = hold(acme, 10)
    unlimit(acme)
    assert ask(acme, 100).decided.limited is False
    limit_to(acme, 20)
    assert figures(acme) == (0, 10, "open")
    spend(acme, 1, reservation=reservation)
    assert figures(acme)[1] == 0
    assert decisions(acme) == ["limitSet", "limitRemoved", "limitSet"]
    unlimit(acme)
    with pytest.raises(Problem, match="404"):
        unlimit(acme)


def test_the_bucket_of_a_credential_is_its_own(acme: Tenant) -> None:
    other = acme.another_credential()
    limit_to(acme, 10, credential_id=acme.credential_id)
    limit_to(acme, 10, credential_id=other.credential_id)
    spend(acme, 1)
    spend(acme, 2, credential_id=other.credential_id)
    assert limit_of(acme, acme.credential_id).spent_nanos == UNIT
    assert limit_of(acme, other.credential_id).spent_nanos == 2 * UNIT
