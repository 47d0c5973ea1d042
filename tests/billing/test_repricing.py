"""Repricing: what came without a price is given the one that the book has later, once, and limits follow."""

from __future__ import annotations

import threading
from collections import Counter
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from billing import book, repricing
from billing.models import Reservation, SpendLimit
from billing.rating import Rate
from billing.repricing import Repriced, reprice
from billing.services.reservations import charge, format_reservation
from core import clock
from core.periods import Period
from organizations.tenancy import tenant_scope
from tests.billing.pricing import price
from tests.billing.spending import hold, limit_to
from tests.usage.factories import NOW, Tenant, at, make_tenant, record
from tests.usage.senders import fold_often, running
from usage.queries.totals import Subject, totals
from usage.rollups.fold import fold_pending
from usage.rollups.verify import verify

MODEL = "house-7b"
YEAR = Period(NOW - timedelta(days=60), NOW + timedelta(days=1))


def used(name: str, moment: datetime, prompt: int = 10, **fields: Any) -> dict[str, Any]:
    fields = {"model": MODEL, "provider": "us", **fields}
    return record(name, timestamp=at(moment), tokens={"prompt": prompt, "completion": 1}, **fields)


def known(**terms: Any) -> int:
    """Add a price of 1 a token of the prompt and 2 a token of the completion, in nanos; return its id."""
    rates = (Rate("prompt", 1, 1), Rate("completion", 2, 1))
    found = int(price(provider="us", model=MODEL, rates=rates, **terms).pk)
    book.forget()
    return found


def figures(tenant: Tenant, period: Period = YEAR) -> tuple[int, int, int]:
    with tenant_scope(tenant.id):
        found = totals(Subject(tenant.id, tenant.organization.rollup_timezone), period, clock.now())
    return found.requests, found.unpriced, found.cost_nanos


def spent(tenant: Tenant) -> int:
    """Return what the organization's limit has counted."""
    with tenant_scope(tenant.id):
        return int(SpendLimit.objects.get(credential=None).spent_nanos)


@pytest.mark.django_db
@pytest.mark.usefixtures("stopped_clock")
@pytest.mark.parametrize("chunk", [1, 2, 1000])
def test_unpriced_records_get_the_price_of_their_moment_and_tier_and_nothing_else_changes(
    acme: Tenant, chunk: int
) -> None:
    acme.api.keep(
        used("old", NOW - timedelta(days=40)),
        used("before", NOW - timedelta(days=50)),
        used("a", NOW, 10**6),
        used("batch", NOW, serviceTier="batch"),
        used("given", NOW, cost="3"),
        used("other", NOW, model="unknown-1"),
        record("none", timestamp=at(NOW)),
    )
    fold_pending()
    standard = known(effective_from=NOW - timedelta(days=45))
    batch = int(price(provider="us", model=MODEL, tier="batch", rates=(Rate("completion", 7, 1),)).pk)
    book.forget()
    left = Counter({("us", MODEL): 1, ("us", "unknown-1"): 1, ("", ""): 1})
    wanted = Repriced(3, 12 + 1_000_002 + 7, left)
    assert reprice(acme.organization, YEAR, dry_run=True, chunk=chunk) == wanted
    assert figures(acme) == (7, 6, 3_000_000_000)
    assert reprice(acme.organization, YEAR, chunk=chunk) == wanted
    assert figures(acme) == (7, 3, 3_000_000_000 + 1_000_021)
    assert reprice(acme.organization, YEAR, chunk=chunk) == Repriced(0, 0, left)
    items = {item["id"]: (item["cost"], item["priceId"]) for item in acme.api.get("/records").items}
    assert items == {
        "old": ("0.000000012", standard),
        "before": (None, None),
        "a": ("0.001000002", standard),
        "batch": ("0.000000007", batch),
        "given": ("3.000000000", None),
        "other": (None, None),
        "none": (None, None),
    }
    assert list(verify(acme.organization)) == []


@pytest.mark.django_db
@pytest.mark.usefixtures("stopped_clock")
def test_a_limit_counts_what_repricing_finds_within_its_window_and_pauses(acme: Tenant) -> None:
    other = acme.another_credential()
    limit_to(acme, 0.000_000_030)
    limit_to(acme, 5, credential_id=other.credential_id)
    acme.api.keep(used("new", NOW), used("past", NOW - timedelta(days=8)))
    other.api.keep(used("another", NOW - timedelta(days=6), 20))
    known()
    assert reprice(acme.organization, YEAR).records == 3
    with tenant_scope(acme.id):
        whole, own = SpendLimit.objects.order_by("limit_nanos")
    assert (int(whole.spent_nanos), whole.state) == (12 + 22, "paused")
    assert (int(own.spent_nanos), own.state) == (22, "open")


