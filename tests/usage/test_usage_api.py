"""GET /usage: the totals of a period, to the digit."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
import time_machine

from organizations.services import change_plan, set_timezone
from tests.usage.factories import NOW, Api, Tenant, at, make_tenant, record
from usage.rollups.fold import fold_pending

pytestmark = pytest.mark.django_db

TICK = timedelta(microseconds=1)
TOKENS = {"prompt": 100, "completion": 20, "cachedPrompt": 30, "cacheWrite": 5, "reasoning": 7}


@pytest.fixture(autouse=True)
def clock(stopped_clock: time_machine.Traveller) -> time_machine.Traveller:
    """Everything here happens at `NOW` unless the test moves the clock."""
    return stopped_clock


@pytest.fixture(params=["pending", "folded"])
def settle(request: pytest.FixtureRequest) -> Any:
    """Fold, or don't: no answer may differ."""
    return fold_pending if request.param == "folded" else lambda: 0


def usage(api: Api, **query: Any) -> Any:
    answer = api.get("/usage", **query)
    assert answer.status == 200, answer.body
    return answer.body


def requests(api: Api, **query: Any) -> int:
    return int(usage(api, **query)["requests"]["total"])


def test_every_figure_of_a_period(acme: Tenant, settle: Any) -> None:
    acme.api.keep(
        record("a", tokens=TOKENS, latencyMs=100, cost="0.25",
               quantities={"conversations": 1, "messages": 2, "credits": "1.5"}),
        record("b", tokens={"prompt": 10, "completion": 2, "total": 15}, status="error", latencyMs=50.5,
               quantities={"messages": 1, "quota": 700, "own.meter": "0.25"}),
        record("c", type="processor.run", quantities={"pages": 3, "processorRuns": 1, "documents": 1}),
        record("d", type="task.execution", status="error", cost="0.000000001"),
        record("e", executionId="x", quantities={"pages": 2}),
    )  # fmt: skip
    settle()
    elapsed = (NOW - datetime(2026, 7, 1, tzinfo=UTC)) / timedelta(minutes=1)
    assert usage(acme.api) == {
        "period": {"from": "2026-07-01T00:00:00Z", "to": "2026-08-01T00:00:00Z"},
        "requests": {"total": 5, "succeeded": 3, "failed": 2, "successRate": 0.6},
        "tokens": {
            "prompt": 110,
            "completion": 22,
            "total": 135,
            "cachedPrompt": 30,
            "cacheWrite": 5,
            "reasoning": 7,
        },
        "conversations": 1,
        "messages": 3,
        "pages": 5,
        "processorRuns": 1,
        "documents": 1,
        "executions": {"completed": 2, "failed": 1},
        "quota": {"consumed": 700, "granted": None, "remaining": None},
        "credits": {"consumed": "1.5", "granted": None, "remaining": None},
        "cost": "0.250000001",
        "currency": "USD",
        "unpricedRecords": 3,
        "averageRpm": round(5 / elapsed, 4),
        "averageTpm": round(135 / elapsed, 4),
        "peakMinute": None,
        "averageLatencyMs": 75.25,
        "quantities": {
            "conversations": 1,
            "credits": "1.5",
            "documents": 1,
            "messages": 3,
            "own.meter": "0.25",
            "pages": 5,
            "processorRuns": 1,
            "quota": 700,
        },
        "historyFrom": "2016-07-07T00:00:00Z",
    }


def test_a_period_without_use_is_all_zeros(api: Api) -> None:
    empty = usage(api)
    assert empty["requests"] == {"total": 0, "succeeded": 0, "failed": 0, "successRate": None}
    assert empty["tokens"]["total"] == empty["pages"] == empty["averageRpm"] == 0
    assert (empty["cost"], empty["averageLatencyMs"], empty["quantities"]) == ("0.000000000", None, {})


def test_amounts_are_in_the_organizations_currency(db: None) -> None:
    tenant = make_tenant("Acme", currency="EUR")
    tenant.api.keep(record("a", cost="1.5"))
    answer = usage(tenant.api)
    assert (answer["cost"], answer["currency"]) == ("1.500000000", "EUR")
    assert tenant.api.get("/records/a").body["currency"] == "EUR"


