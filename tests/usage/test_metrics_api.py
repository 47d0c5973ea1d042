"""GET /metrics: what a scraper reads is what the API says, and what no scraper may trip over."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.test import Client

from core.exposition import OPENMETRICS
from organizations.services import change_plan, set_timezone
from organizations.services.credentials import revoke_credential
from organizations.tenancy import tenant_scope
from tests.usage.factories import Api, Tenant, make_tenant, record
from tests.usage.scraping import ACCEPTS, Scrape, amount, read
from usage.rollups.fold import fold_pending
from usage.rollups.latency import EDGES_US

pytestmark = pytest.mark.django_db

TOKENS = {"prompt": 100, "completion": 20, "cachedPrompt": 30, "cacheWrite": 5, "reasoning": 7}
TICK = timedelta(microseconds=1)


@pytest.fixture(autouse=True)
def clock(stopped_clock: time_machine.Traveller) -> time_machine.Traveller:
    """Everything here happens at `NOW` unless the test moves the clock."""
    return stopped_clock


@pytest.fixture(params=["pending", "folded"])
def settle(request: pytest.FixtureRequest) -> Callable[[], int]:
    """Fold, or don't: no answer may differ."""
    return fold_pending if request.param == "folded" else lambda: 0


@pytest.fixture(params=sorted(ACCEPTS))
def accept(request: pytest.FixtureRequest) -> str:
    """The header of a scraper of each format."""
    return ACCEPTS[request.param]


def scrape(api: Api, accept: str = ACCEPTS["openmetrics"]) -> Scrape:
    client = Client(headers={"authorization": f"Bearer {api.key}", "accept": accept})
    response = client.get("/api/v1/metrics")
    assert response.status_code == 200, response.content
    return read(response.content, response["Content-Type"])


def varied(tenant: Tenant) -> Tenant:
    """Keep records of every kind through two credentials, and return the other one."""
    other = tenant.another_credential()
    tenant.api.keep(
        record("a", tokens=TOKENS, latencyMs=100, cost="0.25", model="gpt-4o", provider="openai",
               capability="chat", quantities={"conversations": 1, "credits": "1.5"}),
        record("b", tokens={"prompt": 10, "completion": 2, "total": 15}, status="error", latencyMs=50.5,
               model="gpt-4o", provider="azure", quantities={"own.meter": "0.25", "quota": 700}),
        record("c", type="task.execution", status="error", cost="0.000000001", capability="search"),
        record("d", executionId="x", latencyMs=0.05, model='a "quoted" \\ na\nme', cost="999999.123456789"),
    )  # fmt: skip
    other.api.keep(
        record("e", latencyMs=1_000, model="gpt-4o", cost="3"), record("f", quantities={"pages": 3})
    )
    return other


def test_every_total_is_that_of_the_api(acme: Tenant, settle: Callable[[], int], accept: str) -> None:
    varied(acme)
    settle()
    seen, said = scrape(acme.api, accept), acme.api.get("/usage").body
    assert seen.value("headroom_requests_total") == said["requests"]["total"] == 6
    assert seen.value("headroom_errors_total") == said["requests"]["failed"] == 2
    assert seen.value("headroom_unpriced_requests_total") == said["unpricedRecords"] == 2
    assert amount(seen.value("headroom_cost_total", currency="USD")) == said["cost"] == "1000002.373456790"
    assert seen.by("headroom_executions_total", "outcome") == said["executions"]
    kinds = seen.by("headroom_tokens_total", "kind")
    assert kinds == {"prompt": 110, "completion": 22, "unspecified": 3}
    assert sum(kinds.values()) == said["tokens"]["total"]
    assert seen.by("headroom_token_details_total", "detail") == {
        "cached_prompt": said["tokens"]["cachedPrompt"],
        "cache_write": said["tokens"]["cacheWrite"],
        "reasoning": said["tokens"]["reasoning"],
    }
    meters = {name: float(Decimal(value)) for name, value in said["quantities"].items()}
    assert seen.by("headroom_meter_total", "meter") == meters
    assert meters == {"conversations": 1, "credits": 1.5, "own.meter": 0.25, "pages": 3, "quota": 700}