@pytest.mark.django_db
@pytest.mark.usefixtures("stopped_clock")
def test_a_reservation_that_was_settled_for_nothing_shows_what_its_record_came_to(acme: Tenant) -> None:
    limit_to(acme, 5)
    held = hold(acme, 1)
    acme.api.keep(used("a", NOW, reservationId=format_reservation(held)))
    known()
    assert reprice(acme.organization, YEAR).cost_nanos == 12
    with tenant_scope(acme.id):
        assert int(Reservation.objects.get(pk=held).settled_nanos) == 12
        assert int(SpendLimit.objects.get().reserved_nanos) == 0


@pytest.mark.django_db
@pytest.mark.usefixtures("stopped_clock")
def test_a_price_that_changes_while_records_are_rated_is_the_one_they_get(
    acme: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    acme.api.keep(used("a", NOW))
    known()
    rate = repricing._priced
    changes: list[int] = []

    def changing(*args: Any) -> Any:
        found = rate(*args)
        if not changes:
            changes.append(int(price(provider="us", model=MODEL, prompt=5).pk))
        return found

    monkeypatch.setattr(repricing, "_priced", changing)
    assert reprice(acme.organization, YEAR).cost_nanos == 50
    assert acme.api.get("/records/a").body["priceId"] == changes[0]


@pytest.mark.django_db(transaction=True)
def test_two_that_reprice_while_records_come_and_are_folded_price_each_record_once() -> None:
    acme = make_tenant("Acme", plan="pay-as-you-go")
    limit_to(acme, 1)
    now = clock.now()
    moments = [now - timedelta(minutes=7 * number) for number in range(600)]
    acme.api.keep(*(used(f"r{place}", moment) for place, moment in enumerate(moments)))
    known()
    window = Period(now - timedelta(days=10), now + timedelta(hours=1))
    outcomes: list[Repriced] = []
    barrier = threading.Barrier(2)

    def work() -> None:
        barrier.wait(10)
        try:
            outcomes.append(reprice(acme.organization, window, chunk=40))
        finally:
            connection.close()

    with running(fold_often):
        threads = [threading.Thread(target=work) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sum(outcome.records for outcome in outcomes) == 600
    assert sum(outcome.cost_nanos for outcome in outcomes) == 600 * 12
    assert figures(acme, window) == (600, 0, 600 * 12)
    assert spent(acme) == 600 * 12
    assert list(verify(acme.organization)) == []


@pytest.mark.django_db(transaction=True)
def test_what_is_interrupted_has_whole_chunks_and_goes_on_when_run_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    acme = make_tenant("Acme", plan="pay-as-you-go")
    limit_to(acme, 1)
    now = clock.now()
    acme.api.keep(*(used(f"r{place}", now - timedelta(minutes=place)) for place in range(9)))
    known()
    window = Period(now - timedelta(days=2), now + timedelta(hours=1))
    calls = iter(range(100))

    def interrupted(**what: Any) -> None:
        charge(**what)
        if next(calls) == 1:
            raise KeyboardInterrupt

    monkeypatch.setattr(repricing, "charge", interrupted)
    with pytest.raises(KeyboardInterrupt):
        reprice(acme.organization, window, chunk=4)
    assert (figures(acme, window), spent(acme)) == ((9, 5, 4 * 12), 4 * 12)
    assert list(verify(acme.organization)) == []
    assert reprice(acme.organization, window, chunk=4) == Repriced(5, 5 * 12)
    assert (figures(acme, window), spent(acme)) == ((9, 0, 9 * 12), 9 * 12)


@pytest.mark.django_db
@pytest.mark.usefixtures("stopped_clock")
def test_the_command_prices_and_says_what_is_left(
    acme: Tenant, globex: Tenant, capsys: pytest.CaptureFixture[str]
) -> None:
    for tenant in (acme, globex):
        tenant.api.keep(used("a", NOW), used("b", NOW - timedelta(days=2)), record("c", timestamp=at(NOW)))
    known()
    call_command("reprice", "--organization", "acme", "--from", at(NOW - timedelta(days=1)), "--dry-run")
    assert capsys.readouterr().out.splitlines() == [
        "acme: 1 records would be priced, 0.000000012 USD; 1 left",
        "  no price: any provider, no model: 1 records",
    ]
    call_command("reprice")
    assert capsys.readouterr().out.splitlines() == [
        "acme: 2 records priced, 0.000000024 USD; 1 left",
        "  no price: any provider, no model: 1 records",
        "globex: 2 records priced, 0.000000024 USD; 1 left",
        "  no price: any provider, no model: 1 records",
    ]
    assert figures(acme) == figures(globex) == (3, 1, 24)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--organization", "nobody"], "There is no organization nobody."),
        (["--from", "yesterday"], "--from: "),
        (["--from", "2026-01-02T00:00:00Z", "--to", "2026-01-02T00:00:00Z"], "--to must be later"),
    ],
)
def test_the_command_says_what_it_can_not_do(acme: Tenant, arguments: list[str], reason: str) -> None:
    with pytest.raises(CommandError, match=reason):
        call_command("reprice", *arguments)