@pytest.mark.parametrize(
    ("zone", "start", "end"),
    [
        ("UTC", "2026-07-01T00:00:00Z", "2026-08-01T00:00:00Z"),
        ("America/New_York", "2026-07-01T04:00:00Z", "2026-08-01T04:00:00Z"),
        ("Asia/Kathmandu", "2026-06-30T18:15:00Z", "2026-07-31T18:15:00Z"),
        ("Pacific/Kiritimati", "2026-06-30T10:00:00Z", "2026-07-31T10:00:00Z"),
    ],
)
def test_the_billing_period_is_the_month_of_the_zone(
    acme: Tenant, settle: Any, zone: str, start: str, end: str
) -> None:
    first = datetime.fromisoformat(start)
    acme.api.keep(record("before", timestamp=at(first - TICK)), record("first", timestamp=at(first)))
    settle()
    answer = usage(acme.api, timezone=zone)
    assert (answer["period"], answer["requests"]["total"]) == ({"from": start, "to": end}, 1)
    set_timezone(organization_id=acme.id, timezone=zone)
    assert usage(acme.api)["period"] == {"from": start, "to": end}
    assert usage(acme.api, timezone="UTC")["period"]["from"] == "2026-07-01T00:00:00Z"


def test_the_billing_period_changes_at_local_midnight(acme: Tenant, clock: time_machine.Traveller) -> None:
    set_timezone(organization_id=acme.id, timezone="America/New_York")
    clock.move_to(datetime(2026, 8, 1, 3, 59, 59, 999999, tzinfo=UTC))
    assert usage(acme.api)["period"]["from"] == "2026-07-01T04:00:00Z"
    clock.move_to(datetime(2026, 8, 1, 4, tzinfo=UTC))
    assert usage(acme.api)["period"]["from"] == "2026-08-01T04:00:00Z"


def test_a_window_at_odd_microseconds_counts_exactly(api: Api, settle: Any) -> None:
    start, end = (
        datetime(2026, 7, 1, 7, 13, 59, 999_999, tzinfo=UTC),
        datetime(2026, 7, 9, 23, 59, 0, 1, tzinfo=UTC),
    )
    edges = [start - TICK, start, start + TICK, end - 2 * TICK, end - TICK, end]
    middle = [start + timedelta(minutes=137 * number) for number in range(1, 80)]
    moments = [*edges, *middle]
    api.keep(
        *(record(f"r{n}", timestamp=at(moment), tokens={"prompt": 1}) for n, moment in enumerate(moments))
    )
    settle()
    inside = sum(start <= moment < end for moment in moments)
    answer = usage(api, from_=at(start), to=at(end))
    assert answer["period"] == {"from": at(start), "to": at(end)}
    assert answer["requests"]["total"] == answer["tokens"]["total"] == inside == 83
    assert requests(api, from_=at(start), to=at(start + TICK)) == 1
    assert requests(api, from_=at(end - TICK), to=at(end)) == 1


def test_windows_that_join_add_up(api: Api, settle: Any) -> None:
    moments = [NOW - timedelta(days=number, minutes=7 * number, microseconds=number) for number in range(40)]
    api.keep(*(record(f"r{n}", timestamp=at(moment), count=n) for n, moment in enumerate(moments)))
    settle()
    bounds = sorted([NOW + TICK, *moments[5:35:7], datetime(2026, 6, 20, tzinfo=UTC), moments[-1]])
    parts = [usage(api, from_=at(start), to=at(end)) for start, end in pairwise(bounds)]
    whole = usage(api, from_=at(bounds[0]), to=at(bounds[-1]))
    assert sum(part["requests"]["total"] for part in parts) == whole["requests"]["total"] == 40
    assert requests(api, from_=at(moments[-1]), to=at(moments[20])) == 19


def test_a_window_may_be_in_unix_milliseconds_or_at_an_offset(api: Api) -> None:
    api.keep(record("a", timestamp="2026-07-15T12:00:00Z"))
    noon = int(datetime(2026, 7, 15, 12, tzinfo=UTC).timestamp() * 1000)
    assert requests(api, from_=noon, to=noon + 1) == 1
    assert requests(api, from_=noon - 1, to=noon) == 0
    assert requests(api, from_="2026-07-15T14:00:00+02:00", to="2026-07-15T14:00:01+02:00") == 1


def test_only_one_clients_use_may_be_asked_for(acme: Tenant, settle: Any) -> None:
    other = acme.another_credential()
    acme.api.keep(record("a"), record("b"))
    other.api.keep(record("c", quantities={"pages": 4}))
    settle()
    assert requests(acme.api) == 3
    assert requests(acme.api, clientId=acme.client_id) == 2
    answer = usage(acme.api, clientId=other.client_id)
    assert (answer["requests"]["total"], answer["pages"]) == (1, 4)
    unused = acme.another_credential("Unused")
    assert requests(acme.api, clientId=unused.client_id) == 0


