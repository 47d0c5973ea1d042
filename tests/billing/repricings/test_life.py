"""The life of a repricing: asked for, claimed, done, cancelled, refused; what it notes, and for whom."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from django.db import connections

from billing.models import Repricing, RepricingPart, RepricingState
from billing.models import repricing as models
from billing.repricings import parts, run, services
from core import clock, pulse
from core.problems import Problem
from organizations.models import Plan
from organizations.tenancy import system_scope, tenant_scope
from tests.billing.repricings.support import (
    COST_NANOS,
    Told,
    ask,
    figures,
    know,
    numbers,
    part_of,
    stored,
    use,
)
from tests.portal.pages import sign_in
from tests.usage.factories import NOW, Tenant
from tests.usage.senders import fold_often, running
from usage.rollups.verify import verify


@pytest.mark.django_db
def test_a_dry_run_counts_and_changes_nothing_and_a_real_one_does_the_same_for_good(acme: Tenant) -> None:
    use(acme, 7)
    use(acme, 2, model="unknown-1")
    know()
    wanted = (9, 9, 7, 2, 7 * COST_NANOS)
    tried = ask(acme, dry_run=True)
    assert run.run_repricing(tried.pk, chunk=2) == 9
    assert (stored(tried).state, numbers(tried, acme)) == ("done", wanted)
    assert figures(acme) == (9, 9, 0)

    real = ask(acme)
    assert run.run_repricing(real.pk, chunk=2) == 9
    assert (stored(real).state, numbers(real, acme)) == ("done", wanted)
    assert part_of(real, acme).left == [{"provider": "us", "model": "unknown-1", "records": 2}]
    assert figures(acme) == (9, 2, 7 * COST_NANOS)
    assert list(verify(acme.organization)) == []

    again = ask(acme)
    run.run_repricing(again.pk, chunk=2)
    assert numbers(again, acme) == (2, 2, 0, 2, 0)
    assert figures(acme) == (9, 2, 7 * COST_NANOS)


@pytest.mark.django_db
def test_all_organizations_are_repriced_and_each_sees_its_own_part(acme: Tenant, globex: Tenant) -> None:
    use(acme, 3)
    use(globex, 2)
    know()
    asked = ask()
    assert run.run_repricing(asked.pk) == 5
    assert numbers(asked, acme) == (3, 3, 3, 0, 3 * COST_NANOS)
    assert numbers(asked, globex) == (2, 2, 2, 0, 2 * COST_NANOS)
    with tenant_scope(acme.id):
        assert RepricingPart.objects.count() == 1
        assert Repricing.objects.get().state == "done"


@pytest.mark.django_db
def test_an_organization_with_nothing_to_price_has_no_part_unless_it_was_asked_for(
    acme: Tenant, globex: Tenant
) -> None:
    use(globex, 1)
    run.run_repricing(ask(dry_run=True).pk)
    with tenant_scope(acme.id):
        assert not RepricingPart.objects.exists()
    asked = ask(acme, dry_run=True)
    run.run_repricing(asked.pk)
    assert (stored(asked).state, numbers(asked, acme)) == ("done", (0, 0, 0, 0, 0))


@pytest.mark.django_db
def test_only_records_of_the_window_are_priced(acme: Tenant) -> None:
    use(acme, 10, days=10)
    know()
    now = clock.now()
    asked = ask(acme, start=now - timedelta(days=5, hours=1), end=now - timedelta(days=1, hours=1))
    run.run_repricing(asked.pk)
    assert numbers(asked, acme) == (4, 4, 4, 0, 4 * COST_NANOS)
    assert figures(acme) == (10, 6, 4 * COST_NANOS)


@pytest.mark.django_db
def test_a_window_before_the_history_has_nothing_to_price(acme: Tenant) -> None:
    Plan.objects.filter(pk=acme.organization.plan_id).update(history_days=30)
    use(acme, 2)
    asked = ask(acme, end=clock.now() - timedelta(days=40))
    run.run_repricing(asked.pk)
    assert (stored(asked).state, numbers(asked, acme)) == ("done", (0, 0, 0, 0, 0))


@pytest.mark.django_db
def test_models_beyond_the_bound_are_counted_in_the_sum_alone(
    acme: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(models, "MOST_LEFT", 2)
    for place in range(4):
        use(acme, place + 1, model=f"unknown-{place}")
    asked = ask(acme)
    run.run_repricing(asked.pk, chunk=1)
    part = part_of(asked, acme)
    assert (part.left_records, len(part.left)) == (10, 2)
    assert {each["model"]: each["records"] for each in part.left}.items() <= {
        f"unknown-{place}": place + 1 for place in range(4)
    }.items()


@pytest.mark.django_db
def test_it_asks_for_the_worker_when_it_is_committed(
    acme: Tenant, told: Told, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        asked = ask(acme)
        assert told == []
    assert told == [asked.pk]


@pytest.mark.django_db
def test_a_window_that_ends_before_it_starts_is_refused(acme: Tenant) -> None:
    with pytest.raises(Problem) as caught:
        ask(acme, start=NOW, end=NOW)
    assert [error.pointer for error in caught.value.errors] == ["/window_end"]


@pytest.mark.django_db
def test_what_is_being_repriced_is_not_repriced_beside_it(acme: Tenant, globex: Tenant) -> None:
    first = ask(acme)
    ask(acme, dry_run=True)
    ask(globex)
    for tenant in (acme, None):
        with pytest.raises(Problem) as caught:
            ask(tenant)
        assert (caught.value.status, caught.value.code) == (409, "repricing_under_way")
    services.cancel(first.pk)
    assert ask(acme).state == RepricingState.QUEUED


@pytest.mark.django_db(transaction=True)
def test_of_many_who_claim_one_gets_it_and_one_runs_at_a_time(acme: Tenant, globex: Tenant) -> None:
    first, second = ask(acme), ask(globex)
    start = threading.Barrier(8)

    def claim(place: int) -> bool:
        start.wait()
        try:
            return services.claim((first, second)[place % 2].pk) is not None
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as pool:
        claimed = list(pool.map(claim, range(8)))
    assert sum(claimed) == 1
    assert sorted(stored(each).state for each in (first, second)) == ["queued", "running"]


@pytest.mark.django_db
def test_whoever_ended_asks_for_the_next(acme: Tenant, globex: Tenant, told: Told) -> None:
    first, second = ask(acme), ask(globex)
    run.run_repricing(first.pk)
    assert told == [second.pk]
    assert run.run_repricing(first.pk) == 0


@pytest.mark.django_db
def test_one_that_was_cancelled_while_it_waited_is_not_begun(acme: Tenant) -> None:
    use(acme, 1)
    know()
    asked = ask(acme)
    assert services.cancel(asked.pk)
    assert not services.cancel(asked.pk)
    assert run.run_repricing(asked.pk) == 0
    assert (stored(asked).state, figures(acme)) == ("cancelled", (1, 1, 0))


@pytest.mark.django_db
def test_a_worker_whose_turn_is_over_hands_on_where_it_stood(
    acme: Tenant, globex: Tenant, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(acme, 5)
    use(globex, 2)
    know()
    asked = ask()
    monkeypatch.setattr(run, "TURN", timedelta(0))
    looked_at = []
    while stored(asked).state != "done":
        looked_at.append(run.run_repricing(asked.pk, chunk=2))
        assert len(looked_at) < 20
    assert sum(looked_at) == 7
    assert stored(asked).attempts == len(looked_at) > 4
    assert told[0] == asked.pk
    assert numbers(asked, acme) == (5, 5, 5, 0, 5 * COST_NANOS)
    assert numbers(asked, globex) == (2, 2, 2, 0, 2 * COST_NANOS)


@pytest.mark.django_db
def test_a_fault_fails_it_and_says_where_to_look(acme: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    use(acme, 3)
    know()
    asked = ask(acme)

    def broken(*args: Any) -> None:
        raise RuntimeError

    monkeypatch.setattr(parts, "note_step", broken)
    run.run_repricing(asked.pk)
    assert (stored(asked).state, stored(asked).error) == ("failed", run.BROKEN)
    assert figures(acme) == (3, 3, 0)


@pytest.mark.django_db(transaction=True)
def test_progress_is_seen_from_outside_while_records_come_and_are_folded(
    acme: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(acme, 40)
    know()
    asked = ask(acme)
    seen: list[int] = []
    check = pulse.Pulse.check

    def look(beating: pulse.Pulse) -> None:
        check(beating)
        with ThreadPoolExecutor(1) as pool:
            seen.append(pool.submit(_looked_at, asked).result())

    monkeypatch.setattr(pulse.Pulse, "check", look)
    with running(fold_often):
        assert run.run_repricing(asked.pk, chunk=10) == 40
    assert (seen[0], seen[-1]) == (0, 40)
    assert all(0 <= after - before <= 10 for before, after in pairwise(seen))
    assert figures(acme) == (40, 0, 40 * COST_NANOS)


def _looked_at(asked: Repricing) -> int:
    try:
        with system_scope():
            return sum(RepricingPart.objects.filter(repricing=asked).values_list("looked_at", flat=True))
    finally:
        connections.close_all()


@pytest.mark.django_db
def test_who_asked_and_what_became_of_it_is_in_the_audit_trail(acme: Tenant) -> None:
    use(acme, 1)
    know()
    run.run_repricing(ask(acme).pk)
    found = sign_in(acme).get("/api/v1/audit?kind=repricing&order=asc").json()["items"]
    assert [entry["action"] for entry in found] == ["created", "updated", "updated"]
    states = [change["after"] for entry in found for change in entry["changes"] if change["field"] == "state"]
    assert states == ["queued", "running", "done"]
    assert found[-1]["actor"]["job"] == "reprice"
