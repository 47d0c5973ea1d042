"""Records on their way in move the limits, in the same transaction; the same record moves them once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from billing.models import Reservation
from billing.services.limits import correct
from billing.services.reservations import format_reservation
from organizations.tenancy import tenant_scope
from tests.billing.spending import UNIT, ask, decisions, figures, hold, limit_of, limit_to
from tests.usage.factories import NOW, Tenant, at, record
from usage.batch import Batch
from usage.pipeline import Stage

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("stopped_clock")]


class Fail(Stage):
    """A stage after all others that can't do its work."""

    def settle(self, batch: Batch, cursor: object) -> None:
        raise RuntimeError("no")


def test_what_records_cost_is_spent_when_they_are_acknowledged(acme: Tenant) -> None:
    other = acme.another_credential()
    limit_to(acme, 10)
    limit_to(acme, 10, credential_id=other.credential_id)
    acme.api.keep(record("a", cost="1.5"), record("b", cost="0.000000001"), record("c"))
    other.api.keep(record("d", cost="2"))
    assert limit_of(acme).spent_nanos == 3_500_000_001
    assert figures(acme, other.credential_id) == (2, 0, "open")


def test_a_record_sent_again_is_not_spent_again(acme: Tenant) -> None:
    limit_to(acme, 10)
    for _ in range(3):
        acme.api.send([record("a", cost="1"), record("a", cost="1")])
    acme.api.send([record("a", cost="1"), record("b", cost="2")])
    assert figures(acme) == (3, 0, "open")


def test_a_record_settles_the_reservation_that_it_names(acme: Tenant) -> None:
    limit_to(acme, 10)
    reservation = hold(acme, 4)
    named = format_reservation(reservation)
    acme.api.keep(record("a", cost="1", reservationId=named), record("b", cost="2", reservationId=named))
    assert figures(acme) == (3, 0, "open")
    acme.api.send(record("a", cost="1", reservationId=named))
    with tenant_scope(acme.id):
        stored = Reservation.objects.get()
    assert (stored.state, stored.settled_nanos) == ("settled", 3 * UNIT)


def test_a_record_without_a_cost_ends_its_hold_too(acme: Tenant) -> None:
    limit_to(acme, 10)
    reservation = hold(acme, 4)
    acme.api.keep(record("a", reservationId=format_reservation(reservation)))
    assert figures(acme) == (0, 0, "open")


@pytest.mark.parametrize(
    "named", ["res_", "res_" + "0" * 32, "res_" + "x" * 32, "my own id", "RES_" + "a" * 32]
)
def test_a_reservation_that_was_never_given_out_is_no_matter(acme: Tenant, named: str) -> None:
    limit_to(acme, 10)
    acme.api.send(record("a", cost="1", reservationId=named))
    assert figures(acme)[1:] == (0, "open")


def test_records_are_taken_in_although_the_limit_is_reached(acme: Tenant) -> None:
    limit_to(acme, 1)
    acme.api.keep(record("a", cost="1"))
    assert ask(acme).decided.reason == "reached"
    acme.api.keep(record("b", cost="5"))
    assert figures(acme) == (6, 0, "paused")
    assert decisions(acme) == ["limitSet", "paused"]


def test_what_is_not_stored_is_not_spent(acme: Tenant, settings: Any) -> None:
    limit_to(acme, 10)
    settings.USAGE_PIPELINE = [*settings.USAGE_PIPELINE, f"{__name__}.Fail"]
    with pytest.raises(RuntimeError):
        acme.api.send(record("a", cost="1"))
    assert figures(acme) == (0, 0, "open")


def test_a_limit_that_is_set_counts_what_was_spent_before(acme: Tenant) -> None:
    other = acme.another_credential()
    acme.api.keep(
        record("old", cost="1", timestamp=at(NOW - timedelta(days=8))),
        record("first", cost="2", timestamp=at(NOW - timedelta(days=7))),
        record("now", cost="4"),
        record("ahead", cost="8", timestamp=at(NOW + timedelta(minutes=5))),
    )
    other.api.keep(record("other", cost="16"))
    limit_to(acme, 100, warn_at=(20, 40))
    limit_to(acme, 100, credential_id=acme.credential_id)
    # The quarter-hour in which the window begins counts whole.
    assert figures(acme) == (30, 0, "open")
    assert figures(acme, acme.credential_id) == (14, 0, "open")
    assert decisions(acme) == ["limitSet", "warned 20", "limitSet"]
    assert correct(acme.organization) == 0


def test_a_limit_lowered_below_the_spend_pauses_and_raised_above_it_resumes(acme: Tenant) -> None:
    acme.api.keep(record("a", cost="5"))
    limit_to(acme, 10, warn_at=(50,))
    limit_to(acme, 5, warn_at=(50,))
    limit_to(acme, 5, warn_at=(50,))
    assert figures(acme)[2] == "paused"
    limit_to(acme, 6, warn_at=(50,))
    assert decisions(acme) == [
        "limitSet", "warned 50", "limitSet", "paused", "limitSet", "limitSet", "resumed",
    ]  # fmt: skip


def test_figures_that_went_wrong_are_corrected_and_it_is_written_down(acme: Tenant) -> None:
    limit_to(acme, 10)
    acme.api.keep(record("a", cost="5"))
    hold(acme, 1)
    limit = limit_of(acme)
    assert correct(acme.organization) == 0
    with tenant_scope(acme.id):
        limit.spent_nanos = 11 * UNIT
        limit.reserved_nanos = 0
        limit.save()
    assert correct(acme.organization) == 1
    assert figures(acme) == (5, 1, "open")
    assert correct(acme.organization) == 0
    assert decisions(acme) == ["limitSet", "corrected"]