@pytest.mark.parametrize(
    ("dimension", "label", "facet"),
    [("client", "client_id", "clientId"), ("model", "model", "model"), ("capability",) * 3],
)
def test_every_family_is_the_api_s_by_that_dimension_and_adds_up_to_the_total(
    acme: Tenant, settle: Callable[[], int], accept: str, dimension: str, label: str, facet: str
) -> None:
    varied(acme)
    settle()
    seen = scrape(acme.api, accept)
    rows = acme.api.get(
        "/usage/query",
        metrics="requests,errors,tokens,cost,latency.average",
        groupBy=facet,
        granularity="total",
        from_="2026-07-01T00:00:00Z",
    ).body["rows"]
    said = {row[facet] or "": row for row in rows}
    for name, metric in (("requests", "requests"), ("errors", "errors"), ("tokens", "tokens")):
        found = seen.by(f"headroom_{dimension}_{name}_total", label)
        assert found == {value: row[metric] for value, row in said.items()}
        total = seen.of(f"headroom_{name}_total")
        assert sum(found.values()) == sum(value for _, value in total)
    cost = seen.by(f"headroom_{dimension}_cost_total", label)
    assert {value: amount(number) for value, number in cost.items()} == {
        value: row["cost"] for value, row in said.items()
    }
    timed = seen.by(f"headroom_{dimension}_latency_seconds_count", label)
    seconds = seen.by(f"headroom_{dimension}_latency_seconds_sum", label)
    averages = {value: row["latency.average"] for value, row in said.items() if row["latency.average"]}
    assert {v: round(1000 * seconds[v] / n, 3) for v, n in timed.items() if n} == averages
    assert sum(timed.values()) == seen.value("headroom_request_latency_seconds_count") == 4


def test_latencies_are_a_histogram_whose_bounds_are_exact(
    acme: Tenant, settle: Callable[[], int], accept: str
) -> None:
    edge = EDGES_US[30]
    microseconds = [0, 99, 100, edge - 1, edge, edge + 1, 2_000_000, 86_400_000_000]
    acme.api.keep(*(record(f"r{n}", latencyMs=us / 1000) for n, us in enumerate(microseconds)))
    settle()
    seen = scrape(acme.api, accept)
    buckets = seen.by("headroom_request_latency_seconds_bucket", "le")
    assert len(buckets) == 62
    for bound, count in buckets.items():
        assert count == sum(us / 1_000_000 <= float(bound) for us in microseconds), bound
    assert buckets[str((edge - 1) / 1_000_000)] == 4
    assert seen.value("headroom_request_latency_seconds_count") == buckets["+Inf"] == 8
    assert seen.value("headroom_request_latency_seconds_sum") == sum(microseconds) / 1_000_000


def test_every_counter_says_that_it_counts_from_the_start_of_the_period(acme: Tenant) -> None:
    set_timezone(organization_id=acme.id, timezone="Asia/Kathmandu")
    varied(acme)
    seen = scrape(acme.api)
    start = datetime(2026, 6, 30, 18, 15, tzinfo=UTC).timestamp()
    created = {place: value for place, value in seen.samples.items() if place[0].endswith("_created")}
    assert set(created.values()) == {start}
    counting = [f for f in seen.families.values() if f.type in {"counter", "summary", "histogram"}]
    assert len(counting) == 24
    for family in counting:
        places = {sample.name for sample in family.samples}
        assert f"{family.name}_created" in places
    assert seen.value("headroom_billing_period_start_timestamp_seconds") == start


def test_counters_begin_anew_with_the_period(acme: Tenant, clock: time_machine.Traveller) -> None:
    set_timezone(organization_id=acme.id, timezone="America/New_York")
    end = datetime(2026, 8, 1, 4, tzinfo=UTC)
    clock.move_to(end - TICK)
    acme.api.keep(record("a"))
    seen = scrape(acme.api)
    assert seen.value("headroom_requests_total") == 1
    assert seen.value("headroom_billing_period_end_timestamp_seconds") == end.timestamp()
    clock.move_to(end)
    seen = scrape(acme.api)
    assert seen.value("headroom_requests_total") == 0
    assert seen.value("headroom_requests_created") == end.timestamp()


