"""Retention: what lies before a plan's history goes, and nothing else does."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection

from core.periods import Period
from organizations.services import change_plan
from organizations.tenancy import tenant_scope
from tests.usage.factories import NOW, Tenant, at, make_tenant, record
from tests.usage.model import Model
from usage import partitions, retention, tasks
from usage.queries.totals import Subject, totals
from usage.retention import drop_expired
from usage.rollups.fold import fold_pending
from usage.rollups.verify import verify

pytestmark = pytest.mark.django_db

PLANS = {"free": 30, "starter": 90, "professional": 365, "enterprise": None}
ZONES = {"free": "Asia/Kathmandu", "starter": "America/New_York", "professional": "UTC", "enterprise": "UTC"}
OLDEST = datetime(2025, 3, 3, tzinfo=UTC)


@pytest.fixture(autouse=True)
def clock(stopped_clock: time_machine.Traveller) -> time_machine.Traveller:
    """Everything here happens at `NOW` unless the test moves the clock."""
    return stopped_clock


def history() -> list[dict[str, Any]]:
    """Return records over sixteen months, also at the very edges of weeks."""
    moments = [NOW - timedelta(days=11 * number, hours=number) for number in range(40)]
    mondays = [OLDEST + timedelta(weeks=number) for number in (0, 18, 19, 20, 57, 58, 59, 65, 66, 67, 70, 71)]
    moments += [monday + step for monday in mondays for step in (timedelta(microseconds=-1), timedelta())]
    return [
        record(
            f"r{number}",
            timestamp=at(moment),
            tokens={"prompt": number, "completion": 1},
            model=f"m{number % 3}",
            quantities={"pages": 2, "credits": "0.1"},
        )
        for number, moment in enumerate(moments)
    ]


@pytest.fixture
def tenants() -> dict[str, Tenant]:
    """An organization on each plan, all with the same records, some folded and some not."""
    made = {plan: make_tenant(plan.title(), timezone=ZONES[plan]) for plan in PLANS}
    records = history()
    for tenant in made.values():
        tenant.api.keep(*records[::2])
    fold_pending()
    for plan, tenant in made.items():
        tenant.api.keep(*records[1::2])
        change_plan(organization_id=tenant.id, plan=plan)
    return made


def first_week_kept(plan: str) -> datetime:
    """Return the Monday of the first week that reaches into a plan's history, as the calendar has it."""
    days = PLANS[plan]
    if days is None:
        return OLDEST - timedelta(weeks=1)
    begins = {
        "free": datetime(2026, 6, 14, 18, 15, tzinfo=UTC),
        "starter": datetime(2026, 4, 16, 4, tzinfo=UTC),
    }
    begin = begins.get(plan, datetime(2025, 7, 15, tzinfo=UTC))
    return datetime.combine(begin.date() - timedelta(days=begin.weekday()), datetime.min.time(), UTC)


def weeks_with_something_to_drop() -> set[date]:
    last = max(first_week_kept(plan) for plan in PLANS)
    moments = (datetime.fromisoformat(each["timestamp"]) for each in history())
    return {(each - timedelta(days=each.weekday())).date() for each in moments if each < last}


def kept_by(plan: str) -> Model:
    model = Model()
    first = first_week_kept(plan)
    model.send([each for each in history() if datetime.fromisoformat(each["timestamp"]) >= first], "client")
    return model


def check(tenant: Tenant, model: Model) -> None:
    """See that exactly the model's records are there, and in every total."""
    start, end = datetime(2025, 1, 1, tzinfo=UTC), NOW + timedelta(hours=1)
    with tenant_scope(tenant.id), connection.cursor() as cursor:
        for table in ("usage_record", "usage_record_key"):
            cursor.execute(f"SELECT count(*), min(occurred_at) FROM {table}")
            assert cursor.fetchone() == (len(model.facts), min(fact.at for fact in model.facts.values()))
        found = totals(Subject(tenant.id, tenant.organization.rollup_timezone), Period(start, end), NOW)
    measures, meters = model.totals(start, end)
    assert {name: getattr(found, name) for name in measures} == measures
    assert found.meters == meters
    assert list(verify(tenant.organization)) == []


