"""Rate limits: exact to the request, begun anew each minute, shown on every answer, and no reason to fail."""

from __future__ import annotations

import logging
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import time_machine
from django.conf import settings as django_settings
from django.test import Client
from drf_spectacular.generators import SchemaGenerator
from pytest_django import Settings
from redis import Redis

from config.embedded import EmbeddedRedis
from core.periods import Period
from organizations import counters, rate_limits
from organizations.models import Membership, Organization
from organizations.services import change_plan
from organizations.tenancy import Caller, system_scope
from tests.organizations.cast import make_member, make_organization, signed_in
from tests.serving import Server
from tests.usage.factories import NOW, Tenant, make_tenant

pytestmark = pytest.mark.django_db

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
AWAY = "rate limits are not enforced: Redis does not answer"
BACK = "rate limits are enforced again: Redis answers"


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    """A clock that stands in the middle of a minute."""
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


@pytest.fixture
def tenant(db: None) -> Tenant:
    """An organization on the Free plan: sixty requests a minute."""
    return make_tenant("Acme", plan="free")


@pytest.fixture
def own_redis(tmp_path: Path, settings: Settings) -> Iterator[EmbeddedRedis]:
    """A Redis of the test's own, which the settings name."""
    redis = EmbeddedRedis(tmp_path, durable=False)
    redis.start()
    settings.REDIS_URL = redis.url
    yield redis
    if redis.process is not None:
        redis.process.send_signal(signal.SIGCONT)
    redis.stop()


@pytest.fixture
def short_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    """A Redis that failed is asked again at once."""
    monkeypatch.setattr(counters, "PAUSE_SECONDS", 0.0)


def limited(tenant: Tenant, limit: int) -> Caller:
    caller = tenant.caller()
    return replace(caller, plan=replace(caller.plan, requests_per_minute=limit))


def take(caller: Caller, *, counter: str = rate_limits.API) -> rate_limits.Decision:
    decision = rate_limits.take(caller, counter=counter)
    assert decision is not None
    return decision


def state(tenant: Tenant, days: int = 1) -> rate_limits.State:
    """Return the state, with the peak of so many days, today last."""
    now = datetime.now(UTC)
    return rate_limits.states([tenant.client_id], Period(now - (days - 1) * DAY, now))[tenant.client_id]


def send(tenant: Tenant) -> tuple[int, str | None]:
    answer = tenant.api.get("/usage")
    return answer.status, answer.headers.get("RateLimit")


def lines(caplog: pytest.LogCaptureFixture, event: str) -> int:
    return sum(event in str(record.msg) for record in caplog.records)


# Windows


def test_as_many_as_the_limit_are_allowed_and_one_more_is_not(
    tenant: Tenant, clock: time_machine.Traveller
) -> None:
    caller = limited(tenant, 3)
    assert [take(caller).remaining for _ in range(3)] == [2, 1, 0]
    refused = take(caller)
    assert (refused.allowed, refused.used, refused.remaining, refused.resets_in) == (False, 3, 0, 60)


def test_a_window_begins_with_its_first_request_and_lasts_a_minute(
    tenant: Tenant, clock: time_machine.Traveller
) -> None:
    caller = limited(tenant, 2)
    seen = []
    for wait in (0, 59, 0, 0.999, 0.001):
        clock.shift(timedelta(seconds=wait))
        decision = take(caller)
        seen.append((decision.allowed, decision.remaining, decision.resets_in))
    assert seen == [(True, 1, 60), (True, 0, 1), (False, 0, 1), (False, 0, 1), (True, 1, 60)]


@pytest.mark.parametrize("waited", [0.0, 0.0004, 13.3339, 46.66, 59.9999])
def test_who_is_refused_and_waits_as_told_is_let_in(
    waited: float, tenant: Tenant, clock: time_machine.Traveller
) -> None:
    caller = limited(tenant, 1)
    take(caller)
    clock.shift(timedelta(seconds=waited))
    refused = take(caller)
    assert not refused.allowed
    clock.shift(timedelta(seconds=refused.resets_in))
    assert take(caller).allowed


