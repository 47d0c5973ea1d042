"""Spend limits: each warning, pause and end is told once, none is lost, whatever happens in between."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connections

from alerts.models import LimitNotice
from alerts.rules import evaluate as evaluation
from alerts.rules.evaluate import evaluate
from alerts.senders.charts import draw
from billing.models import Enforcement, Window
from billing.services.upkeep import upkeep
from organizations.tenancy import system_scope
from tests.alerts.rules.ruling import built_in, change, events, only
from tests.alerts.telling import deliveries, webhook
from tests.billing.spending import limit_to, spend, unlimit
from tests.usage.factories import NOW, Tenant, make_tenant, record

pytestmark = pytest.mark.django_db
SHARES = (50, 80, 95)
HOOK = "https://hooks.example.com/one"
GoTo = Callable[[datetime], None]


def limited(tenant: Tenant, units: float = 100, **options: Any) -> None:
    limit_to(tenant, units, **{"window": Window.WEEK, "warn_at": SHARES, **options})


def buy(tenant: Tenant, cost: str) -> None:
    """Have a record cost something, so that a limit set later finds it."""
    tenant.api.keep(record(cost=cost))


def told(tenant: Tenant) -> list[tuple[int, str]]:
    """Return what is told of limits: the shares in order, and whether each still holds."""
    return [(int(event.threshold or 0), "over" if event.resolved_at else "open") for event in events(tenant)]


@pytest.mark.parametrize(
    ("spent", "shares"),
    [
        (49.999999999, []),
        (50, [50]),
        (79, [50]),
        (80, [50, 80]),
        (95, [50, 80, 95]),
        (99.99, [50, 80, 95]),
        (100, [50, 80, 95, 100]),
        (1000, [50, 80, 95, 100]),
    ],
)
def test_below_at_above_and_beyond_several_at_once(spent: float, shares: list[int], acme: Tenant) -> None:
    limited(acme)
    spend(acme, spent)
    evaluate()
    assert told(acme) == [(share, "open") for share in shares]


def test_what_is_told_says_how_much_of_what_was_spent(acme: Tenant) -> None:
    limited(acme)
    spend(acme, 81.25)
    evaluate()
    event = events(acme)[1]
    rule = built_in(acme, "spend_limit")
    assert (event.rule_id, event.rule_revision, event.rule_name) == (rule.pk, 1, "Spend limit")
    assert (event.metric, event.unit, event.severity) == ("cost", "percent", "warning")
    assert (event.threshold, event.value) == (Decimal(80), Decimal("81.25"))
    assert event.scope == {"kind": "organization"}
    assert event.message == "Spending has reached 80% of the limit: 81.25 USD of 100.00 USD."
    assert (event.period_start, event.period_end) == (
        datetime.fromisoformat("2026-07-13T00:00:00Z"),
        datetime.fromisoformat("2026-07-20T00:00:00Z"),
    )


def test_what_is_told_has_a_chart_of_the_spending_up_to_the_limit(acme: Tenant) -> None:
    limited(acme)
    spend(acme, 10, at=NOW - timedelta(hours=26))
    spend(acme, 5, at=NOW - timedelta(minutes=30))
    spend(acme, 40)
    evaluate()
    chart = events(acme)[0].chart
    assert chart == {
        "points": [
            ["2026-07-13T00:00:00Z", "0.000000000"],
            ["2026-07-14T10:00:00Z", "10.000000000"],
            ["2026-07-15T12:00:00Z", "55.000000000"],
            ["2026-07-15T12:34:56.789012Z", "55.000000000"],
        ],
        "threshold": "100.000000000",
        "unit": "USD",
        "timezone": "UTC",
    }
    assert draw(chart)


def test_the_pause_is_critical_and_told_once_whatever_is_warned_at(acme: Tenant) -> None:
    limited(acme, warn_at=(100,))
    spend(acme, 100)
    evaluate()
    (event,) = events(acme)
    assert (event.severity, event.threshold) == ("critical", Decimal(100))
    assert event.message == "The spend limit is reached, calls are refused: 100.00 USD of 100.00 USD spent."


def test_a_limit_that_only_warns_is_told_at_the_whole_as_well(acme: Tenant) -> None:
    limited(acme, enforcement=Enforcement.WARN)
    spend(acme, 100)
    evaluate()
    assert told(acme) == [(50, "open"), (80, "open"), (95, "open"), (100, "open")]


def test_repeated_evaluation_and_further_spending_repeat_nothing(acme: Tenant) -> None:
    webhook(acme, HOOK)
    limited(acme)
    for _ in range(3):
        spend(acme, 10)
        spend(acme, 20)
        evaluate()
        evaluate()
    assert told(acme) == [(50, "open"), (80, "open")]
    assert len(deliveries(acme)) == 2


def test_a_new_week_ends_what_the_last_one_told_and_tells_its_own(acme: Tenant, go_to: GoTo) -> None:
    limited(acme)
    spend(acme, 80)
    evaluate()
    go_to(NOW + timedelta(days=7))
    upkeep(acme.organization)
    evaluate()
    assert told(acme) == [(50, "over"), (80, "over")]
    spend(acme, 50)
    evaluate()
    assert told(acme) == [(50, "over"), (80, "over"), (50, "open")]


def test_a_jump_in_the_new_week_before_anyone_looked_is_told_of_that_week(acme: Tenant, go_to: GoTo) -> None:
    limited(acme)
    spend(acme, 80)
    go_to(NOW + timedelta(days=7))
    spend(acme, 60)
    evaluate()
    assert sorted(told(acme)) == [(50, "open"), (50, "over"), (80, "over")]


def test_a_limit_that_is_raised_ends_what_is_not_reached_any_more(acme: Tenant) -> None:
    limited(acme)
    buy(acme, "100")
    evaluate()
    limited(acme, 120)
    evaluate()
    assert told(acme) == [(50, "open"), (80, "open"), (95, "over"), (100, "over")]


def test_a_limit_that_is_lowered_tells_what_is_reached_now(acme: Tenant) -> None:
    limited(acme)
    buy(acme, "40")
    evaluate()
    assert told(acme) == []
    limited(acme, 45)
    evaluate()
    assert told(acme) == [(50, "open"), (80, "open")]


def test_what_was_reached_and_is_over_before_anyone_looked_is_told_with_its_end(acme: Tenant) -> None:
    webhook(acme, HOOK)
    limited(acme)
    buy(acme, "50")
    limited(acme, 1000)
    evaluate()
    assert told(acme) == [(50, "over")]
    assert sorted(one.notice for one in deliveries(acme)) == ["fired", "resolved"]


def test_a_limit_that_is_removed_ends_everything(acme: Tenant) -> None:
    limited(acme)
    spend(acme, 100)
    evaluate()
    unlimit(acme)
    evaluate()
    assert {state for _, state in told(acme)} == {"over"}
    assert len(told(acme)) == 4


def test_limits_of_the_organization_and_of_a_key_are_told_apart(acme: Tenant) -> None:
    limited(acme)
    limited(acme, 10, credential_id=acme.credential_id)
    spend(acme, 8)
    evaluate()
    assert [(event.scope, int(event.threshold or 0)) for event in events(acme)] == [
        ({"kind": "credential", "value": acme.client_id}, 50),
        ({"kind": "credential", "value": acme.client_id}, 80),
    ]


def test_switched_off_nothing_is_told_and_switched_on_what_holds_once(acme: Tenant) -> None:
    rule = built_in(acme, "spend_limit")
    limited(acme)
    spend(acme, 50)
    evaluate()
    change(acme, rule, enabled=False)
    assert told(acme) == [(50, "over")]
    spend(acme, 40)
    evaluate()
    assert told(acme) == [(50, "over")]
    change(acme, rule, enabled=True)
    evaluate()
    evaluate()
    assert sorted(told(acme)) == [(50, "open"), (50, "over"), (80, "open")]


def test_nothing_waits_for_a_rule_that_is_switched_off(acme: Tenant) -> None:
    change(acme, built_in(acme, "spend_limit"), enabled=False)
    limited(acme)
    spend(acme, 50)
    evaluate()
    with system_scope():
        assert LimitNotice.objects.count() == 0


def test_a_crash_between_evaluation_and_delivery_loses_nothing(
    acme: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    webhook(acme, HOOK)
    limited(acme)
    spend(acme, 80)

    def crash(*args: Any) -> Any:
        raise RuntimeError("the worker is gone")

    with monkeypatch.context() as broken:
        broken.setattr(evaluation, "_keep", crash)
        with pytest.raises(RuntimeError, match="gone"):
            evaluate()
    assert told(acme) == []
    evaluate()
    assert told(acme) == [(50, "open"), (80, "open")]
    assert len(deliveries(acme)) == 2


@pytest.mark.django_db(transaction=True)
def test_of_workers_that_look_at_once_one_tells() -> None:
    acme = make_tenant("Acme")
    only(acme, "spend_limit")
    webhook(acme, HOOK)
    limited(acme)
    spend(acme, 100)
    start = threading.Barrier(4)

    def look(_: int) -> int:
        start.wait()
        try:
            return evaluate().told
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        counts = list(pool.map(look, range(4)))
    assert sorted(counts) == [0, 0, 0, 4]
    assert told(acme) == [(50, "open"), (80, "open"), (95, "open"), (100, "open")]
    assert len(deliveries(acme)) == 4


@pytest.mark.django_db(transaction=True)
def test_spenders_and_workers_at_once_tell_every_share_once() -> None:
    acme = make_tenant("Acme")
    only(acme, "spend_limit")
    limited(acme)
    start = threading.Barrier(4)

    def work(number: int) -> None:
        start.wait()
        try:
            for _ in range(10):
                if number % 2:
                    spend(acme, 5)
                else:
                    evaluate(organizations=[acme.id], only_spend=True)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))
    evaluate()
    assert sorted(told(acme)) == [(50, "open"), (80, "open"), (95, "open"), (100, "open")]