def test_a_client_of_another_organization_is_a_404(acme: Tenant, globex: Tenant) -> None:
    for path in ("/usage", "/usage/series"):
        for client_id in (globex.client_id, "cl_00000000000000000000"):
            answer = acme.api.get(path, clientId=client_id)
            assert (answer.status, answer.body["code"]) == (404, "not_found")


@pytest.mark.parametrize(
    ("query", "said"),
    [
        (
            {"timezone": "Mars/Olympus"},
            "timezone: 'Mars/Olympus' is not an IANA time zone, such as Europe/Berlin.",
        ),
        (
            {"timezone": "../etc/passwd"},
            "timezone: '../etc/passwd' is not an IANA time zone, such as Europe/Berlin.",
        ),
        ({"from": "now"}, "from: 'now' is neither ISO 8601"),
        ({"to": "2026-07-01T00:00:00Z"}, "The window [from, to) must end after it starts."),
        ({"clientId": ""}, "clientId must have 1 to 255 characters."),
        ({"period": "month"}, "There is no parameter 'period'; accepted: from, to, clientId, timezone, "),
    ],
)
def test_what_can_not_be_read_is_a_400_that_says_why(api: Api, query: dict[str, str], said: str) -> None:
    answer = api.get("/usage", **query)
    assert answer.status == 400
    assert answer.body["detail"].startswith(said)
    assert answer.errors[0]["pointer"] == f"/{next(iter(query))}"


def test_a_parameter_given_twice_is_a_400(api: Api) -> None:
    answer = api.get("/usage", timezone=["UTC", "Europe/Berlin"])
    assert (answer.status, answer.body["code"]) == (400, "repeated_parameter")


def test_a_window_is_cut_off_where_the_history_begins(acme: Tenant, settle: Any) -> None:
    first = datetime(2026, 6, 15, tzinfo=UTC)
    acme.api.keep(record("out", timestamp=at(first - TICK)), record("in", timestamp=at(first)))
    settle()
    change_plan(organization_id=acme.id, plan="free")
    answer = usage(acme.api, from_="2020-01-01T00:00:00Z")
    assert (answer["requests"]["total"], answer["historyFrom"]) == (1, "2026-06-15T00:00:00Z")
    assert answer["period"]["from"] == "2026-06-15T00:00:00Z"
    before = usage(acme.api, from_="2020-01-01T00:00:00Z", to="2020-02-01T00:00:00Z")
    assert before["requests"]["total"] == 0


@pytest.mark.parametrize(
    ("start", "end", "minutes"),
    [
        (NOW - timedelta(minutes=10), NOW, 10),
        (NOW - timedelta(minutes=10), NOW + timedelta(hours=1), 10),
        (NOW - timedelta(minutes=10), NOW - timedelta(minutes=8), 2),
        (NOW - timedelta(seconds=30), NOW, 0.5),
    ],
)
def test_rates_are_per_elapsed_minute_of_the_period(
    api: Api, start: datetime, end: datetime, minutes: float
) -> None:
    api.keep(*(record(f"r{number}", timestamp=at(start), tokens={"prompt": 7}) for number in range(6)))
    answer = usage(api, from_=at(start), to=at(end))
    assert (answer["averageRpm"], answer["averageTpm"]) == (6 / minutes, 42 / minutes)


def test_a_period_that_has_not_begun_has_no_rate(api: Api) -> None:
    answer = usage(api, from_=at(NOW + timedelta(days=1)), to=at(NOW + timedelta(days=2)))
    assert (answer["averageRpm"], answer["averageTpm"]) == (0, 0)


def test_answers_are_not_kept_by_caches(api: Api) -> None:
    assert api.get("/usage").headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("path", ["/usage", "/usage/query", "/usage/models"])
def test_a_window_is_cut_off_eleven_years_after_history_begins(acme: Tenant, path: str) -> None:
    answer = acme.api.get(path, from_="1900-01-01T00:00:00Z", to="2999-12-31T00:00:00Z")
    assert answer.body["period"] == {"from": "2016-07-07T00:00:00Z", "to": "2027-07-16T00:00:00Z"}
    later = acme.api.get(path, from_="2500-01-01T00:00:00Z", to="2999-12-31T00:00:00Z")
    assert later.body["period"] == {"from": "2027-07-16T00:00:00Z", "to": "2027-07-16T00:00:00Z"}
