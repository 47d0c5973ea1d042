"""What is told about a key: each rule at its boundary, and through the API."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine

from organizations.services import change_plan, revoke_credential
from tests.usage.factories import NOW, Tenant, at, make_tenant, record
from usage.advice import Advice, Figures, KeyFacts, advise
from usage.key_rules import Term

DAY = timedelta(days=1)
TERMS = {
    "error_rate_up": Term("warning", (Decimal(5), Decimal(20)), 20),
    "rate_limit_near": Term("warning", (Decimal(80), Decimal(100))),
    "latency_up": Term("warning", (Decimal(50),), 20),
    "suddenly_busy": Term("warning", (Decimal(900),), 20),
    "unused": Term("info", after=30 * DAY),
}
KEY = KeyFacts(
    client_id="cl_1",
    name="CI",
    created_at=NOW - 90 * DAY,
    last_used_at=NOW - DAY,
    now=Figures(),
    before=Figures(),
    limit_per_minute=100,
    peak_per_minute=0,
)


def told(**facts: Any) -> list[tuple[str, str]]:
    """Return severity and code of what is told of a key with these facts."""
    return [(advice.severity, advice.code) for advice in advise(replace(KEY, **facts), NOW, TERMS)]


def test_a_quiet_key_is_nothing_to_talk_about() -> None:
    assert told() == []


@pytest.mark.parametrize(
    ("requests", "errors", "expected"),
    [
        (19, 19, []),
        (20, 0, []),
        (40, 1, []),
        (40, 2, [("warning", "error_rate_up")]),
        (40, 7, [("warning", "error_rate_up")]),
        (40, 8, [("critical", "error_rate_up")]),
    ],
)
def test_errors_are_told_from_five_in_a_hundred_of_twenty_requests(
    requests: int, errors: int, expected: list[Any]
) -> None:
    assert told(now=Figures(requests, errors), before=None) == expected


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        (Figures(100, 5), [("warning", "error_rate_up")]),
        (Figures(100, 6), []),
        (Figures(19, 19), [("warning", "error_rate_up")]),
        (None, [("warning", "error_rate_up")]),
    ],
)
def test_errors_that_are_not_twice_as_frequent_as_before_are_no_news(
    before: Figures | None, expected: list[Any]
) -> None:
    assert told(now=Figures(100, 10), before=before) == expected


@pytest.mark.parametrize(
    ("peak", "expected"),
    [
        (79, []),
        (80, [("warning", "rate_limit_near")]),
        (99, [("warning", "rate_limit_near")]),
        (100, [("critical", "rate_limit_near")]),
    ],
)
def test_a_peak_is_told_from_four_fifths_of_the_limit(peak: int, expected: list[Any]) -> None:
    assert told(peak_per_minute=peak) == expected


@pytest.mark.parametrize(
    ("now", "before", "expected"),
    [
        (Figures(20, 0, 20, 3_000_000), Figures(20, 0, 20, 2_000_000), [("warning", "latency_up")]),
        (Figures(20, 0, 20, 2_999_999), Figures(20, 0, 20, 2_000_000), []),
        (Figures(20, 0, 19, 9_000_000), Figures(20, 0, 20, 2_000_000), []),
        (Figures(20, 0, 20, 9_000_000), Figures(20, 0, 19, 2_000_000), []),
        (Figures(20, 0, 20, 9_000_000), None, []),
    ],
)
def test_latency_is_told_when_it_is_half_as_long_again(
    now: Figures, before: Figures | None, expected: list[Any]
) -> None:
    assert told(now=now, before=before) == expected


@pytest.mark.parametrize(
    ("requests", "before", "age", "expected"),
    [
        (20, Figures(), 30 * DAY, [("warning", "suddenly_busy")]),
        (19, Figures(), 30 * DAY, []),
        (100, Figures(10), 30 * DAY, [("warning", "suddenly_busy")]),
        (99, Figures(10), 30 * DAY, []),
        (100, Figures(), 30 * DAY - timedelta(seconds=1), []),
        (100, None, 30 * DAY, []),
    ],
)
def test_a_key_of_some_age_that_is_ten_times_as_busy_is_told(
    requests: int, before: Figures | None, age: timedelta, expected: list[Any]
) -> None:
    assert told(now=Figures(requests), before=before, created_at=NOW - age) == expected


@pytest.mark.parametrize(
    ("created", "used", "expected"),
    [
        (90 * DAY, 30 * DAY, [("info", "unused")]),
        (90 * DAY, 30 * DAY - timedelta(seconds=1), []),
        (30 * DAY, None, [("info", "unused")]),
        (29 * DAY, None, []),
    ],
)
def test_a_key_that_nobody_used_for_thirty_days_is_told(
    created: timedelta, used: timedelta | None, expected: list[Any]
) -> None:
    last = None if used is None else NOW - used
    assert told(created_at=NOW - created, last_used_at=last) == expected


def test_what_is_told_names_the_key_the_figures_and_what_to_do() -> None:
    facts = replace(
        KEY,
        now=Figures(1000, 250, 1000, 1_500_000_000),
        before=Figures(50, 5, 50, 5_000_000),
        peak_per_minute=95,
        last_used_at=NOW,
    )
    assert [(advice.code, advice.client_id, advice.message) for advice in advise(facts, NOW, TERMS)] == [
        ("error_rate_up", "cl_1", "CI: 25.0% of requests fail, 10.0% before."),
        ("rate_limit_near", "cl_1", "CI: up to 95 requests in a minute, of 100 allowed."),
        ("latency_up", "cl_1", "CI: 1,500 ms on average, 100 ms before."),
        ("suddenly_busy", "cl_1", "CI: 1,000 requests, after 50 in the period before."),
    ]
    assert all(advice.recommendation.endswith(".") for advice in advise(facts, NOW, TERMS))


def test_an_unused_key_is_told_apart_from_one_that_never_was_used() -> None:
    never = next(advise(replace(KEY, last_used_at=None), NOW, TERMS))
    long = next(advise(replace(KEY, last_used_at=NOW - 45 * DAY), NOW, TERMS))
    recommendation = "Revoke the key if nothing needs it any more."
    assert never == Advice(
        "info", "unused", "cl_1", "CI: not used since it was made 90 days ago.", recommendation
    )
    assert long == Advice("info", "unused", "cl_1", "CI: not used for 45 days.", recommendation)


def test_what_the_rules_leave_out_is_not_told_and_what_they_change_is_told_so() -> None:
    facts = replace(KEY, now=Figures(1000, 100), before=None)
    assert list(advise(facts, NOW, {})) == []
    term = Term("info", (Decimal(10),), 1000)
    assert [(found.severity, found.code) for found in advise(facts, NOW, {"error_rate_up": term})] == [
        ("info", "error_rate_up")
    ]
    assert list(advise(replace(facts, now=Figures(999, 100)), NOW, {"error_rate_up": term})) == []


@pytest.fixture
def old_acme(stopped_clock: time_machine.Traveller, db: None) -> Tenant:
    """An organization whose key was made a hundred days ago."""
    stopped_clock.move_to(NOW - 100 * DAY)
    tenant = make_tenant("Acme")
    stopped_clock.move_to(NOW)
    return tenant


def use(tenant: Tenant, moment: datetime, count: int, **fields: Any) -> None:
    tenant.api.keep(
        *(record(timestamp=at(moment + timedelta(seconds=number)), **fields) for number in range(count))
    )


def alerts(tenant: Tenant, **query: Any) -> list[tuple[str, str, str]]:
    answer = tenant.api.get("/usage/keys", **query)
    assert answer.status == 200, answer.body
    return [(alert["severity"], alert["code"], alert["keyId"]) for alert in answer.body["alerts"]]


def test_a_key_is_held_against_the_equally_long_time_before(old_acme: Tenant) -> None:
    use(old_acme, NOW - timedelta(hours=30), 100, latencyMs=100)
    use(old_acme, NOW - timedelta(hours=5), 100, latencyMs=200, status="error")
    key = old_acme.client_id
    assert alerts(old_acme) == [("critical", "error_rate_up", key), ("warning", "latency_up", key)]
    assert alerts(old_acme, timeframe="1h") == []
    assert alerts(old_acme, timeframe="7d") == [
        ("critical", "error_rate_up", key), ("warning", "suddenly_busy", key),
    ]  # fmt: skip
    assert alerts(old_acme, timeframe="all") == [("critical", "error_rate_up", key)]


def test_a_plan_tells_nothing_of_what_lies_before_its_history(old_acme: Tenant) -> None:
    use(old_acme, NOW - timedelta(days=40), 100, latencyMs=100)
    use(old_acme, NOW - timedelta(hours=5), 100, latencyMs=200)
    expected = [("warning", "latency_up", old_acme.client_id)]
    assert alerts(old_acme, timeframe="30d") == expected
    change_plan(organization_id=old_acme.id, plan="free")
    assert alerts(old_acme, timeframe="30d") == []


def test_each_key_is_told_of_by_itself_and_a_revoked_one_not_at_all(old_acme: Tenant) -> None:
    other = old_acme.another_credential("Batch")
    use(other, NOW - timedelta(hours=5), 100, status="error")
    assert alerts(old_acme) == [
        ("critical", "error_rate_up", other.client_id), ("info", "unused", old_acme.client_id),
    ]  # fmt: skip
    assert alerts(old_acme, keyId=other.client_id) == [("critical", "error_rate_up", other.client_id)]
    revoke_credential(organization_id=old_acme.id, client_id=other.client_id)
    assert alerts(old_acme) == [("info", "unused", old_acme.client_id)]


def test_requests_to_the_api_count_towards_the_limit_that_is_told_of(old_acme: Tenant) -> None:
    change_plan(organization_id=old_acme.id, plan="free")
    for _ in range(47):
        assert old_acme.api.get("/keys").status == 200
    key = old_acme.client_id
    assert alerts(old_acme) == [("warning", "rate_limit_near", key), ("info", "unused", key)]
    answer = old_acme.api.get("/usage/keys").body
    (limit,) = answer["rateLimits"]
    assert limit == {
        "keyId": key,
        "limit": 60,
        "window": "60s",
        "used": 49,
        "remaining": 11,
        "resetAt": "2026-07-15T12:35:56.789000Z",
        "peakPerMinute": 49,
    }
