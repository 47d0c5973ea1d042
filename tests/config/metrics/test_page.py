"""/metrics: for whoever has the token; what is away is told, and all else all the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings
from django.db.utils import OperationalError
from django.test import Client, override_settings
from redis import Redis

from config import heartbeat
from config.embedded import EmbeddedRedis
from tests.usage.factories import make_tenant, record
from tests.usage.scraping import ACCEPTS, Scrape, read
from usage.rollups.fold import fold_pending

pytestmark = pytest.mark.django_db

TOKEN = "the operator's own, of 40 characters at least"


@pytest.fixture(autouse=True)
def _served(settings: Any) -> None:
    settings.METRICS_TOKEN = TOKEN


def scrape(accept: str = "text/plain") -> Scrape:
    response = Client().get("/metrics", headers={"authorization": f"Bearer {TOKEN}", "accept": accept})
    assert response.status_code == 200, response.content
    return read(response.content, response["Content-Type"])


@pytest.mark.parametrize("accept", sorted(ACCEPTS.values()))
def test_every_part_is_told_in_either_format(accept: str) -> None:
    with Redis.from_url(settings.REDIS_URL) as client:
        heartbeat.beat(client)
    seen = scrape(accept)
    assert (seen.value("headroom_database_up"), seen.value("headroom_redis_up")) == (1, 1)
    assert seen.value("headroom_worker_up") == 1
    assert 0 <= seen.value("headroom_worker_heartbeat_age_seconds") < heartbeat.HEARD_FOR_SECONDS
    assert set(seen.by("headroom_queue_tasks", "queue")) == {"celery"}
    assert seen.by("headroom_exports", "state") == {"queued": 0, "running": 0}
    assert min(seen.by("headroom_process_resident_memory_bytes", "pid").values()) > 10_000_000


def test_what_is_pending_is_told_until_it_is_folded() -> None:
    assert scrape().value("headroom_pending_oldest_age_seconds") == 0
    make_tenant("Acme").api.keep(record("a"), record("b", timestamp="2026-01-01T00:00:00Z"))
    make_tenant("Globex").api.keep(record("a"))
    seen = scrape()
    assert seen.value("headroom_pending_rows") == 3
    # Since it was stored, not since it happened.
    assert 0 < seen.value("headroom_pending_oldest_age_seconds") < 60
    fold_pending()
    seen = scrape()
    assert (seen.value("headroom_pending_rows"), seen.value("headroom_pending_oldest_age_seconds")) == (0, 0)


def test_tasks_in_the_queue_and_exports_that_wait_are_counted() -> None:
    tenant = make_tenant("Acme")
    with Redis.from_url(settings.REDIS_URL) as client:
        client.delete("celery", "unacked")
        assert tenant.api.call("POST", "/exports", {"dataset": "daily", "format": "csv"}).status == 202
        client.hset("unacked", "tag", "message")
        try:
            seen = scrape()
        finally:
            client.delete("celery", "unacked")
    assert seen.value("headroom_exports", state="queued") == 1
    assert seen.value("headroom_queue_unacknowledged_tasks") == 1
    assert seen.value("headroom_queue_tasks", queue="celery") == 0


def test_records_are_counted_by_what_became_of_them() -> None:
    tenant = make_tenant("Acme")

    def counted() -> dict[str, float]:
        return scrape().by("headroom_ingest_records_total", "outcome")

    before = counted()
    tenant.api.send([record("a"), record("b"), record("a"), {"type": ""}])
    tenant.api.send([record("a")])
    tenant.api.send([{"type": ""}])
    added = {name: number - before[name] for name, number in counted().items()}
    assert added == {"accepted": 2, "duplicate": 2, "rejected": 2}


def test_requests_are_timed_by_route_method_and_class_of_status() -> None:
    tenant = make_tenant("Acme")

    def counted() -> dict[tuple[tuple[str, str], ...], float]:
        return dict(scrape().of("headroom_http_request_duration_seconds_count"))

    before = counted()
    tenant.api.keep(record("a"))
    tenant.api.get("/records/a")
    tenant.api.get("/records/none")
    tenant.api.get("/records")
    Client().get("/nowhere")
    Client().get("/healthz")
    Client().generic("BREW", "/nowhere")
    added = {
        tuple(value for _, value in labels): number - before.get(labels, 0)
        for labels, number in counted().items()
        if number != before.get(labels, 0)
    }
    # Labels in order of their names: method, route, status.
    assert added == {
        ("POST", "records", "2xx"): 1,
        ("GET", "record", "2xx"): 1,
        ("GET", "record", "4xx"): 1,
        ("GET", "records", "2xx"): 1,
        ("GET", "other", "4xx"): 1,
        ("other", "other", "4xx"): 1,
    }


def test_without_redis_the_rest_is_told(embedded_redis: EmbeddedRedis) -> None:
    embedded_redis.stop()
    try:
        seen = scrape()
    finally:
        embedded_redis.start()
    assert (seen.value("headroom_redis_up"), seen.value("headroom_database_up")) == (0, 1)
    assert not {"headroom_queue_tasks", "headroom_worker_up"} & set(seen.families)
    assert "headroom_http_request_duration_seconds" in seen.families


def test_without_the_database_the_rest_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*args: Any, **kwargs: Any) -> None:
        raise OperationalError("the server closed the connection unexpectedly")

    monkeypatch.setattr("config.metrics.parts.backlog", away)
    seen = scrape(ACCEPTS["openmetrics"])
    assert (seen.value("headroom_database_up"), seen.value("headroom_redis_up")) == (0, 1)
    assert not {"headroom_pending_rows", "headroom_exports"} & set(seen.families)
    assert "headroom_ingest_records" in seen.families


@pytest.mark.parametrize(
    "authorization", ["", "Bearer", "Bearer wrong", f"Basic {TOKEN}", f"Bearer {TOKEN}x", "Bearer é"]
)
def test_nobody_without_the_token_reads_anything(authorization: str) -> None:
    response = Client().get("/metrics", headers={"authorization": authorization} if authorization else {})
    assert (response.status_code, response.json()["code"]) == (401, "unauthorized")
    assert response["WWW-Authenticate"] == 'Bearer realm="Headroom"'
    assert b"headroom_" not in response.content


def test_a_key_of_an_organization_is_not_the_operators_token() -> None:
    tenant = make_tenant("Acme")
    response = Client().get("/metrics", headers={"authorization": f"Bearer {tenant.api.key}"})
    assert response.status_code == 401


def test_without_a_token_in_the_settings_there_is_no_such_page() -> None:
    with override_settings(METRICS_TOKEN=""):
        for headers in ({}, {"authorization": "Bearer "}, {"authorization": f"Bearer {TOKEN}"}):
            assert Client().get("/metrics", headers=headers).status_code == 404


@override_settings(ALLOWED_HOSTS=["headroom.example"], SECURE_SSL_REDIRECT=True)
def test_a_scraper_may_come_by_address_and_without_tls() -> None:
    headers = {"host": "10.0.0.7:8000", "authorization": f"Bearer {TOKEN}"}
    assert Client().get("/metrics", headers=headers).status_code == 200


def test_it_only_reads() -> None:
    response = Client().post("/metrics", headers={"authorization": f"Bearer {TOKEN}"})
    assert (response.status_code, response["Allow"]) == (405, "GET, HEAD")
    assert Client().head("/metrics", headers={"authorization": f"Bearer {TOKEN}"}).content == b""


def test_it_asks_the_database_little(django_assert_num_queries: Callable[..., Any]) -> None:
    # Savepoint and scope, the time limit, the counts, the scope before and the savepoint's release.
    with django_assert_num_queries(6):
        scrape()
