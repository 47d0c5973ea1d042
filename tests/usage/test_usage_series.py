"""GET /usage/series: a point for each of the last days, by UTC."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine

from organizations.services import change_plan, set_timezone
from tests.usage.factories import NOW, Api, Tenant, at, record
from usage.rollups.fold import fold_pending

pytestmark = pytest.mark.django_db

TODAY = datetime(2026, 7, 15, tzinfo=UTC)
DAY = timedelta(days=1)
DAY_MS = 24 * 3600 * 1000


@pytest.fixture(autouse=True)
def clock(stopped_clock: time_machine.Traveller) -> time_machine.Traveller:
    """Everything here happens at `NOW` unless the test moves the clock."""
    return stopped_clock


def series(api: Api, **query: Any) -> Any:
    answer = api.get("/usage/series", **query)
    assert answer.status == 200, answer.body
    return answer.body


def milliseconds(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)


def totals(points: list[dict[str, Any]]) -> dict[int, Any]:
    """Return what isn't zero, by days before today."""
    return {
        (milliseconds(TODAY) - point["timestamp"]) // DAY_MS: point["total"]
        for point in points
        if point["total"]
    }


def test_there_are_three_parallel_series_of_ninety_utc_days_zeros_included(api: Api) -> None:
    answer = series(api)
    assert list(answer) == ["tokens", "conversations", "messages"]
    days = [milliseconds(TODAY) - DAY_MS * number for number in range(89, -1, -1)]
    for points in answer.values():
        assert points == [{"timestamp": day, "total": 0} for day in days]


@pytest.mark.parametrize("folded", [False, True])
@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Asia/Kathmandu"])
def test_each_day_has_what_happened_on_it_in_utc_whatever_the_organizations_zone(
    acme: Tenant, zone: str, folded: bool
) -> None:
    set_timezone(organization_id=acme.id, timezone=zone)
    tick = timedelta(microseconds=1)
    quantities = {"conversations": 1, "messages": "2.5"}
    moments = {
        "now": NOW,
        "midnight": TODAY,
        "just before": TODAY - tick,
        "oldest": TODAY - 89 * DAY,
        "too old": TODAY - 89 * DAY - tick,
    }
    acme.api.keep(
        *(
            record(name, timestamp=at(moment), tokens={"prompt": 3, "completion": 4}, quantities=quantities)
            for name, moment in moments.items()
        )
    )
    if folded:
        fold_pending()
    answer = series(acme.api)
    assert totals(answer["tokens"]) == {0: 14, 1: 7, 89: 7}
    assert totals(answer["conversations"]) == {0: 2, 1: 1, 89: 1}
    assert totals(answer["messages"]) == {0: 5, 1: "2.5", 89: "2.5"}


def test_what_lies_a_little_ahead_is_today_unless_the_day_ends_before(
    api: Api, clock: time_machine.Traveller
) -> None:
    api.keep(record("ahead", timestamp=at(NOW + timedelta(minutes=5)), tokens={"prompt": 1}))
    assert totals(series(api)["tokens"]) == {0: 1}
    clock.move_to(TODAY + DAY - timedelta(minutes=1))
    api.keep(record("tomorrow", timestamp=at(TODAY + DAY), tokens={"prompt": 1}))
    assert totals(series(api)["tokens"]) == {0: 1}


@pytest.mark.parametrize("days", [1, 2, 30, 90])
def test_fewer_days_may_be_asked_for(api: Api, days: int) -> None:
    points = series(api, days=days)["messages"]
    assert (len(points), points[-1]["timestamp"]) == (days, milliseconds(TODAY))


@pytest.mark.parametrize("days", ["0", "91", "-1", "ten", "1.5", ""])
def test_more_days_or_none_are_a_400(api: Api, days: str) -> None:
    answer = api.get("/usage/series", days=days)
    assert (answer.status, answer.body["code"]) == (400, "invalid_parameter")
    assert answer.body["detail"] == "days must be a whole number from 1 to 90."


def test_a_window_or_a_zone_is_no_parameter_of_the_series(api: Api) -> None:
    for name in ("from", "to", "timezone", "granularity"):
        answer = api.get("/usage/series", **{name: "x"})
        assert (answer.status, answer.body["code"]) == (400, "unknown_parameter")
        assert answer.body["detail"] == f"There is no parameter {name!r}; accepted: days, clientId."


def test_only_one_clients_days_may_be_asked_for(acme: Tenant) -> None:
    other = acme.another_credential()
    acme.api.keep(record("a", tokens={"prompt": 1}))
    other.api.keep(record("b", tokens={"prompt": 10}))
    assert totals(series(acme.api)["tokens"]) == {0: 11}
    assert totals(series(acme.api, clientId=other.client_id)["tokens"]) == {0: 10}


def test_days_before_the_history_are_zeros(acme: Tenant) -> None:
    for number in (0, 29, 30, 31, 60):
        acme.api.keep(record(f"r{number}", timestamp=at(NOW - number * DAY), tokens={"prompt": 1}))
    change_plan(organization_id=acme.id, plan="free")
    answer = series(acme.api)
    assert (len(answer["tokens"]), totals(answer["tokens"])) == (90, {0: 1, 29: 1, 30: 1})


def test_the_series_moves_on_at_utc_midnight(api: Api, clock: time_machine.Traveller) -> None:
    api.keep(record("a", tokens={"prompt": 1}))
    clock.move_to(TODAY + DAY - timedelta(microseconds=1))
    assert series(api)["tokens"][-1] == {"timestamp": milliseconds(TODAY), "total": 1}
    clock.move_to(TODAY + DAY)
    assert series(api)["tokens"][-2:] == [
        {"timestamp": milliseconds(TODAY), "total": 1},
        {"timestamp": milliseconds(TODAY + DAY), "total": 0},
    ]
