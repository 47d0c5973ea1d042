"""Rules over metrics: each condition, scope, window and metric, on what is folded and on what is pending."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext

from alerts.rules.evaluate import evaluate
from billing.ledger.services import grant
from billing.models import Window
from organizations import rate_limits
from organizations.services import revoke_credential
from organizations.tenancy import system_scope, tenant_scope
from tests.alerts.rules.ruling import built_in, change, delete, events, make_rule, only
from tests.alerts.telling import deliveries, mailbox, webhook
from tests.billing.spending import limit_to, spend
from tests.usage.factories import NOW, Tenant, at, make_tenant, record
from usage.rollups.fold import fold_pending

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
HOOK = "https://hooks.example.com/one"
GoTo = Callable[[datetime], None]


@pytest.fixture(params=["folded", "pending"])
def keep(request: pytest.FixtureRequest) -> Callable[..., None]:
    """A function that has a tenant send so many records of a moment, folded or still pending."""

    def keep(tenant: Tenant, count: int, moment: datetime = NOW, **fields: Any) -> None:
        tenant.api.keep(*[record(timestamp=at(moment), **fields) for _ in range(count)])
        if request.param == "folded":
            fold_pending()

    return keep


def send(tenant: Tenant, count: int = 1, moment: datetime = NOW, **fields: Any) -> None:
    tenant.api.keep(*[record(timestamp=at(moment), **fields) for _ in range(count)])


def said(tenant: Tenant) -> list[tuple[dict[str, Any], str, str]]:
    """Return of each event the scope, the threshold and the value."""
    return [
        (
            event.scope,
            "" if event.threshold is None else f"{event.threshold.normalize():f}",
            "" if event.value is None else f"{event.value.normalize():f}",
        )
        for event in events(tenant)
    ]


WHOLE = {"kind": "organization"}


def test_at_a_threshold_is_reached_and_below_it_is_not(acme: Tenant, keep: Any) -> None:
    make_rule(acme, thresholds=[Decimal(3), Decimal(5), Decimal(9)])
    keep(acme, 2)
    evaluate()
    assert said(acme) == []
    keep(acme, 3)
    evaluate()
    evaluate()
    assert said(acme) == [(WHOLE, "3", "5"), (WHOLE, "5", "5")]
    first, second = events(acme)
    assert first.message == "Requests in the last hour: 5, at or above 3."
    assert (first.unit, first.severity, second.severity) == ("requests", "warning", "warning")
    assert (first.period_start, first.period_end) == (
        datetime.fromisoformat("2026-07-15T11:34:00Z"),
        datetime.fromisoformat("2026-07-15T12:35:00Z"),
    )


def test_the_last_of_several_thresholds_is_critical(acme: Tenant) -> None:
    make_rule(acme, thresholds=[Decimal(1), Decimal(2)], severity="info")
    send(acme, 2)
    evaluate()
    assert [event.severity for event in events(acme)] == ["info", "critical"]


def test_a_window_that_goes_back_from_now_lets_go_and_is_reached_anew(acme: Tenant, go_to: GoTo) -> None:
    make_rule(acme, thresholds=[Decimal(3)], quiet_minutes=0)
    send(acme, 3)
    evaluate()
    go_to(NOW + 2 * HOUR)
    evaluate()
    (first,) = events(acme)
    assert first.resolved_at == NOW + 2 * HOUR
    send(acme, 4, NOW + 2 * HOUR)
    evaluate()
    assert said(acme) == [(WHOLE, "3", "3"), (WHOLE, "3", "4")]


def test_the_quiet_period_holds_back_what_comes_again(acme: Tenant, go_to: GoTo) -> None:
    make_rule(acme, thresholds=[Decimal(3)], window="5m", quiet_minutes=60)
    for minutes in (0, 10, 20, 61):
        moment = NOW + timedelta(minutes=minutes)
        go_to(moment)
        if minutes != 10:
            send(acme, 3, moment)
        evaluate()
    assert [event.fired_at for event in events(acme)] == [NOW, NOW + timedelta(minutes=61)]


def test_a_month_tells_each_threshold_once_and_the_next_begins_anew(acme: Tenant, go_to: GoTo) -> None:
    make_rule(acme, metric="cost", window="month", thresholds=[Decimal(10), Decimal(20)])
    send(acme, 2, NOW - 10 * DAY, cost="4.5")
    evaluate()
    assert said(acme) == []
    send(acme, 1, cost="11")
    evaluate()
    assert said(acme) == [(WHOLE, "10", "20"), (WHOLE, "20", "20")]
    august = datetime.fromisoformat("2026-08-02T00:00:00Z")
    go_to(august)
    evaluate()
    assert all(event.resolved_at == august for event in events(acme))
    send(acme, 1, august, cost="10")
    evaluate()
    assert [event.period_start.day for event in events(acme) if event.period_start] == [1, 1, 1]
    assert said(acme)[2:] == [(WHOLE, "10", "10")]


def test_a_month_is_that_of_the_organizations_zone(go_to: GoTo) -> None:
    kiwi = make_tenant("Kiwi", timezone="Pacific/Auckland")
    only(kiwi)
    make_rule(kiwi, metric="cost", window="month", thresholds=[Decimal(10)])
    july = datetime.fromisoformat("2026-06-30T12:00:00Z")
    send(kiwi, 1, july - timedelta(minutes=1), cost="10")
    send(kiwi, 1, july, cost="9.99")
    evaluate()
    assert said(kiwi) == []
    send(kiwi, 1, cost="0.01")
    fold_pending()
    evaluate()
    assert [event.period_start for event in events(kiwi)] == [july]


def test_below_tells_what_has_fallen_and_in_which_order(acme: Tenant) -> None:
    make_rule(acme, condition="below", thresholds=[Decimal(2), Decimal(5)])
    send(acme, 4)
    evaluate()
    assert said(acme) == [(WHOLE, "5", "4")]
    assert events(acme)[0].message == "Requests in the last hour: 4, below 5."


@pytest.mark.parametrize(
    ("metric", "threshold", "value", "unit", "message"),
    [
        ("errorRate", "25", "25", "percent", "Error rate in the last hour: 25%, at or above 25%."),
        ("successRate", "75", "75", "percent", "Success rate in the last hour: 75%, at or above 75%."),
        ("errors", "1", "1", "errors", "Errors in the last hour: 1, at or above 1."),
        ("tokens", "40", "40", "tokens", "Tokens in the last hour: 40, at or above 40."),
        ("cost", "0.4", "0.4", "USD", "Cost in the last hour: 0.40 USD, at or above 0.40 USD."),
        ("latency.average", "70", "70", "ms", "Average latency in the last hour: 70 ms, at or above 70 ms."),
        ("latency.p95", "90", "94.993", "ms", "Latency p95 in the last hour: 94.99 ms, at or above 90 ms."),
        ("pages", "6", "6", "pages", "Pages in the last hour: 6, at or above 6."),
        ("unpriced", "1", "1", "unpriced", "Records without a price in the last hour: 1, at or above 1."),
    ],
)
def test_metrics_are_read_in_the_units_of_rules(
    metric: str, threshold: str, value: str, unit: str, message: str, acme: Tenant, keep: Any
) -> None:
    make_rule(acme, metric=metric, thresholds=[Decimal(threshold)], least_requests=4)
    used = {"tokens": {"prompt": 9, "completion": 1}, "quantities": {"pages": 2}, "model": "m"}
    keep(acme, 1, status="error", latencyMs=40, tokens=used["tokens"])
    keep(acme, 2, latencyMs=70, cost="0.1", **used)
    evaluate()
    assert said(acme) == []
    keep(acme, 1, latencyMs=100, cost="0.2", **used)
    evaluate()
    (event,) = events(acme)
    assert (said(acme), event.unit) == ([(WHOLE, threshold, value)], unit)
    assert event.message == message


def test_few_requests_say_nothing_of_a_rate(acme: Tenant) -> None:
    make_rule(acme, metric="errorRate", thresholds=[Decimal(5)])
    send(acme, 19, status="error")
    evaluate()
    assert said(acme) == []
    send(acme, 1)
    evaluate()
    assert said(acme) == [(WHOLE, "5", "95")]


def test_each_part_is_looked_at_by_itself(acme: Tenant, keep: Any) -> None:
    other = acme.another_credential()
    scopes = ("credential", "model", "endpoint", "capability")
    for scope in scopes:
        make_rule(acme, each=scope, thresholds=[Decimal(3)])
    make_rule(acme, of=("model", "small"), thresholds=[Decimal(1)])
    make_rule(acme, of=("credential", other.client_id), thresholds=[Decimal(1)])
    keep(acme, 3, model="large", endpoint="/a", capability="chat")
    keep(other, 2, model="small", endpoint="/a", capability="chat")
    keep(acme, 4)
    evaluate()
    assert sorted(said(acme), key=str) == sorted(
        [
            ({"kind": "credential", "value": acme.client_id}, "3", "7"),
            ({"kind": "model", "value": "large"}, "3", "3"),
            ({"kind": "endpoint", "value": "/a"}, "3", "5"),
            ({"kind": "capability", "value": "chat"}, "3", "5"),
            ({"kind": "model", "value": "small"}, "1", "2"),
            ({"kind": "credential", "value": other.client_id}, "1", "2"),
        ],
        key=str,
    )


def test_a_rise_is_against_as_much_time_before(acme: Tenant, keep: Any) -> None:
    make_rule(acme, condition="rises", thresholds=[Decimal(50), Decimal(200)], least_requests=3)
    keep(acme, 2, NOW - 90 * timedelta(minutes=1))
    keep(acme, 3, NOW - timedelta(minutes=10))
    evaluate()
    assert said(acme) == [(WHOLE, "50", "50")]
    assert events(acme)[0].message == "Requests in the last hour rose by 50%, from 2."
    keep(acme, 3, NOW - timedelta(minutes=10))
    evaluate()
    assert said(acme)[1:] == [(WHOLE, "200", "200")]


def test_a_rise_from_nothing_is_none(acme: Tenant) -> None:
    make_rule(acme, condition="rises", thresholds=[Decimal(50)], least_requests=0)
    send(acme, 9, NOW - timedelta(minutes=10))
    evaluate()
    assert said(acme) == []


def test_a_fall_is_against_as_much_time_before(acme: Tenant) -> None:
    make_rule(acme, condition="falls", metric="cost", thresholds=[Decimal(75)], least_requests=2)
    send(acme, 2, NOW - 90 * timedelta(minutes=1), cost="2")
    send(acme, 1, NOW - timedelta(minutes=10), cost="1")
    evaluate()
    assert said(acme) == [(WHOLE, "75", "75")]
    assert events(acme)[0].message == "Cost in the last hour fell by 75%, from 4.00 USD."


def test_a_month_is_compared_with_as_much_of_the_last(acme: Tenant) -> None:
    make_rule(
        acme, condition="rises", metric="cost", window="month", thresholds=[Decimal(100)], least_requests=0
    )
    send(acme, 1, NOW - 31 * DAY, cost="1")
    send(acme, 1, datetime.fromisoformat("2026-06-20T00:00:00Z"), cost="50")
    send(acme, 2, NOW - DAY, cost="1")
    evaluate()
    assert said(acme) == [(WHOLE, "100", "100")]


def test_no_traffic_is_missed_where_there_was_some(acme: Tenant, go_to: GoTo) -> None:
    make_rule(acme, condition="noTraffic", window="1h", thresholds=[], each="credential")
    evaluate()
    assert said(acme) == []
    send(acme)
    evaluate()
    assert said(acme) == []
    key = {"kind": "credential", "value": acme.client_id}
    for days in (1, 20):
        go_to(NOW + days * DAY)
        evaluate()
        assert [(event.scope, event.resolved_at) for event in events(acme)] == [(key, None)]
    assert events(acme)[0].message == (
        "Key First key: No requests in the last hour, where there were some before."
    )
    send(acme, 1, NOW + 20 * DAY)
    evaluate()
    assert events(acme)[0].resolved_at == NOW + 20 * DAY


def test_a_key_that_was_revoked_is_missed_by_nobody(acme: Tenant, go_to: GoTo) -> None:
    make_rule(acme, condition="noTraffic", window="1h", thresholds=[], each="credential")
    other = acme.another_credential()
    send(other)
    go_to(NOW + DAY)
    evaluate()
    revoke_credential(organization_id=acme.id, client_id=other.client_id)
    evaluate()
    assert [event.resolved_at for event in events(acme)] == [NOW + DAY]


def test_a_share_of_the_limit_is_that_of_its_own_window(acme: Tenant) -> None:
    only(acme)
    make_rule(acme, condition="aboveShare", metric="cost", window="", thresholds=[Decimal(33), Decimal(66)])
    make_rule(
        acme, condition="aboveShare", metric="cost", window="", thresholds=[Decimal(90)], each="credential"
    )
    limit_to(acme, 10, window=Window.WEEK)
    limit_to(acme, 5, credential_id=acme.credential_id)
    spend(acme, 4.5)
    evaluate()
    assert said(acme) == [
        (WHOLE, "33", "45"),
        ({"kind": "credential", "value": acme.client_id}, "90", "90"),
    ]
    assert events(acme)[0].message == "Cost is at 45% of the spend limit."


def test_a_share_of_credits_is_that_of_the_grants_in_force(acme: Tenant) -> None:
    only(acme, "credits", "quota")
    grant(organization_id=acme.id, allowance="credits", amount=Decimal(100), reason="Welcome")
    send(acme, 1, quantities={"credits": 79, "quota": 9})
    evaluate()
    assert said(acme) == []
    send(acme, 1, quantities={"credits": 16})
    evaluate()
    assert said(acme) == [(WHOLE, "80", "95"), (WHOLE, "95", "95")]
    assert events(acme)[0].message == "Credits are at 95% of the credits granted."


def test_a_share_of_the_rate_limit_is_the_most_of_any_minute_of_the_day(acme: Tenant, go_to: GoTo) -> None:
    only(acme, "rate_limit_near")
    with system_scope():
        acme.organization.requests_per_minute = 10
        acme.organization.save()
    caller = acme.caller()
    for _ in range(8):
        rate_limits.take(caller, counter="gate")
    go_to(NOW + timedelta(minutes=30))
    evaluate()
    key = {"kind": "credential", "value": acme.client_id}
    assert said(acme) == [(key, "80", "80")]
    go_to(NOW + DAY)
    evaluate()
    assert [event.resolved_at for event in events(acme)] == [NOW + DAY]


def test_what_is_told_is_told_where_the_rule_says(acme: Tenant) -> None:
    one, two = webhook(acme, HOOK, "One").channel, mailbox(acme)
    make_rule(acme, thresholds=[Decimal(1)], channels=[one.pk])
    make_rule(acme, thresholds=[Decimal(2)])
    send(acme, 2)
    evaluate()
    told = [(one.channel_name, one.payload["data"]["threshold"]) for one in deliveries(acme)]
    assert sorted(told) == [("One", "1"), ("One", "2"), (two.name, "2")]


def test_a_change_of_the_rule_ends_its_events_and_tells_anew(acme: Tenant) -> None:
    rule = make_rule(acme, thresholds=[Decimal(2)])
    send(acme, 3)
    evaluate()
    change(acme, rule, thresholds=[Decimal(3)])
    evaluate()
    assert [(event.rule_revision, event.threshold, event.resolved_at is None) for event in events(acme)] == [
        (1, Decimal(2), False),
        (2, Decimal(3), True),
    ]


def test_switched_off_and_on_it_is_told_anew(acme: Tenant) -> None:
    rule = make_rule(acme, thresholds=[Decimal(2)])
    send(acme, 3)
    evaluate()
    change(acme, rule, enabled=False)
    evaluate()
    assert [event.resolved_at for event in events(acme)] == [NOW]
    change(acme, rule, enabled=True)
    evaluate()
    evaluate()
    assert [(event.rule_revision, event.resolved_at is None) for event in events(acme)] == [
        (1, False),
        (3, True),
    ]


def test_a_rule_that_is_deleted_ends_its_events_and_leaves_them(acme: Tenant) -> None:
    rule = make_rule(acme, thresholds=[Decimal(2)])
    send(acme, 3)
    evaluate()
    delete(acme, rule)
    evaluate()
    (event,) = events(acme)
    assert (event.rule_id, event.rule_name, event.resolved_at) == (rule.pk, "Busy", NOW)
    assert acme.api.get("/alerts/events", rule=str(rule.pk)).items[0]["ruleName"] == "Busy"


def test_organizations_are_looked_at_apart(acme: Tenant, globex: Tenant) -> None:
    only(globex)
    make_rule(acme, thresholds=[Decimal(2)])
    make_rule(globex, thresholds=[Decimal(2)])
    send(acme, 3)
    send(globex, 1)
    evaluate()
    assert (said(acme), said(globex)) == ([(WHOLE, "2", "3")], [])


def test_spend_is_looked_at_by_itself_and_for_some(acme: Tenant, globex: Tenant) -> None:
    only(globex)
    for tenant in (acme, globex):
        make_rule(tenant, metric="cost", thresholds=[Decimal(1)])
        make_rule(tenant, thresholds=[Decimal(1)])
        send(tenant, 1, cost="1")
    found = evaluate(organizations=[acme.id], only_spend=True)
    assert (found.told, said(acme), said(globex)) == (1, [(WHOLE, "1", "1")], [])


def test_any_number_of_rules_and_organizations_takes_the_same_statements(
    acme: Tenant, globex: Tenant
) -> None:
    def statements() -> int:
        with CaptureQueriesContext(connection) as said:
            evaluate()
        return len(said)

    for tenant in (acme, globex):
        only(tenant, "spend_limit", "credits", "rate_limit_near", "unpriced")
        limit_to(tenant, 10, warn_at=[50])

    def fire(count: int) -> int:
        for tenant in (acme, globex):
            for number in range(count):
                terms: dict[str, Any] = {"thresholds": [Decimal(number + 1)], "name": str(number)}
                make_rule(tenant, **terms)
                make_rule(tenant, **terms, metric="pages", each="model")
                make_rule(tenant, **terms, condition="falls", each="credential")
                make_rule(tenant, **terms, condition="aboveShare", metric="cost", window="")
            send(tenant, 20, cost="0.5", model="m", quantities={"pages": 2})
        return statements()

    first = fire(1)
    assert first < 40
    assert fire(10) <= first
    with tenant_scope(acme.id):
        assert len(events(acme)) > 30


@pytest.mark.django_db(transaction=True)
def test_of_workers_that_look_at_once_one_tells() -> None:
    acme = make_tenant("Acme")
    only(acme)
    make_rule(acme, thresholds=[Decimal(1), Decimal(2), Decimal(3)])
    send(acme, 3)
    start = threading.Barrier(4)

    def look(_: int) -> int:
        start.wait()
        try:
            return evaluate().told
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(look, range(4))) == [0, 0, 0, 3]
    assert len(events(acme)) == 3


def test_built_in_rules_tell_what_is_wrong_with_a_key(acme: Tenant) -> None:
    change(acme, built_in(acme, "error_rate_up"), enabled=True)
    send(acme, 44)
    send(acme, 5, status="error")
    evaluate()
    assert events(acme) == []
    send(acme, 1)
    evaluate()
    (event,) = events(acme)
    assert event.message == "Key First key: Error rate in the last hour: 10%, at or above 5%."
    assert event.recommendation.startswith("Look at the errors by code and endpoint")