def test_a_history_that_is_shorter_than_the_period_is_what_is_counted(acme: Tenant) -> None:
    acme.api.keep(
        record("a", timestamp="2026-07-14T23:59:59Z"), record("b", timestamp="2026-07-15T00:00:00Z")
    )
    change_plan(organization_id=acme.id, plan="free")
    with tenant_scope(acme.id):
        acme.organization.refresh_from_db()
        plan = acme.organization.plan
    plan.history_days = 1
    plan.save()
    seen = scrape(acme.api)
    start = datetime(2026, 7, 14, tzinfo=UTC).timestamp()
    assert seen.value("headroom_history_start_timestamp_seconds") == start
    assert seen.value("headroom_requests_created") == start
    assert seen.value("headroom_requests_total") == acme.api.get("/usage").body["requests"]["total"] == 2


def test_what_is_used_of_the_rate_limit_is_counted_for_each_client(acme: Tenant) -> None:
    other = acme.another_credential("Batch jobs")
    revoked = acme.another_credential("Gone")
    revoke_credential(organization_id=acme.id, client_id=revoked.client_id)
    for _ in range(3):
        acme.api.get("/usage")
    other.api.get("/usage")
    seen = scrape(acme.api)
    used = seen.by("headroom_client_rate_limit_used_requests", "client_id")
    assert used == {acme.client_id: 4, other.client_id: 1}
    assert seen.value("headroom_rate_limit_requests") == 60_000
    assert seen.by("headroom_client_info", "client_id") == {acme.client_id: 1, other.client_id: 1}
    named = {dict(labels)["client_id"]: dict(labels)["name"] for labels, _ in seen.of("headroom_client_info")}
    assert named[other.client_id] == "Batch jobs"
    assert revoked.client_id not in seen.by("headroom_client_requests_total", "client_id")


def test_a_revoked_client_counts_for_as_long_as_the_period_has_use_of_it(acme: Tenant) -> None:
    other = acme.another_credential()
    other.api.keep(record("a"))
    revoke_credential(organization_id=acme.id, client_id=other.client_id)
    found = scrape(acme.api).by("headroom_client_requests_total", "client_id")
    assert found == {acme.client_id: 0, other.client_id: 1}


