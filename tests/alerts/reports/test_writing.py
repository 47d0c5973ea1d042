"""Each report is written once for each period: with two workers, after crashes, after weeks without any."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import DatabaseError, connections, transaction

from alerts.channels.services import change_channel, create_channel
from alerts.deliveries.again import retry
from alerts.deliveries.claim import LEASE
from alerts.models import Digest, Report
from alerts.reports.figures import figures
from alerts.reports.services import change_report, unsubscribe
from alerts.reports.writing import write_due
from core.problems import Problem
from organizations.models import Membership
from organizations.services import remove_member, set_timezone
from organizations.tenancy import system_scope, tenant_scope
from tests.alerts.receivers import Receiver, status
from tests.alerts.reports.reporting import MONDAY, make_report, member
from tests.alerts.telling import attempts, deliveries, mailbox, webhook, work
from tests.usage.factories import Tenant, make_tenant
from usage import partitions

pytestmark = pytest.mark.django_db
WEEK = timedelta(days=7)
HOUR = timedelta(hours=1)


@pytest.fixture
def clock() -> Any:
    """A clock that stands at the Monday before the one that reports are of."""
    partitions.forget()
    with time_machine.travel(MONDAY - WEEK + HOUR, tick=False) as traveller:
        yield traveller


@pytest.fixture
def acme(db: None, clock: time_machine.Traveller) -> Tenant:
    return make_tenant("Acme", timezone="Europe/Berlin")


def digests(tenant: Tenant) -> list[str]:
    with tenant_scope(tenant.id):
        return [str(day) for day in Digest.objects.order_by("first_day").values_list("first_day", flat=True)]


def reported(tenant: Tenant) -> list[tuple[str, str]]:
    """Return to whom reports were written, and from which day on those were."""
    return [
        (one.recipient or one.channel_name, one.payload["data"]["period"]["from"][:10])
        for one in deliveries(tenant, notice="report")
    ]


def test_nothing_is_sent_before_its_hour_and_everything_once_when_it_comes(
    acme: Tenant, clock: time_machine.Traveller
) -> None:
    make_report(acme)
    assert write_due() == 0
    clock.move_to(MONDAY - timedelta(microseconds=1))
    assert write_due() == 0
    clock.move_to(MONDAY)
    assert [write_due() for _ in range(3)] == [1, 0, 0]
    assert reported(acme) == [("ada@example.com", "2026-07-05")]
    clock.move_to(MONDAY + WEEK)
    assert [write_due(), write_due()] == [1, 0]
    assert digests(acme) == ["2026-07-06", "2026-07-13"]


def test_of_weeks_that_were_missed_only_the_last_is_made_up_for(
    acme: Tenant, clock: time_machine.Traveller
) -> None:
    make_report(acme)
    clock.move_to(MONDAY + 4 * WEEK + timedelta(days=2))
    assert [write_due(), write_due()] == [1, 0]
    assert digests(acme) == ["2026-08-03"]


def test_a_new_report_tells_nothing_of_what_was_before_it(
    acme: Tenant, clock: time_machine.Traveller
) -> None:
    clock.move_to(MONDAY + HOUR)
    make_report(acme)
    assert write_due() == 0


def test_a_report_that_is_enabled_again_makes_up_for_nothing(
    acme: Tenant, clock: time_machine.Traveller
) -> None:
    made = make_report(acme, enabled=False)
    clock.move_to(MONDAY)
    assert write_due() == 0
    with tenant_scope(acme.id):
        change_report(organization_id=acme.id, report_id=made.pk, enabled=True)
    assert write_due() == 1
    clock.move_to(MONDAY + WEEK + HOUR)
    with tenant_scope(acme.id):
        change_report(organization_id=acme.id, report_id=made.pk, enabled=False)
        change_report(organization_id=acme.id, report_id=made.pk, enabled=True)
    assert write_due() == 0


@pytest.mark.parametrize("timezone", ["America/New_York", "Pacific/Auckland"])
def test_neither_another_hour_nor_another_zone_sends_a_week_twice(
    timezone: str, acme: Tenant, clock: time_machine.Traveller
) -> None:
    made = make_report(acme)
    clock.move_to(MONDAY)
    assert write_due() == 1
    with tenant_scope(acme.id):
        change_report(organization_id=acme.id, report_id=made.pk, hour=9)
    set_timezone(organization_id=acme.id, timezone=timezone)
    written = 0
    for _ in range(48):
        clock.shift(HOUR)
        written += write_due()
    assert written == 0
    assert digests(acme) == ["2026-07-06"]


def test_an_earlier_hour_is_not_lost_when_it_has_passed_today(
    acme: Tenant, clock: time_machine.Traveller
) -> None:
    made = make_report(acme, hour=20)
    clock.shift(timedelta(days=2))
    assert write_due() == 1
    clock.move_to(MONDAY + HOUR)
    assert write_due() == 0
    with tenant_scope(acme.id):
        change_report(organization_id=acme.id, report_id=made.pk, hour=8)
    assert write_due() == 1


def test_a_month_is_written_on_the_first_by_the_organizations_clock(
    acme: Tenant, clock: time_machine.Traveller
) -> None:
    make_report(acme, cadence="monthly")
    clock.move_to(MONDAY.replace(month=8, day=1, hour=5, minute=59))
    assert write_due() == 0
    clock.shift(timedelta(minutes=1))
    assert write_due() == 1
    (told,) = deliveries(acme, notice="report")
    assert told.payload["type"] == "report.monthly"
    assert told.payload["data"]["period"] == {"from": "2026-06-30T22:00:00Z", "to": "2026-07-31T22:00:00Z"}


def test_everybody_who_is_to_have_it_gets_it_and_nobody_else(
    acme: Tenant, clock: time_machine.Traveller
) -> None:
    ada, bob, eve = (member(acme, f"{name}@example.com") for name in ("ada", "bob", "eve"))
    gone = mailbox(acme, "off@example.com")
    hook = webhook(acme, "https://hooks.example.com/1").channel
    made = make_report(
        acme, members=["ada@example.com", "bob@example.com", "EVE@example.com"], channels=[hook.pk, gone.pk]
    )
    with tenant_scope(acme.id):
        change_channel(organization_id=acme.id, channel_id=gone.pk, enabled=False)
        unsubscribe(organization_id=acme.id, report_id=made.pk, user_id=bob.pk)
        Membership.objects.get(organization_id=acme.id, user=eve).delete()
    clock.move_to(MONDAY)
    assert write_due() == 1
    assert sorted(name for name, _ in reported(acme)) == ["Hook", "ada@example.com"]
    assert ada.email == "ada@example.com"


def test_a_report_without_anybody_to_read_it_is_not_written_and_not_made_up_for(
    acme: Tenant, clock: time_machine.Traveller
) -> None:
    made = make_report(acme)
    ada = member(acme, "ada@example.com")
    with tenant_scope(acme.id):
        unsubscribe(organization_id=acme.id, report_id=made.pk, user_id=ada.pk)
    clock.move_to(MONDAY)
    assert (write_due(), write_due(), digests(acme)) == (0, 0, [])


def test_who_may_not_see_spend_limits_is_not_told_of_them(
    acme: Tenant, clock: time_machine.Traveller
) -> None:
    from tests.billing.spending import limit_to

    limit_to(acme, 10)
    for name, role in (("ada", "analyst"), ("dev", "developer")):
        member(acme, f"{name}@example.com", role)
    make_report(acme, members=["ada@example.com", "dev@example.com"])
    clock.move_to(MONDAY)
    assert write_due() == 1
    told = {one.recipient: one.payload["data"]["spendLimit"] for one in deliveries(acme, notice="report")}
    assert told["dev@example.com"] is None
    assert told["ada@example.com"]["limit"] == "10.000000000"


def test_what_waits_is_not_sent_to_somebody_who_unsubscribed_meanwhile(
    acme: Tenant, clock: time_machine.Traveller
) -> None:
    made = make_report(acme)
    clock.move_to(MONDAY)
    assert write_due() == 1
    ada = member(acme, "ada@example.com")
    with tenant_scope(acme.id):
        unsubscribe(organization_id=acme.id, report_id=made.pk, user_id=ada.pk)
    (told,) = deliveries(acme)
    assert (told.state, told.reason) == ("cancelled", "The recipient unsubscribed.")
    with tenant_scope(acme.id), pytest.raises(Problem, match="unsubscribed"):
        retry(organization_id=acme.id, delivery_id=told.pk)


def test_what_waits_is_not_sent_to_somebody_who_left_meanwhile(
    acme: Tenant, clock: time_machine.Traveller
) -> None:
    make_report(acme)
    clock.move_to(MONDAY)
    assert write_due() == 1
    remove_member(organization_id=acme.id, user_id=member(acme, "ada@example.com").pk)
    assert work() == 0
    (told,) = deliveries(acme)
    assert (told.state, told.reason) == ("cancelled", "The recipient unsubscribed, or is none any more.")


def test_one_organizations_failure_keeps_no_others_report_back(
    acme: Tenant, clock: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch
) -> None:
    globex = make_tenant("Globex", timezone="Europe/Berlin")
    for tenant in (acme, globex):
        make_report(tenant)

    def fail(organization: Any, *rest: Any) -> Any:
        if organization.pk == acme.id:
            raise ValueError("nobody can add this up")
        return figures(organization, *rest)

    clock.move_to(MONDAY)
    with monkeypatch.context() as patch:
        patch.setattr("alerts.reports.writing.figures", fail)
        assert write_due() == 1
    assert (len(reported(acme)), len(reported(globex)), digests(acme)) == (0, 1, [])
    assert write_due() == 1
    assert len(reported(acme)) == 1


class Killed(BaseException):
    """What becomes of a worker whose machine is gone."""


@pytest.mark.django_db(transaction=True)
class TestWorkers:
    """What happens on connections of their own."""

    def test_two_workers_at_once_write_a_report_once(self, receiver: Receiver) -> None:
        with time_machine.travel(MONDAY - WEEK + HOUR, tick=False) as clock:
            partitions.forget()
            acme = make_tenant("Acme", timezone="Europe/Berlin")
            hook = webhook(acme, receiver.url).channel
            for number in range(3):
                make_report(acme, name=f"Report {number}", channels=[hook.pk])
            clock.move_to(MONDAY)
            start = threading.Barrier(3)

            def turn() -> int:
                start.wait()
                try:
                    return write_due()
                finally:
                    connections.close_all()

            with ThreadPoolExecutor(3) as pool:
                taken = [one.result() for one in [pool.submit(turn) for _ in range(3)]]
            assert sum(taken) == 3
            assert digests(acme) == ["2026-07-06"] * 3
            assert len(deliveries(acme, notice="report")) == 3
            assert work() == 3
            assert len(set(receiver.ids)) == 3

    def test_a_worker_lost_while_it_writes_leaves_nothing_and_the_next_writes_it_all(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with time_machine.travel(MONDAY - WEEK + HOUR, tick=False) as clock:
            partitions.forget()
            acme = make_tenant("Acme", timezone="Europe/Berlin")
            make_report(acme)
            clock.move_to(MONDAY)

            def die(found: Any) -> None:
                list(found)
                raise Killed

            with monkeypatch.context() as patch:
                patch.setattr("alerts.deliveries.writing.write", die)
                with pytest.raises(Killed):
                    write_due()
            assert (digests(acme), deliveries(acme)) == ([], [])
            assert write_due() == 1
            assert len(deliveries(acme)) == 1

    def test_a_worker_lost_after_it_wrote_loses_nothing(self, receiver: Receiver) -> None:
        with time_machine.travel(MONDAY - WEEK + HOUR, tick=False) as clock:
            partitions.forget()
            acme = make_tenant("Acme", timezone="Europe/Berlin")
            made = webhook(acme, receiver.url)
            make_report(acme, channels=[made.channel.pk])
            clock.move_to(MONDAY)
            assert write_due() == 1
            receiver.then(status(500), status(204))
            assert work() == 1
            clock.shift(LEASE + timedelta(minutes=10))
            assert (write_due(), work()) == (0, 1)
            assert len(set(receiver.ids)) == 1
            assert [one.outcome for one in attempts(acme)] == ["failed", "delivered"]
            message = receiver.received[-1].verified(made.secret or "")
            assert (message["type"], message["data"]["name"]) == ("report.weekly", "For the board")


def test_the_database_holds_no_second_digest_of_a_period(acme: Tenant, clock: time_machine.Traveller) -> None:
    make_report(acme)
    clock.move_to(MONDAY)
    write_due()
    with tenant_scope(acme.id):
        again = Digest.objects.get()
        again.pk = None
        with pytest.raises(DatabaseError, match="digest_once"), transaction.atomic():
            again.save(force_insert=True)
    with system_scope():
        assert Report.objects.get().last_period_end == MONDAY.date()


def test_an_external_address_gets_reports_only_once_it_agreed(
    acme: Tenant, clock: time_machine.Traveller
) -> None:
    with tenant_scope(acme.id):
        outside = create_channel(
            organization_id=acme.id, kind="email", name="Accountant", address="books@outside.example"
        ).channel
    make_report(acme, channels=[outside.pk])
    clock.move_to(MONDAY)
    assert (write_due(), reported(acme)) == (0, [])
