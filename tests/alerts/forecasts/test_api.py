"""GET /usage/forecast, and the forecast in GET /costs: what is answered, and what that takes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from alerts.forecasts import remembered
from alerts.forecasts.history import History
from alerts.forecasts.outlook import Outlook
from alerts.forecasts.predict import predict
from tests.usage.factories import NOW, Tenant, at, make_tenant, record

pytestmark = pytest.mark.django_db

MIDNIGHT = NOW.replace(hour=0, minute=0, second=0, microsecond=0)
DAY = timedelta(days=1)


@pytest.fixture
def acme(stopped_clock: time_machine.Traveller) -> Tenant:
    """An organization whose every record counts."""
    return make_tenant("Acme")


def use(tenant: Tenant, days: int, cost: str = "2", **fields: Any) -> None:
    """Keep a record at noon of each of so many days before today."""
    noons = [MIDNIGHT - ago * DAY + DAY / 2 for ago in range(1, days + 1)]
    tenant.api.keep(*(record(f"of {at(noon)}", timestamp=at(noon), cost=cost, **fields) for noon in noons))


def forecast(tenant: Tenant, **query: str) -> Any:
    answer = tenant.api.get("/usage/forecast", **query)
    assert answer.status == 200, answer.body
    return answer.body


def numbers(estimate: dict[str, Any]) -> tuple[float, ...]:
    return tuple(float(estimate[name]) for name in ("low", "expected", "high"))


def test_days_that_are_alike_go_on_and_a_period_is_what_was_and_what_will_be(acme: Tenant) -> None:
    use(acme, 40)
    acme.api.keep(record("today", timestamp=at(NOW - timedelta(hours=1)), cost="0.5"))
    body = forecast(acme, metrics="cost,requests", horizon="7")
    assert (body["timezone"], body["currency"], body["confidence"]) == ("UTC", "USD", 0.8)
    cost, requests = body["forecasts"]
    assert (cost["metric"], cost["method"], requests["metric"]) == ("cost", "ets", "requests")
    assert cost["history"] == {"from": at(MIDNIGHT - 40 * DAY), "to": at(MIDNIGHT), "days": 40}
    assert [point["date"] for point in cost["points"]] == [f"2026-07-{day}" for day in range(16, 23)]
    for point in cost["points"]:
        low, expected, high = numbers(point)
        assert low < 2 < high
        assert expected == pytest.approx(2, rel=0.05)
    ends = [cost["following"][name] for name in ("from", "to", "days")]
    assert ends == [at(MIDNIGHT + DAY), at(MIDNIGHT + 8 * DAY), 7]
    assert numbers(cost["following"])[1] == pytest.approx(14, rel=0.05)
    # Two weeks of July, today's half, and the sixteen days after today; nobody ever came after noon.
    assert cost["period"]["from"] == "2026-07-01T00:00:00Z"
    assert cost["period"]["actual"] == "28.500000000"
    assert numbers(cost["period"])[1] == pytest.approx(28.5 + 32 + 2 * (25.3 / 60), rel=0.05)
    assert (cost["today"]["date"], cost["today"]["actual"]) == ("2026-07-15", "0.500000000")
    assert numbers(cost["today"])[0] >= 0.5
    assert (requests["period"]["actual"], requests["today"]["actual"]) == (15, 1)
    assert numbers(requests["following"])[1] == pytest.approx(7, rel=0.05)


def test_of_one_record_little_is_known_and_of_none_nothing(acme: Tenant) -> None:
    found = forecast(acme, metrics="cost")["forecasts"][0]
    nothing = {"expected": None, "low": None, "high": None}
    assert (found["method"], found["points"], found["history"]["days"]) == ("none", [], 0)
    assert {name: found["period"][name] for name in nothing} == nothing
    assert found["period"]["actual"] == "0.000000000"
    use(acme, 1)
    found = forecast(acme, metrics="cost", horizon="1")["forecasts"][0]
    assert (found["method"], found["history"]["days"]) == ("runRate", 1)
    low, expected, high = numbers(found["points"][0])
    assert low < 1 < expected < 3 < high


def test_a_period_that_is_over_is_known(acme: Tenant) -> None:
    use(acme, 10)
    found = forecast(acme, metrics="cost", from_=at(MIDNIGHT - 5 * DAY), to=at(MIDNIGHT))["forecasts"][0]
    assert {found["period"][name] for name in ("actual", "low", "expected", "high")} == {"10.000000000"}


def test_part_of_a_day_counts_in_part(acme: Tenant) -> None:
    use(acme, 10)
    ends = [MIDNIGHT + DAY, MIDNIGHT + 1.5 * DAY, MIDNIGHT + 2 * DAY]
    sums = [
        numbers(forecast(acme, metrics="requests", to=at(end))["forecasts"][0]["period"])[1] for end in ends
    ]
    assert sums[1] == pytest.approx((sums[0] + sums[2]) / 2, abs=0.01)


def test_days_are_those_of_the_zone_also_when_the_clock_changes(
    stopped_clock: time_machine.Traveller,
) -> None:
    berlin = make_tenant("Globex", timezone="Europe/Berlin")
    use(berlin, 10)
    stopped_clock.move_to(datetime(2026, 10, 25, 0, 30, tzinfo=UTC), tick=False)
    found = forecast(berlin, metrics="requests", horizon="2")["forecasts"][0]
    assert found["history"]["to"] == "2026-10-24T22:00:00Z"
    assert found["today"]["date"] == "2026-10-25"
    # This day has 25 hours.
    assert found["following"]["from"] == "2026-10-25T23:00:00Z"
    assert found["following"]["to"] == "2026-10-27T23:00:00Z"


def test_a_credential_has_its_own_forecast(acme: Tenant) -> None:
    use(acme, 5)
    other = acme.another_credential()
    assert forecast(acme, clientId=other.client_id)["forecasts"][0]["method"] == "none"
    assert forecast(acme, clientId=acme.client_id)["forecasts"][0]["history"]["days"] == 5


def test_meters_are_foreseen_and_history_is_as_long_as_the_plans(acme: Tenant) -> None:
    use(acme, 10, quantities={"pages": "0.25"})
    found = forecast(acme, metrics="pages,quantities.pages", horizon="1")["forecasts"]
    assert [each["metric"] for each in found] == ["pages", "quantities.pages"]
    assert numbers(found[0]["points"][0])[1] == pytest.approx(0.25, rel=0.1)
    poor = make_tenant("Poor", plan="free")
    use(poor, 30)
    assert forecast(poor, metrics="cost")["forecasts"][0]["history"]["days"] == 30


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ({"metrics": "errorRate"}, "/metrics"),
        ({"metrics": "latency.p95"}, "/metrics"),
        ({"metrics": "dreams"}, "/metrics"),
        ({"metrics": "cost,requests,tokens,errors,count,executions"}, "/metrics"),
        ({"horizon": "93"}, "/horizon"),
        ({"from_": at(NOW + DAY), "to": at(NOW + 2 * DAY)}, "/from"),
        ({"to": at(MIDNIGHT + 93 * DAY + timedelta(seconds=1))}, "/to"),
        ({"window": "1"}, "/window"),
    ],
)
def test_what_cannot_be_foreseen_is_refused(acme: Tenant, query: dict[str, str], pointer: str) -> None:
    answer = acme.api.get("/usage/forecast", **query)
    assert (answer.status, answer.errors[0]["pointer"]) == (400, pointer)


def test_the_furthest_day_can_be_asked_for(acme: Tenant) -> None:
    use(acme, 2)
    found = forecast(acme, metrics="cost", horizon="92", to=at(MIDNIGHT + 93 * DAY))["forecasts"][0]
    assert len(found["points"]) == 92
    assert numbers(found["period"])[1] > numbers(found["following"])[1]


def test_it_takes_three_statements_however_many_metrics_and_days(acme: Tenant) -> None:
    use(acme, 30)
    counted = []
    for metrics in ("cost", "cost,requests,tokens,errors,count"):
        with CaptureQueriesContext(connection) as found:
            forecast(acme, metrics=metrics)
        sums = [query for query in found.captured_queries if "usage_rollup" in query["sql"]]
        counted.append((len(sums), len(found)))
    assert counted[0] == counted[1]
    assert counted[0][0] == 3
    assert counted[0][1] <= 9


def test_a_fit_is_remembered_until_the_history_differs(acme: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[History] = []

    def watched(history: History, horizon: int) -> Outlook:
        made.append(history)
        return predict(history, horizon)

    monkeypatch.setattr(remembered, "predict", watched)
    use(acme, 3)
    first = forecast(acme, metrics="cost")
    assert forecast(acme, metrics="cost", horizon="30") == first
    assert len(made) == 1
    acme.api.keep(record("late", timestamp=at(MIDNIGHT - DAY), cost="1"))
    assert forecast(acme, metrics="cost") != first
    assert [history.values for history in made] == [(2e9, 2e9, 2e9), (2e9, 2e9, 3e9)]


def test_without_redis_it_is_worked_out_each_time(acme: Tenant, settings: Any) -> None:
    use(acme, 3)
    before = forecast(acme, metrics="cost")
    settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": "unix:///nowhere/redis.sock"}}
    assert forecast(acme, metrics="cost") == before


def test_costs_foresee_the_billing_period_and_the_next_thirty_days(acme: Tenant) -> None:
    use(acme, 40)
    found = acme.api.get("/costs", from_="0", to="1").body["forecast"]
    (same,) = forecast(acme, metrics="cost")["forecasts"]
    assert found == {
        "method": "ets",
        "historyDays": 40,
        "confidence": 0.8,
        "billingPeriod": {name: same["period"][name] for name in ("expected", "low", "high")},
        "next30Days": {name: same["following"][name] for name in ("expected", "low", "high")},
    }
    assert float(found["next30Days"]["expected"]) == pytest.approx(60, rel=0.05)


def test_costs_of_nobody_foresee_nothing(acme: Tenant) -> None:
    found = acme.api.get("/costs").body["forecast"]
    assert (found["method"], found["billingPeriod"], found["next30Days"]) == ("none", None, None)
