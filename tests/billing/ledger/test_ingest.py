"""Records burn grants down in the transaction that stores them: exactly once, whoever else is writing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from itertools import count
from typing import Any

import pytest

from billing.ledger import services
from billing.ledger.queries import standings
from billing.models import Grant, LedgerTransaction
from organizations.models import Plan
from organizations.tenancy import system_scope, tenant_scope
from tests.billing.ledger.test_ledger import accounts, give
from tests.serving import Server
from tests.usage.factories import NOW, Tenant, at, make_tenant, record
from tests.usage.senders import Sender, running

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


def used(
    amount: int | str, record_id: str | None = None, meter: str = "credits", **fields: Any
) -> dict[str, Any]:
    return record(record_id, quantities={meter: amount}, **fields)


def test_a_record_takes_its_credits_from_the_grant(acme: Tenant) -> None:
    give(acme, 10)
    acme.api.keep(used("2.5"), used(1, meter="quota"))
    assert accounts(acme) == {"granted": -10, "available": Decimal("7.5"), "consumed": Decimal("2.5")}


def test_a_batch_is_one_transaction_of_each_ledger(acme: Tenant) -> None:
    give(acme, 10)
    give(acme, 10, allowance="quota")
    acme.api.keep(*(record(quantities={"credits": 1, "quota": 2}) for _ in range(3)))
    with tenant_scope(acme.id):
        uses = LedgerTransaction.objects.filter(kind="use").order_by("allowance")
        assert [(one.allowance, one.postings.count()) for one in uses] == [("credits", 2), ("quota", 2)]


def test_a_use_leads_to_the_records_that_it_is_made_of(transactional_db: None) -> None:
    acme = make_tenant("Acme")
    give(acme, 10)
    first, second, last = (NOW - MINUTE * minutes for minutes in (5, 4, 3))
    batch = [used(2, f"batch-{place}", timestamp=at(one)) for place, one in enumerate((first, second, last))]
    acme.api.keep(*batch, record("plain"))
    acme.api.keep(used("0.5", "late", timestamp=at(second)))
    late, use, given = acme.api.get("/credits/transactions").items
    assert given["records"] is None
    assert use["records"] == {
        "from": at(first),
        "to": at(last + timedelta(microseconds=1)),
        "createdAt": acme.api.get("/records/batch-0").body["createdAt"],
    }
    assert sorted(acme.api.get("/records", **use["records"]).ids) == ["batch-0", "batch-1", "batch-2"]
    assert acme.api.get("/records", **late["records"]).ids == ["late"]


def test_a_repeated_record_is_burnt_once(acme: Tenant) -> None:
    give(acme, 10)
    for _ in range(3):
        acme.api.send([used(1, "same"), used(1, "same"), used(2, "other")])
    assert accounts(acme)["consumed"] == 3


def test_a_refused_record_burns_nothing(acme: Tenant) -> None:
    give(acme, 10)
    acme.api.send([used(1), {**used(5), "status": "unsure"}])
    assert accounts(acme)["consumed"] == 1


def test_what_no_grant_covers_is_posted_as_uncovered(acme: Tenant) -> None:
    give(acme, 10)
    acme.api.keep(used(4), used(9))
    assert accounts(acme) == {"granted": -10, "consumed": 13, "uncovered": -3}
    assert acme.api.get("/credits").body["credits"]["remaining"] == 0


def test_where_the_plan_allows_it_what_is_left_goes_below_zero(acme: Tenant) -> None:
    with system_scope():
        Plan.objects.filter(slug="enterprise").update(overage=True)
    give(acme, 10)
    acme.api.keep(used(13))
    assert accounts(acme) == {"granted": -10, "consumed": 13, "overage": -3}
    assert acme.api.get("/credits").body["credits"]["remaining"] == -3
    give(acme, 5)
    assert acme.api.get("/credits").body["credits"]["remaining"] == 2


def test_grants_are_burnt_down_in_their_order(acme: Tenant, stopped_clock: object) -> None:
    last = give(acme, 5)
    soon = give(acme, 5, expires_at=NOW + HOUR)
    first = give(acme, 5, priority=1)
    acme.api.keep(used(7))
    left = {grant["id"]: grant["remaining"] for grant in acme.api.get("/credits").body["grants"]}
    assert left == {first.pk: 0, soon.pk: 3, last.pk: 5}


def test_a_grant_does_not_pay_for_what_was_used_before_it_began(acme: Tenant, stopped_clock: object) -> None:
    give(acme, 10)
    acme.api.keep(used(2, timestamp=at(NOW - HOUR)), used(1, timestamp=at(NOW)))
    assert accounts(acme) == {"granted": -10, "available": 9, "consumed": 3, "uncovered": -2}


def test_a_record_may_come_a_little_after_its_grant_expired(acme: Tenant, stopped_clock: Any) -> None:
    give(acme, 10, expires_at=NOW + HOUR)
    stopped_clock.move_to(NOW + HOUR * 1.5)
    acme.api.keep(used(2, timestamp=at(NOW + HOUR / 2)))
    stopped_clock.move_to(NOW + 2 * HOUR)
    acme.api.keep(used(3, timestamp=at(NOW + HOUR / 2)))
    assert accounts(acme) == {"granted": -10, "available": 8, "consumed": 5, "uncovered": -3}


def test_an_organization_without_grants_has_no_ledger(acme: Tenant, globex: Tenant) -> None:
    give(globex, 10)
    acme.api.keep(used(5))
    assert accounts(acme) == {}


def test_records_without_credits_or_quota_never_touch_the_ledger(acme: Tenant) -> None:
    give(acme, 10)
    with system_scope():
        before = LedgerTransaction.objects.count()
    acme.api.keep(record(), used(5, meter="pages"))
    with system_scope():
        assert LedgerTransaction.objects.count() == before


def test_the_ledger_and_the_records_agree_whatever_becomes_of_the_server(
    transactional_db: None, server: Server
) -> None:
    acme = make_tenant("Acme")
    give(acme, 150)
    give(acme, 100, priority=1)
    numbers = count()

    def sender() -> tuple[Sender, Callable[[], None]]:
        made = Sender(server, acme)

        def send() -> None:
            made.send([used("0.5", f"call-{next(numbers)}") for _ in range(7)])

        return made, send

    senders = [sender() for _ in range(4)]
    with running(*(send for _, send in senders)):
        for _ in range(3):
            server.kill()
            server.restart()
    for made, _ in senders:
        made.close()
    sent = Decimal(acme.api.get("/usage").body["credits"]["consumed"])
    with tenant_scope(acme.id):
        standing = standings(acme.id, NOW + timedelta(days=9999))["credits"]
    assert standing.consumed == sent
    assert sent > 0
    assert standing.available == max(250 - sent, 0)
    assert standing.uncovered == max(sent - 250, 0)


def test_two_who_expire_and_burn_at_once_never_lose_or_double_anything(transactional_db: None) -> None:
    acme = make_tenant("Acme")
    for _ in range(20):
        give(acme, 3)
    numbers = count()

    def burn() -> None:
        acme.api.keep(used(1, f"call-{next(numbers)}"))

    def revoke() -> None:
        with tenant_scope(acme.id):
            one = Grant.objects.filter(revoked_at=None).order_by("?").first()
        if one is not None:
            services.revoke_grant(organization_id=acme.id, grant_id=one.pk)

    with running(burn, burn, revoke):
        while True:
            with tenant_scope(acme.id):
                if not standings(acme.id, NOW + timedelta(days=9999))["credits"].available:
                    break
    with tenant_scope(acme.id):
        found = standings(acme.id, NOW + timedelta(days=9999))["credits"]
    assert found.granted == 60
    assert found.consumed - found.uncovered + found.revoked == 60
    assert found.consumed == acme.api.get("/usage").body["credits"]["consumed"]