def test_what_is_used_is_not_told_while_nobody_counts(acme: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("organizations.rate_limits.take", lambda caller: None)
    seen = scrape(acme.api)
    assert "headroom_rate_limit_requests" not in seen.families
    assert "headroom_client_rate_limit_used_requests" not in seen.families
    assert seen.value("headroom_requests_total") == 0


@pytest.mark.parametrize("number", [4, 5])
def test_beyond_the_cap_the_rest_is_one_and_nothing_is_lost(
    acme: Tenant, monkeypatch: pytest.MonkeyPatch, accept: str, number: int
) -> None:
    for module in ("usage.queries.current", "usage.answers.metrics", "usage.api.metrics"):
        monkeypatch.setattr(f"{module}.MAX_VALUES", 3)
    names = ["d", "other", "b", "c", "a"][:number]
    acme.api.keep(
        *(
            record(f"r{n}", model=name, capability=name, cost="0.1", latencyMs=1, quantities={name: n + 1})
            for n, name in enumerate(names)
        )
    )
    seen = scrape(acme.api, accept)
    own = ["b", "c", "d"] if number == 4 else ["a", "b", "c"]
    for dimension in ("model", "capability"):
        requests = seen.by(f"headroom_{dimension}_requests_total", dimension)
        assert requests == {**dict.fromkeys(own, 1), "other": number - 3}
        cost = seen.by(f"headroom_{dimension}_cost_total", dimension)
        assert cost["other"] == (0.1 if number == 4 else 0.2)
    meters = seen.by("headroom_meter_total", "meter")
    assert list(meters) == [*own, "other"]
    assert sum(meters.values()) == number * (number + 1) / 2


def test_new_clients_beyond_the_cap_are_added_to_the_others_and_put_nobody_out(
    acme: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("usage.queries.current.MAX_VALUES", 2)
    tenants = [acme, *(acme.another_credential(f"C{n}") for n in range(3))]
    for number, tenant in enumerate(tenants):
        tenant.api.keep(*(record(f"{number}-{n}") for n in range(number + 1)))
    found = scrape(acme.api).by("headroom_client_requests_total", "client_id")
    assert found == {tenants[0].client_id: 1, tenants[1].client_id: 2, "other": 7}


def test_nothing_of_another_organization_is_in_it(acme: Tenant, globex: Tenant) -> None:
    varied(globex)
    acme.api.keep(record("a", model="of-acme", cost="2"))
    seen = scrape(acme.api)
    assert seen.value("headroom_requests_total") == 1
    assert seen.by("headroom_client_requests_total", "client_id") == {acme.client_id: 1}
    assert set(seen.by("headroom_model_requests_total", "model")) == {"of-acme"}
    assert globex.client_id not in {value for (_, labels) in seen.samples for _, value in labels}


def test_it_takes_as_many_queries_whatever_there_is(
    acme: Tenant, django_assert_num_queries: Callable[..., Any]
) -> None:
    # The door; a savepoint and the scope; five reads; the release and the scope before.
    with django_assert_num_queries(10):
        scrape(acme.api)
    for number in range(5):
        acme.another_credential(f"C{number}").api.keep(
            *(
                record(f"{number}-{n}", model=f"m{n}", capability=f"c{n}", quantities={f"q{n}": 1})
                for n in range(9)
            )
        )
    with django_assert_num_queries(10):
        assert scrape(acme.api).value("headroom_requests_total") == 45


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        ("", "text/plain; version=0.0.4; charset=utf-8"),
        ("*/*", "text/plain; version=0.0.4; charset=utf-8"),
        ("application/json", "text/plain; version=0.0.4; charset=utf-8"),
        (ACCEPTS["openmetrics"], f"{OPENMETRICS}; version=1.0.0; charset=utf-8; escaping=underscores"),
    ],
)
def test_the_format_is_what_accept_asks_for(acme: Tenant, accept: str, content_type: str) -> None:
    answer = Client().get(
        "/api/v1/metrics", headers={"authorization": f"Bearer {acme.api.key}", "accept": accept}
    )
    assert (answer.status_code, answer["Content-Type"]) == (200, content_type)
    assert (answer["Vary"], answer["Cache-Control"]) == ("Accept", "no-store")
    assert answer["RateLimit"].startswith('"permin";r=')


def test_refusals_are_problems_whatever_is_accepted(acme: Tenant) -> None:
    accept = {"Accept": ACCEPTS["openmetrics"]}
    answer = acme.api.call("GET", "/metrics", query={"name[]": "up"}, headers=accept)
    assert (answer.status, answer.body["code"]) == (400, "unknown_parameter")
    assert answer.body["detail"] == "There is no parameter 'name[]'; accepted: none."
    writer = acme.another_credential("Writer", scopes=["usage:write"])
    answer = writer.api.call("GET", "/metrics", headers=accept)
    assert (answer.status, answer.body["code"]) == (403, "scope_required")
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert Client().get("/api/v1/metrics", headers=accept).status_code == 401


def test_an_organization_without_use_is_all_zeros(api: Api, accept: str) -> None:
    seen = scrape(api, accept)
    counters = [family for family in seen.families.values() if family.type == "counter"]
    assert {s.value for f in counters for s in f.samples if s.name.endswith("_total")} == {0}
    assert seen.value("headroom_request_latency_seconds_bucket", le="+Inf") == 0


def test_amounts_are_the_nearest_double_of_the_exact_sum(db: None) -> None:
    tenant = make_tenant("Acme", currency="EUR")
    tenant.api.keep(*(record(f"r{n}", cost="0.1") for n in range(3)), record("x", cost="999999.999999999"))
    exact = Decimal("1000000.299999999")
    seen = scrape(tenant.api).value("headroom_cost_total", currency="EUR")
    assert seen == float(exact)
    assert tenant.api.get("/usage").body["cost"] == str(exact)
