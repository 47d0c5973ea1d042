"""Rate limits: exact to the request, begun anew each minute, shown on every answer, and no reason to fail."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from pytest_django import Settings

from organizations import rate_limits
from organizations.tenancy import Caller
from tests.usage.factories import NOW, Tenant, make_tenant

pytestmark = pytest.mark.django_db


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    """A clock that stands 3.2 seconds before its minute ends."""
    with time_machine.travel(NOW.replace(second=56, microsecond=800_000), tick=False) as traveller:
        yield traveller


@pytest.fixture
def tenant(db: None) -> Tenant:
    """An organization on the Free plan: sixty requests a minute."""
    return make_tenant("Acme", plan="free")


@pytest.fixture
def redis_away(settings: Settings) -> Iterator[None]:
    """A Redis that isn't there, and no memory of it afterwards."""
    settings.REDIS_URL = "unix:///nowhere/redis.sock"
    _forget()
    yield
    _forget()


def _forget() -> None:
    rate_limits._redis.cache_clear()
    rate_limits._script.cache_clear()
    rate_limits._circuit._closed_from = 0.0


def limited(tenant: Tenant, limit: int) -> Caller:
    caller = tenant.caller()
    return replace(caller, plan=replace(caller.plan, requests_per_minute=limit))


def take(caller: Caller) -> rate_limits.Decision:
    decision = rate_limits.take(caller)
    assert decision is not None
    return decision


def test_as_many_as_the_limit_are_allowed_and_one_more_is_not(
    tenant: Tenant, clock: time_machine.Traveller
) -> None:
    caller = limited(tenant, 3)
    assert [take(caller).remaining for _ in range(3)] == [2, 1, 0]
    refused = take(caller)
    assert (refused.allowed, refused.used, refused.remaining, refused.resets_in) == (False, 3, 0, 4)


def test_the_next_minute_begins_anew(tenant: Tenant, clock: time_machine.Traveller) -> None:
    caller = limited(tenant, 1)
    assert [take(caller).allowed, take(caller).allowed] == [True, False]
    clock.shift(timedelta(seconds=3.2))
    assert (take(caller).allowed, take(caller).resets_in) == (True, 60)


def test_credentials_are_counted_apart(tenant: Tenant, clock: time_machine.Traveller) -> None:
    first, second = limited(tenant, 1), limited(tenant.another_credential(), 1)
    assert [take(first).allowed, take(second).allowed, take(first).allowed] == [True, True, False]


def test_counters_of_other_names_are_apart(tenant: Tenant, clock: time_machine.Traveller) -> None:
    caller = limited(tenant, 1)
    assert take(caller).allowed
    other = rate_limits.take(caller, counter="gate")
    assert other is not None
    assert other.allowed


def test_many_at_once_are_admitted_exactly_up_to_the_limit(
    tenant: Tenant, clock: time_machine.Traveller
) -> None:
    caller = limited(tenant, 50)
    with ThreadPoolExecutor(8) as pool:
        decisions = list(pool.map(lambda _: take(caller).allowed, range(120)))
    assert sum(decisions) == 50


def test_a_state_tells_the_use_of_this_minute_and_the_peak_of_days(
    tenant: Tenant, clock: time_machine.Traveller
) -> None:
    caller = limited(tenant, 10)
    for _ in range(4):
        take(caller)
    clock.shift(timedelta(days=2))
    take(caller)
    unused = tenant.another_credential()
    states = rate_limits.states([tenant.client_id, unused.client_id])
    assert states == {
        tenant.client_id: rate_limits.State(used=1, peak_per_minute=4),
        unused.client_id: rate_limits.State(used=0, peak_per_minute=0),
    }


def test_every_answer_says_what_is_left(tenant: Tenant, clock: time_machine.Traveller) -> None:
    answers = [
        tenant.api.get("/usage"),
        tenant.api.send({"type": "task.execution"}),
        tenant.api.get("/usage", bogus="1"),
        tenant.api.get("/records/none"),
        tenant.api.send({"type": ""}),
    ]
    assert [answer.status for answer in answers] == [200, 200, 400, 404, 422]
    assert [answer.headers["RateLimit"] for answer in answers] == [
        f'"permin";r={left};t=4' for left in (59, 58, 57, 56, 55)
    ]
    assert {answer.headers["RateLimit-Policy"] for answer in answers} == {'"permin";q=60;w=60'}


@pytest.mark.parametrize("path", ["/usage", "/records"])
def test_one_request_too_many_is_a_429_that_says_when_to_come_back(
    path: str, tenant: Tenant, clock: time_machine.Traveller
) -> None:
    caller = tenant.caller()
    for _ in range(60):
        assert take(caller).allowed
    answer = tenant.api.get("/usage") if path == "/usage" else tenant.api.send({"type": "task.execution"})
    assert (answer.status, answer.body["code"], answer.headers["Retry-After"]) == (429, "rate_limited", "4")
    assert answer.headers["RateLimit"] == '"permin";r=0;t=4'
    assert answer.headers["Content-Type"] == "application/problem+json"


def test_who_has_no_key_is_not_counted(db: None) -> None:
    assert "RateLimit" not in Client().get("/api/v1/usage").headers


def test_while_redis_is_away_the_api_answers_and_the_log_says_so_once(
    tenant: Tenant, redis_away: None, caplog: pytest.LogCaptureFixture
) -> None:
    answers = [
        tenant.api.get("/usage"),
        tenant.api.send({"type": "task.execution"}),
        tenant.api.get("/usage/keys"),
    ]
    assert [answer.status for answer in answers] == [200, 200, 200]
    assert "RateLimit" not in answers[0].headers
    assert answers[2].body["rateLimits"][0]["used"] == 0
    assert sum("rate limits are not enforced" in str(record.msg) for record in caplog.records) == 1
