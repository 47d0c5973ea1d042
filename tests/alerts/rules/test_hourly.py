"""Rules over anomalies and forecasts, which are looked at each hour."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from alerts.rules.evaluate import evaluate, evaluate_hourly
from billing.models import Window
from tests.alerts.rules.ruling import events, make_rule, only
from tests.billing.spending import limit_to
from tests.usage.factories import NOW, Tenant, at, record
from usage.rollups.fold import fold_pending

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
LAST = NOW.replace(minute=0, second=0, microsecond=0) - HOUR
GoTo = Callable[[datetime], None]


def usual(tenant: Tenant, *, weeks: int = 4, **fields: Any) -> None:
    """Make a call in each hour of some weeks."""
    hours = [LAST - ago * HOUR for ago in range(1, weeks * 168 + 1)]
    tenant.api.keep(*[record(timestamp=at(hour), cost="1", **fields) for hour in hours])
    fold_pending()


def test_an_hour_unlike_those_of_the_weeks_before_is_told_with_what_drives_it(
    acme: Tenant, go_to: GoTo
) -> None:
    make_rule(acme, condition="anomaly", metric="cost", window="", thresholds=[], quiet_minutes=0)
    make_rule(acme, condition="anomaly", metric="requests", window="", thresholds=[], each="credential")
    usual(acme, model="usual")
    acme.api.keep(record(timestamp=at(LAST), cost="1", model="usual"))
    assert evaluate_hourly().told == 0
    acme.api.keep(record(timestamp=at(LAST), cost="50", model="dear"))
    evaluate_hourly()
    evaluate_hourly()
    (event,) = events(acme)
    assert (event.metric, event.unit, event.threshold) == ("cost", "deviations", None)
    assert event.value is not None
    assert event.value > 6
    assert (event.period_start, event.period_end) == (LAST, LAST + HOUR)
    assert event.message == (
        "Cost in the last hour was unusual: 51.00 USD, where 1.00 USD was expected from the last 4 weeks. "
        "Mainly from key First key and model dear."
    )
    go_to(NOW + HOUR)
    acme.api.keep(record(timestamp=at(LAST + HOUR), cost="1", model="usual"))
    evaluate_hourly()
    assert events(acme)[0].resolved_at == NOW + HOUR


def test_a_key_has_hours_of_its_own(acme: Tenant) -> None:
    make_rule(acme, condition="anomaly", metric="requests", window="", thresholds=[], each="credential")
    usual(acme)
    acme.api.keep(*[record(timestamp=at(LAST)) for _ in range(40)])
    new = acme.another_credential()
    new.api.keep(*[record(timestamp=at(LAST)) for _ in range(40)])
    evaluate_hourly()
    (event,) = events(acme)
    assert event.scope == {"kind": "credential", "value": acme.client_id}
    assert event.message.startswith("Key First key: Requests in the last hour were unusual: 40, where")


def test_a_limit_that_will_be_reached_is_told_with_the_hour(acme: Tenant, go_to: GoTo) -> None:
    only(acme, "limit_forecast")
    limit_to(acme, 100, window=Window.WEEK)
    # A dollar an hour since Monday: 60 so far, of 168 that the week will come to.
    hours = [NOW - ago * HOUR for ago in range(60)]
    acme.api.keep(*[record(timestamp=at(hour), cost="1") for hour in hours])
    evaluate_hourly()
    evaluate_hourly()
    (event,) = events(acme)
    assert (event.threshold, event.value, event.unit) == (Decimal(100), Decimal(100), "percent")
    assert event.message.startswith(
        "Spending is forecast to reach 100% of the spend limit. That is about 17 Jul 2026"
    )
    limit_to(acme, 1000, window=Window.WEEK)
    evaluate_hourly()
    assert events(acme)[0].resolved_at == NOW


def test_a_limit_that_is_reached_is_not_forecast_any_more_and_what_was_told_stays(acme: Tenant) -> None:
    only(acme, "limit_forecast")
    make_rule(
        acme, condition="forecastShare", metric="cost", window="", thresholds=[Decimal(50)], name="Half"
    )
    limit_to(acme, 100, window=Window.WEEK)
    acme.api.keep(*[record(timestamp=at(NOW - ago * HOUR), cost="1") for ago in range(60)])
    evaluate_hourly()
    assert [event.rule_name for event in events(acme)] == ["Spend limit forecast"]
    acme.api.keep(record(cost="50"))
    evaluate_hourly()
    assert [event.resolved_at for event in events(acme)] == [None]


def test_what_a_month_will_come_to_is_told_before_it_does(acme: Tenant) -> None:
    terms: dict[str, Any] = {"condition": "forecastAbove", "metric": "cost", "window": "month"}
    make_rule(acme, **terms, thresholds=[Decimal(25), Decimal(40)])
    make_rule(acme, **terms, thresholds=[Decimal(25)], of=("credential", acme.client_id))
    acme.another_credential().api.keep(record())
    acme.api.keep(*[record(timestamp=at(NOW - ago * DAY), cost="1") for ago in range(40)])
    fold_pending()
    evaluate_hourly()
    evaluate_hourly()
    told = {event.scope["kind"]: (event.scope.get("value"), event.threshold) for event in events(acme)}
    assert told == {
        "organization": (None, Decimal(25)),
        "credential": (acme.client_id, Decimal(25)),
    }
    assert len(events(acme)) == 2
    event = next(event for event in events(acme) if event.scope["kind"] == "organization")
    assert event.value is not None
    assert Decimal(28) < event.value < Decimal(35)
    assert event.message.endswith("at or above 25.00 USD. So far it is 15.00 USD.")
    assert evaluate().told == 0


def test_what_is_far_from_its_threshold_is_not_worked_out(acme: Tenant) -> None:
    make_rule(acme, condition="forecastAbove", metric="cost", window="month", thresholds=[Decimal(10_000)])
    acme.api.keep(*[record(timestamp=at(NOW - ago * DAY), cost="1") for ago in range(40)])
    with CaptureQueriesContext(connection) as said:
        evaluate_hourly()
    assert len([query for query in said.captured_queries if "usage_rollup" in query["sql"]]) == 1
    assert events(acme) == []
