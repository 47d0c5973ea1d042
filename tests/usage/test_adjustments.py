"""Costs given later: counted once, to the nano, wherever costs are read; the records stay as they are."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import psycopg
import pytest
import time_machine
from django.db import connection
from django.test import override_settings
from psycopg import errors

from core.periods import Period
from organizations.services import change_plan
from organizations.tenancy import system_scope, tenant_scope
from tests.usage.exports.support import export
from tests.usage.factories import NOW, Tenant, at, make_tenant, record
from tests.usage.senders import Sender, fold_often, running
from usage.adjustments import Adjusted, Adjustment, adjust
from usage.complete import record_key
from usage.queries.totals import Subject, Totals, totals
from usage.retention import drop_expired
from usage.rollups.fold import fold_pending
from usage.rollups.rebuild import rebuild, stretches
from usage.rollups.verify import verify

YEAR = Period(NOW - timedelta(days=365), NOW + timedelta(days=1))


@pytest.fixture(autouse=True)
def unpriced() -> Iterator[None]:
    """Nothing is priced as it comes in."""
    with override_settings(USAGE_PIPELINE=["usage.stages.Complete", "usage.stages.Store"]):
        yield


def later(tenant: Tenant, record_id: str, moment: datetime, cost_nanos: int) -> Adjustment:
    return Adjustment(UUID(hex=record_key(tenant.id, record_id)), moment, cost_nanos, 7)


def sums(tenant: Tenant, period: Period = YEAR) -> Totals:
    with tenant_scope(tenant.id):
        return totals(Subject(tenant.id, "UTC"), period, NOW)


def make_anew(tenant: Tenant, period: Period) -> None:
    for stretch in stretches(tenant.organization, period):
        rebuild(stretch)


def figures(tenant: Tenant, period: Period = YEAR) -> tuple[int, int, int]:
    """Return requests, records without a cost, and nanos."""
    found = sums(tenant, period)
    return found.requests, found.unpriced, found.cost_nanos


@pytest.mark.django_db
@pytest.mark.parametrize(
    "order", ["adjust fold", "fold adjust", "adjust fold rebuild", "adjust rebuild fold"]
)
def test_an_adjusted_record_counts_with_its_cost_in_whatever_order_things_happen(
    acme: Tenant, stopped_clock: time_machine.Traveller, order: str
) -> None:
    acme.api.keep(record("a", timestamp=at(NOW), model="m"), record("b", timestamp=at(NOW), cost="0.5"))
    steps: dict[str, Callable[[], Any]] = {
        "fold": fold_pending,
        "adjust": lambda: adjust(acme.id, [later(acme, "a", NOW, 3)]),
        "rebuild": lambda: make_anew(acme, YEAR),
    }
    for step in order.split():
        steps[step]()
        assert list(verify(acme.organization)) == []
    assert figures(acme) == (2, 0, 500_000_003)
    # Windows that no cube answers: to the microsecond around the record, and by a question across dimensions.
    tick = timedelta(microseconds=1)
    assert figures(acme, Period(NOW, NOW + tick)) == (2, 0, 500_000_003)
    assert figures(acme, Period(NOW + tick, NOW + 2 * tick)) == (0, 0, 0)
    crossed = acme.api.get("/usage/query", metrics="cost,unpriced", groupBy="model,type", granularity="total")
    assert [(row["model"], row["cost"], row["unpriced"]) for row in crossed.body["rows"]] == [
        (None, "0.500000000", 0),
        ("m", "0.000000003", 0),
    ]


@pytest.mark.django_db
def test_the_record_says_what_it_costs_now_and_its_row_stays_as_it_was(
    acme: Tenant, stopped_clock: time_machine.Traveller
) -> None:
    acme.api.keep(record("a/b", timestamp=at(NOW), reservationId="r-1"), record("c", timestamp=at(NOW)))
    with tenant_scope(acme.id), connection.cursor() as cursor:
        cursor.execute("SELECT to_jsonb(r)::text FROM usage_record r ORDER BY id")
        before = cursor.fetchall()
        made = adjust(acme.id, [later(acme, "a/b", NOW, 2_000_000_001)])
        cursor.execute("SELECT to_jsonb(r)::text FROM usage_record r ORDER BY id")
        assert cursor.fetchall() == before
    key = UUID(hex=record_key(acme.id, "a/b"))
    assert made == [Adjusted(key, NOW, 2_000_000_001, acme.credential_id, "r-1")]
    one, listed = acme.api.get("/records/a%2Fb").body, acme.api.get("/records").items
    assert {item["id"]: item for item in listed}["a/b"] == one
    assert (one["cost"], one["priceId"]) == ("2.000000001", 7)
    assert one["adjustment"] == {"cost": "2.000000001", "priceId": 7, "createdAt": one["updatedAt"]}
    other = acme.api.get("/records/c").body
    assert (other["cost"], other["priceId"], other["adjustment"]) == (None, None, None)


@pytest.mark.django_db
def test_only_records_without_a_cost_are_adjusted_and_only_once(
    acme: Tenant, globex: Tenant, stopped_clock: time_machine.Traveller
) -> None:
    for tenant in (acme, globex):
        tenant.api.keep(record("free", timestamp=at(NOW), cost="0"), record("open", timestamp=at(NOW)))
    assert adjust(acme.id, []) == []
    wanted = [
        later(acme, "free", NOW, 1),
        later(acme, "unknown", NOW, 1),
        later(acme, "open", NOW - timedelta(microseconds=1), 1),
        later(globex, "open", NOW, 1),
        later(acme, "open", NOW, 5),
        later(acme, "open", NOW, 6),
    ]
    assert [each.cost_nanos for each in adjust(acme.id, wanted)] in ([5], [6])
    assert adjust(acme.id, wanted) == []
    assert figures(acme) in ((2, 0, 5), (2, 0, 6))
    assert figures(globex) == (2, 1, 0)


@pytest.mark.django_db
def test_an_exported_record_has_its_cost_and_the_sums_agree_with_the_totals(acme: Tenant) -> None:
    now = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=5)
    acme.api.keep(*(record(name, timestamp=at(now + timedelta(seconds=i))) for i, name in enumerate("abc")))
    adjust(acme.id, [later(acme, "a", now, 1), later(acme, "c", now + timedelta(seconds=2), 10)])
    window = {"from_": at(now - timedelta(days=1)), "to": at(now + timedelta(hours=1))}
    done, rows = export(acme, "records", "parquet", **window)
    assert [(row["id"], row["cost"], row["priceId"]) for row in rows] == [
        ("a", Decimal("0.000000001"), 7),
        ("b", None, None),
        ("c", Decimal("0.000000010"), 7),
    ]
    items = {item["id"]: item for item in acme.api.get("/records").items}
    assert [row["adjustedAt"] for row in rows] == [
        items["a"]["updatedAt"], None, items["c"]["updatedAt"]
    ]  # fmt: skip
    assert done["sums"]["cost"] == "0.000000011"
    daily, days = export(acme, "costs", "csv", **window)
    assert daily["sums"]["cost"] == "0.000000011"
    assert sum(row["unpricedRecords"] for row in days) == 1


@pytest.mark.django_db
def test_retention_takes_adjustments_with_their_records_and_no_others(
    acme: Tenant, globex: Tenant, stopped_clock: time_machine.Traveller
) -> None:
    old = NOW - timedelta(days=60)
    for tenant in (acme, globex):
        tenant.api.keep(record("old", timestamp=at(old)), record("new", timestamp=at(NOW)))
        adjust(tenant.id, [later(tenant, "old", old, 1), later(tenant, "new", NOW, 10)])
    fold_pending()
    change_plan(organization_id=acme.id, plan="free")
    assert drop_expired(NOW) == 1
    with system_scope(), connection.cursor() as cursor:
        cursor.execute("SELECT organization_id, occurred_at FROM usage_adjustment ORDER BY 1, 2")
        assert cursor.fetchall() == [(acme.id, NOW), (globex.id, old), (globex.id, NOW)]
    assert (figures(acme), figures(globex)) == ((1, 0, 10), (2, 0, 11))
    for tenant in (acme, globex):
        assert list(verify(tenant.organization)) == []


CHANGES = (
    "UPDATE usage_adjustment SET cost_nanos = 0",
    "DELETE FROM usage_adjustment",
    "TRUNCATE usage_adjustment",
)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("statement", CHANGES)
@pytest.mark.parametrize("role", ["app_connection", "owner_connection"])
def test_nobody_changes_or_removes_an_adjustment_whose_record_is_there(
    request: pytest.FixtureRequest, role: str, statement: str
) -> None:
    raw: psycopg.Connection[Any] = request.getfixturevalue(role)
    acme = make_tenant("Acme")
    moment = datetime.now(UTC)
    acme.api.keep(record("a", timestamp=at(moment)))
    adjust(acme.id, [later(acme, "a", moment, 3)])
    refusal = errors.InsufficientPrivilege if role == "app_connection" else errors.RestrictViolation
    raw.execute("SELECT set_config('headroom.system', 'on', false)")
    with pytest.raises(refusal):
        raw.execute(statement)
    assert acme.api.get("/records/a").body["cost"] == "0.000000003"


UNIT = 1_000_003
CALLS = 1_200


@pytest.mark.django_db(transaction=True)
def test_totals_are_records_and_adjustments_at_every_moment_while_all_work_at_once(
    make_server: Callable[..., Any],
) -> None:
    """One sends, two adjust, one folds, one rebuilds: a reader sees each record with its cost or without."""
    acme = make_tenant("Acme")
    server = make_server(workers=1, threads=3)
    start = datetime.now(UTC) - timedelta(days=3)
    moments = [start + timedelta(minutes=number * 3) for number in range(CALLS)]
    window = Period(start - timedelta(days=1), start + timedelta(days=4))
    batches = iter(range(0, CALLS, 50))
    first, last = threading.Event(), threading.Event()
    seen: list[tuple[int, int, int]] = []
    adjusted: list[Adjusted] = []

    def send() -> None:
        begin = next(batches, None)
        if begin is None:
            last.set()
            time.sleep(0.02)
            return
        numbers = range(begin, begin + 50)
        sender.send([record(f"r{n}", timestamp=at(moments[n]), model=f"m{n % 3}") for n in numbers])
        first.set()

    def give() -> None:
        if first.is_set():
            with tenant_scope(acme.id), connection.cursor() as cursor:
                cursor.execute("SELECT key, occurred_at FROM usage_record ORDER BY random() LIMIT 60")
                wanted = [Adjustment(key, moment, UNIT) for key, moment in cursor.fetchall()]
            adjusted.extend(adjust(acme.id, wanted))

    sender = Sender(server, acme)
    with running(send, give, give, fold_often, lambda: make_anew(acme, window)):
        while not last.is_set() or len(adjusted) < CALLS // 2:
            seen.append(figures(acme, window))
    sender.close()
    assert all(cost == (requests - open_) * UNIT for requests, open_, cost in seen)
    assert len({requests - open_ for requests, open_, _ in seen}) > 3
    assert len({each.key for each in adjusted}) == len(adjusted)
    assert figures(acme, window) == (CALLS, CALLS - len(adjusted), len(adjusted) * UNIT)
    assert list(verify(acme.organization)) == []
    fold_pending()
    assert list(verify(acme.organization)) == []
    assert figures(acme, window) == (CALLS, CALLS - len(adjusted), len(adjusted) * UNIT)
