"""The probes say what is wrong with which part, to whoever asks, however they ask."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.conf import settings
from django.test import Client, override_settings
from redis import Redis

from config import heartbeat
from config.embedded import EmbeddedRedis


@pytest.fixture
def redis() -> Iterator[Redis]:
    with Redis.from_url(settings.REDIS_URL) as client:
        client.delete(heartbeat.KEY)
        yield client
        client.delete(heartbeat.KEY)


def test_alive_needs_nothing(client: Client) -> None:
    response = client.get("/healthz")
    assert (response.status_code, response.json()) == (200, {"status": "alive"})
    assert response["Cache-Control"] == "no-store"


@pytest.mark.django_db
def test_ready_when_every_part_is(client: Client, redis: Redis) -> None:
    heartbeat.beat(redis)
    response = client.get("/readyz")
    assert response.status_code == 200
    assert response.json() == {
        "status": "ready",
        "checks": {
            "database": {"ok": True, "detail": "ok"},
            "redis": {"ok": True, "detail": "ok"},
            "worker": {"ok": True, "detail": "ok"},
        },
    }


@pytest.mark.django_db
def test_not_ready_without_a_worker(client: Client, redis: Redis) -> None:
    response = client.get("/readyz")
    assert response.status_code == 503
    assert response.json()["status"] == "unavailable"
    assert response.json()["checks"]["worker"] == {"ok": False, "detail": "no worker has been heard from"}


@pytest.mark.django_db
def test_not_ready_without_redis(client: Client, embedded_redis: EmbeddedRedis) -> None:
    embedded_redis.stop()
    try:
        response = client.get("/readyz")
    finally:
        embedded_redis.start()
    assert response.status_code == 503
    assert response.json()["checks"] == {
        "database": {"ok": True, "detail": "ok"},
        "redis": {"ok": False, "detail": "Redis does not answer"},
        "worker": {"ok": False, "detail": "Redis does not answer"},
    }


def test_a_workers_sign_of_life_fades(redis: Redis) -> None:
    assert not heartbeat.heard(redis)
    heartbeat.beat(redis)
    assert heartbeat.heard(redis)
    assert 0 < int(redis.ttl(heartbeat.KEY)) <= heartbeat.HEARD_FOR_SECONDS


@override_settings(ALLOWED_HOSTS=["headroom.example"], SECURE_SSL_REDIRECT=True)
def test_a_probe_may_come_by_address_and_without_tls(client: Client) -> None:
    assert client.get("/healthz", headers={"host": "10.0.0.7:8000"}).status_code == 200


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_a_probe_only_reads(client: Client, path: str) -> None:
    response = client.post(path)
    assert (response.status_code, response["Allow"]) == (405, "GET, HEAD")


def test_a_head_request_has_the_status_and_no_body(client: Client) -> None:
    response = client.head("/healthz")
    assert (response.status_code, response.content) == (200, b"")