def tables(pattern: str) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_class WHERE relkind = 'r' AND relname ~ %s ORDER BY 1", [pattern]
        )
        return [row[0] for row in cursor.fetchall()]


def test_each_organization_keeps_the_weeks_that_reach_into_its_plans_history(
    tenants: dict[str, Tenant],
) -> None:
    assert drop_expired(NOW) == len(weeks_with_something_to_drop())
    for plan, tenant in tenants.items():
        check(tenant, kept_by(plan))
    fold_pending()
    for plan, tenant in tenants.items():
        check(tenant, kept_by(plan))
    assert drop_expired(NOW) == 0
    assert tables("^usage_record_[0-9]{8}_") == []


def test_ids_of_what_went_are_free_again_and_those_of_what_stayed_are_not(tenants: dict[str, Tenant]) -> None:
    drop_expired(NOW)
    free = tenants["free"]
    change_plan(organization_id=free.id, plan="enterprise")
    answer = free.api.send(history())
    kept = kept_by("free").facts
    assert (answer.body["accepted"], answer.body["duplicates"]) == (len(history()) - len(kept), len(kept))
    check(free, kept_by("enterprise"))
    check(tenants["enterprise"], kept_by("enterprise"))
    assert tenants["enterprise"].api.send(history()).body["accepted"] == 0


def test_a_week_that_nobody_has_a_right_to_is_dropped_altogether(db: None) -> None:
    free = make_tenant("Free")
    old = datetime(2019, 5, 8, tzinfo=UTC)
    free.api.keep(record("old", timestamp=at(old)), record("new"))
    assert tables("^usage_record_20190506$")
    change_plan(organization_id=free.id, plan="free")
    assert drop_expired(NOW) == 1
    assert tables("^usage_record_20190506") == []
    assert free.api.get("/records").ids == ["new"]


def test_an_old_week_that_is_empty_goes_too(db: None) -> None:
    make_tenant("Free", plan="free")
    partitions.make(date(2019, 5, 6))
    assert drop_expired(NOW) == 0
    assert tables("^usage_record_20190506") == []


def test_a_week_stays_until_its_last_day_has_left_the_history(acme: Tenant) -> None:
    change_plan(organization_id=acme.id, plan="free")
    acme.api.keep(
        record("a", timestamp="2026-07-06T00:00:00Z"), record("b", timestamp="2026-07-13T00:00:00Z")
    )
    assert drop_expired(datetime(2026, 8, 11, 23, 59, 59, tzinfo=UTC)) == 0
    assert acme.api.get("/records").ids == ["b", "a"]
    assert drop_expired(datetime(2026, 8, 12, tzinfo=UTC)) == 1
    assert acme.api.get("/records").ids == ["b"]


def test_without_organizations_nothing_is_dropped(db: None) -> None:
    partitions.make(date(2019, 5, 6))
    assert tasks.drop_expired() == 0
    assert tables("^usage_record_20190506$")


def test_a_replaced_week_is_as_guarded_and_as_indexed_as_any(tenants: dict[str, Tenant]) -> None:
    drop_expired(NOW)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT (SELECT count(*) FROM pg_index WHERE indrelid = c.oid),"
            " (SELECT count(*) FROM pg_trigger WHERE tgrelid = c.oid),"
            " (SELECT count(*) FROM pg_constraint WHERE conrelid = c.oid AND conname = 'of_this_week'),"
            " has_table_privilege(c.oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE')"
            " FROM pg_class c WHERE relkind = 'r' AND relname ~ '^usage_record_[0-9]{8}$'"
        )
        assert cursor.fetchall() == [(5, 2, 0, False)]


def test_ids_are_freed_even_if_the_run_before_was_interrupted(
    tenants: dict[str, Tenant], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt() -> None:
        if tables("^usage_record_[0-9]{8}_expired$"):
            raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(retention, "_free_ids", interrupt)
        with pytest.raises(KeyboardInterrupt):
            drop_expired(NOW)
    assert len(tables("^usage_record_[0-9]{8}_expired$")) == 1
    drop_expired(NOW)
    assert tables("^usage_record_[0-9]{8}_expired$") == []
    for plan, tenant in tenants.items():
        check(tenant, kept_by(plan))