def test_a_limit_that_changes_counts_from_the_next_request_on(
    tenant: Tenant, clock: time_machine.Traveller
) -> None:
    for _ in range(3):
        take(limited(tenant, 3))
    assert take(limited(tenant, 4)).allowed
    lower = take(limited(tenant, 2))
    assert (lower.allowed, lower.used, lower.remaining) == (False, 4, 0)


def test_a_clock_that_is_put_back_holds_nobody_up(tenant: Tenant, clock: time_machine.Traveller) -> None:
    caller = limited(tenant, 1)
    take(caller)
    clock.shift(-timedelta(hours=1))
    assert [take(caller).allowed, take(caller).allowed] == [True, False]


def test_clocks_that_differ_a_little_share_a_window(tenant: Tenant, clock: time_machine.Traveller) -> None:
    caller = limited(tenant, 1)
    take(caller)
    clock.shift(-timedelta(seconds=2))
    assert not take(caller).allowed


# Who is counted with whom


def test_credentials_are_counted_apart(tenant: Tenant, clock: time_machine.Traveller) -> None:
    first, second = limited(tenant, 1), limited(tenant.another_credential(), 1)
    assert [take(first).allowed, take(second).allowed, take(first).allowed] == [True, True, False]


def test_counters_of_other_names_are_apart(tenant: Tenant, clock: time_machine.Traveller) -> None:
    caller = limited(tenant, 1)
    assert [take(caller).allowed, take(caller, counter="gate").allowed] == [True, True]
    assert [take(caller).allowed, take(caller, counter="gate").allowed] == [False, False]


def test_a_member_is_counted_in_each_organization_apart(db: None, clock: time_machine.Traveller) -> None:
    acme, globex = make_organization("Acme", plan="free"), make_organization("Globex", plan="free")
    member = make_member(acme, "analyst")
    with system_scope():
        Membership.objects.create(organization=globex.organization, user=member, role="analyst")
    places = [(member, acme), (acme.owner, acme), (member, globex)]
    sessions = [signed_in(user, organization=place.organization.slug) for user, place in places]
    left = [session.get("/api/v1/usage").headers["RateLimit"] for session in [*sessions, *sessions]]
    assert left == [f'"permin";r={r};t=60' for r in (59, 59, 59, 58, 58, 58)]


def test_many_threads_at_once_are_admitted_exactly_up_to_the_limit(
    tenant: Tenant, clock: time_machine.Traveller
) -> None:
    caller = limited(tenant, 50)
    with ThreadPoolExecutor(8) as pool:
        decisions = list(pool.map(lambda _: take(caller).allowed, range(120)))
    assert sum(decisions) == 50


@pytest.mark.django_db(transaction=True)
def test_processes_share_a_window_exactly(make_server: Callable[..., Server]) -> None:
    tenant = make_tenant("Acme", plan="free")
    server = make_server(workers=2, threads=2)
    headers = {"Authorization": f"Bearer {tenant.api.key}"}

    def ask(_: int) -> int:
        return httpx.get(f"{server.url}/api/v1/usage", headers=headers, timeout=30).status_code

    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(ask, range(90)))
    assert (statuses.count(200), statuses.count(429)) == (60, 30)


# The state that is shown


def test_a_state_tells_the_window_and_the_peak_of_the_days_asked_for(
    tenant: Tenant, clock: time_machine.Traveller
) -> None:
    caller = limited(tenant, 10)
    for requests, wait in ((4, 2 * DAY), (3, MINUTE), (1, timedelta(seconds=20))):
        for _ in range(requests):
            take(caller)
        clock.shift(wait)
    ends = NOW.replace(microsecond=NOW.microsecond // 1000 * 1000) + 2 * DAY + 2 * MINUTE
    assert state(tenant) == rate_limits.State(used=1, resets_at=ends, peak_per_minute=3)
    assert state(tenant, days=2).peak_per_minute == 3
    assert state(tenant, days=3).peak_per_minute == 4


def test_the_peak_counts_the_window_that_runs_and_the_one_that_has_just_ended(
    tenant: Tenant, clock: time_machine.Traveller
) -> None:
    caller = limited(tenant, 10)
    take(caller)
    take(caller)
    assert (state(tenant).used, state(tenant).peak_per_minute) == (2, 2)
    clock.shift(MINUTE)
    idle = state(tenant)
    assert (idle.used, idle.peak_per_minute) == (0, 2)
    assert idle.resets_at - datetime.now(UTC) <= MINUTE


def test_a_peak_belongs_to_the_day_its_window_began_on(tenant: Tenant, clock: time_machine.Traveller) -> None:
    caller = limited(tenant, 10)
    clock.move_to(datetime(2026, 7, 15, 23, 59, 30, tzinfo=UTC))
    take(caller)
    clock.shift(timedelta(seconds=45))
    take(caller)
    assert [state(tenant, days).peak_per_minute for days in (1, 2)] == [0, 2]


def test_a_refused_request_is_no_part_of_use_or_peak(tenant: Tenant, clock: time_machine.Traveller) -> None:
    for _ in range(5):
        take(limited(tenant, 2))
    assert (state(tenant).used, state(tenant).peak_per_minute) == (2, 2)


def test_a_peak_is_kept_for_a_year_and_then_forgotten(tenant: Tenant, clock: time_machine.Traveller) -> None:
    caller = limited(tenant, 10)
    for requests, wait in ((3, MINUTE), (1, 366 * DAY), (1, 4 * DAY), (1, 9 * DAY), (1, 0 * DAY)):
        for _ in range(requests):
            take(caller)
        clock.shift(wait)
        if wait == 366 * DAY:
            assert state(tenant, days=367).peak_per_minute == 3
    with Redis.from_url(django_settings.REDIS_URL) as redis:
        key = f"headroom:rate:api:{tenant.client_id}"
        fields = {field.decode() for field in redis.hkeys(key)}
        expires = redis.ttl(key)
    days = {str(int((NOW + days * DAY).timestamp()) // 86400) for days in (366, 370)}
    assert fields == {"used", "ends", *days}
    assert 370 * 86400 < int(expires) <= 371 * 86400


def test_the_states_of_many_come_in_one_message(tenant: Tenant, clock: time_machine.Traveller) -> None:
    others = [tenant.another_credential(f"Key {number}") for number in range(20)]
    for other in others[::2]:
        take(limited(other, 5))
    ids = [other.client_id for other in others]
    with Redis.from_url(django_settings.REDIS_URL) as redis:
        before = _calls(redis)
        found = rate_limits.states(ids, Period(NOW, NOW + DAY))
        assert _calls(redis) - before == 1
    assert list(found) == ids
    assert [found[client_id].used for client_id in ids] == [1, 0] * 10


def test_no_credentials_have_no_states(clock: time_machine.Traveller) -> None:
    assert rate_limits.states([], Period(NOW, NOW + DAY)) == {}


def test_use_per_key_shows_limit_use_reset_and_peak(tenant: Tenant, clock: time_machine.Traveller) -> None:
    for _ in range(4):
        tenant.api.get("/usage")
    clock.shift(timedelta(seconds=75))
    assert tenant.api.get("/usage/keys").body["rateLimits"] == [
        {
            "keyId": tenant.client_id,
            "limit": 60,
            "window": "60s",
            "used": 1,
            "remaining": 59,
            "resetAt": "2026-07-15T12:37:11.789000Z",
            "peakPerMinute": 4,
        }
    ]


def test_use_per_key_shows_the_gate_s_limit_where_it_is_used_more(
    tenant: Tenant, clock: time_machine.Traveller
) -> None:
    for counter, count in ((rate_limits.API, 2), (rate_limits.GATE, 5)):
        for _ in range(count):
            rate_limits.take(limited(tenant, 60), counter=counter)
    [found] = tenant.api.get("/usage/keys").body["rateLimits"]
    assert (found["used"], found["remaining"], found["peakPerMinute"]) == (5, 55, 5)


# Over HTTP


def test_every_answer_says_what_is_left(tenant: Tenant, clock: time_machine.Traveller) -> None:
    reader = tenant.another_credential(scopes=("usage:read",))
    answers = [
        reader.api.get("/usage"),
        reader.api.send({"type": "task.execution"}),
        reader.api.get("/usage", bogus="1"),
        reader.api.get("/records/none"),
        reader.api.call("PUT", "/usage"),
    ]
    assert [answer.status for answer in answers] == [200, 403, 400, 404, 405]
    answers += [tenant.api.send({"type": "task.execution"}), tenant.api.send({"type": ""})]
    assert [answer.headers["RateLimit"] for answer in answers] == [
        f'"permin";r={left};t=60' for left in (59, 58, 57, 56, 55, 59, 58)
    ]
    assert {answer.headers["RateLimit-Policy"] for answer in answers} == {'"permin";q=60;w=60'}


@pytest.mark.parametrize("path", ["/usage", "/records"])
def test_one_request_too_many_is_a_429_that_says_when_to_come_back(
    path: str, tenant: Tenant, clock: time_machine.Traveller
) -> None:
    for _ in range(60):
        assert take(tenant.caller()).allowed
    clock.shift(timedelta(seconds=17.5))
    answer = tenant.api.get("/usage") if path == "/usage" else tenant.api.send({"type": "task.execution"})
    assert answer.status == 429
    assert answer.body == {
        "type": "/api/docs/problems#rate_limited",
        "title": "Too Many Requests",
        "status": 429,
        "detail": "The limit of 60 requests a minute is reached; it begins anew in 43 s.",
        "code": "rate_limited",
    }
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.headers["Retry-After"] == "43"
    assert answer.headers["RateLimit"] == '"permin";r=0;t=43'
    assert answer.headers["RateLimit-Policy"] == '"permin";q=60;w=60'
    clock.shift(timedelta(seconds=43))
    assert send(tenant) == (200, '"permin";r=59;t=60')


@pytest.mark.parametrize(
    ("plan", "limit"),
    [
        ("free", 60),
        ("starter", 300),
        ("professional", 1000),
        ("pay-as-you-go", 1000),
        ("enterprise", 60000),
    ],
)
def test_the_plan_sets_the_limit(plan: str, limit: int, clock: time_machine.Traveller) -> None:
    answer = make_tenant("Acme", plan=plan).api.get("/usage")
    assert answer.headers["RateLimit-Policy"] == f'"permin";q={limit};w=60'
    assert answer.headers["RateLimit"] == f'"permin";r={limit - 1};t=60'


def test_an_organizations_own_limit_and_a_new_plan_hold_at_once(
    tenant: Tenant, clock: time_machine.Traveller
) -> None:
    assert send(tenant) == (200, '"permin";r=59;t=60')
    change_plan(organization_id=tenant.id, plan="starter")
    assert send(tenant) == (200, '"permin";r=298;t=60')
    with system_scope():
        Organization.objects.filter(pk=tenant.id).update(requests_per_minute=2)
    assert send(tenant) == (429, '"permin";r=0;t=60')


@pytest.mark.parametrize("key", [None, "hr_mistyped"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_who_is_not_let_in_is_not_counted(method: str, key: str | None, db: None) -> None:
    headers = {} if key is None else {"Authorization": f"Bearer {key}"}
    client = Client(headers=headers)
    answer = client.generic(method, "/api/v1/records", b"[]", content_type="application/json")
    assert answer.status_code == 401
    assert not {"RateLimit", "RateLimit-Policy", "Retry-After"} & set(answer.headers)


def test_the_document_tells_of_the_limits_on_every_operation() -> None:
    generator: Any = SchemaGenerator
    document = generator().get_schema(request=None, public=True)
    operations = [
        (path, operation["responses"])
        for path, methods in document["paths"].items()
        for operation in methods.values()
    ]
    assert len(operations) > 10
    for path, responses in operations:
        # nginx knows two refusals only; the true status is in a header of their own.
        refusals = {"401", "403"} if path.endswith("/gateway/nginx") else {"401", "429"}
        assert refusals <= responses.keys(), path
        for status, response in responses.items():
            expected = {"RateLimit-Policy", "RateLimit"} if status != "401" else set()
            expected |= {"Retry-After"} if status == "429" else set()
            assert expected <= response["headers"].keys()
            assert status != "401" or not response["headers"]
    assert {"RateLimit-Policy", "RateLimit", "Retry-After"} == document["components"]["headers"].keys()


# Redis away


def test_while_redis_is_away_the_api_answers_and_the_log_says_so_once(
    tenant: Tenant, own_redis: EmbeddedRedis, caplog: pytest.LogCaptureFixture
) -> None:
    assert send(tenant)[1] is not None
    own_redis.stop()
    answers = [tenant.api.get("/usage") for _ in range(70)]
    answers += [tenant.api.send({"type": "task.execution"}), tenant.api.get("/usage/keys")]
    assert {answer.status for answer in answers} == {200}
    assert not any("RateLimit" in answer.headers for answer in answers)
    assert answers[-1].body["rateLimits"][0]["used"] == 0
    assert lines(caplog, AWAY) == 1


def test_the_limits_hold_again_once_redis_is_back(
    tenant: Tenant, own_redis: EmbeddedRedis, short_pause: None, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    caller = limited(tenant, 1)
    own_redis.stop()
    assert [rate_limits.take(caller) for _ in range(3)] == [None] * 3
    own_redis.start()
    assert [take(caller).allowed, take(caller).allowed] == [True, False]
    assert (lines(caplog, AWAY), lines(caplog, BACK)) == (1, 1)


def test_a_redis_that_was_restarted_is_reached_at_once(
    tenant: Tenant, own_redis: EmbeddedRedis, caplog: pytest.LogCaptureFixture
) -> None:
    caller = limited(tenant, 1)
    assert take(caller).allowed
    own_redis.stop()
    own_redis.start()
    assert [take(caller).allowed, take(caller).allowed] == [True, False]
    assert lines(caplog, AWAY) == 0


def test_a_redis_that_hangs_costs_one_request_its_timeout(
    tenant: Tenant, own_redis: EmbeddedRedis, caplog: pytest.LogCaptureFixture
) -> None:
    caller = limited(tenant, 1)
    assert take(caller).allowed
    assert own_redis.process is not None
    own_redis.process.send_signal(signal.SIGSTOP)
    began = time.monotonic()
    assert rate_limits.take(caller) is None
    first = time.monotonic()
    assert [rate_limits.take(caller) for _ in range(1000)] == [None] * 1000
    assert first - began >= counters.TIMEOUT_SECONDS
    assert time.monotonic() - first < counters.TIMEOUT_SECONDS
    assert lines(caplog, AWAY) == 1


def test_while_redis_is_away_only_one_request_a_pause_tries_it(
    tenant: Tenant, own_redis: EmbeddedRedis, monkeypatch: pytest.MonkeyPatch
) -> None:
    caller = limited(tenant, 1)
    monkeypatch.setattr(counters, "PAUSE_SECONDS", 0.5)
    own_redis.stop()
    assert rate_limits.take(caller) is None
    circuit: Any = counters.counters()._circuit
    time.sleep(0.6)
    with ThreadPoolExecutor(8) as pool:
        tried = list(pool.map(lambda _: circuit.lets_through(), range(40)))
    assert sum(tried) == 1


def test_a_redis_that_is_full_is_one_that_is_away(
    tenant: Tenant, own_redis: EmbeddedRedis, caplog: pytest.LogCaptureFixture
) -> None:
    with Redis.from_url(own_redis.url) as redis:
        redis.config_set("maxmemory", "1")
    assert send(tenant) == (200, None)
    assert lines(caplog, AWAY) == 1


def _calls(redis: Redis) -> int:
    stats: Any = redis.info("commandstats")
    return int(stats.get("cmdstat_evalsha", {}).get("calls", 0)) + int(
        stats.get("cmdstat_eval", {}).get("calls", 0)
    )
