"""Several web processes count as one, and what a process that died had counted is kept."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable

import httpx

from tests.serving import Server
from tests.usage.factories import make_tenant, record
from tests.usage.scraping import Scrape, read

TOKEN = "the operator's own, of 40 characters at least"
REQUESTS = 40


def scrape(server: Server) -> Scrape:
    response = httpx.get(f"{server.url}/metrics", headers={"Authorization": f"Bearer {TOKEN}"}, timeout=30)
    assert response.status_code == httpx.codes.OK, server.log[-4000:]
    return read(response.content, response.headers["Content-Type"])


def send(server: Server, key: str, ids: range) -> None:
    for number in ids:
        # A connection of its own each time, so that every process gets some.
        answer = httpx.post(
            f"{server.url}/api/v1/records",
            json=record(f"r{number}"),
            headers={"Authorization": f"Bearer {key}"},
            timeout=30,
        )
        assert answer.json()["accepted"] == 1


def counted(seen: Scrape) -> tuple[float, float]:
    timed = seen.value(
        "headroom_http_request_duration_seconds_count", route="records", method="POST", status="2xx"
    )
    return seen.value("headroom_ingest_records_total", outcome="accepted"), timed


def test_processes_count_as_one_and_the_dead_are_not_forgotten(make_server: Callable[..., Server]) -> None:
    server = make_server(workers=2, threads=2, env={"METRICS_TOKEN": TOKEN})
    key = make_tenant("Acme").api.key
    send(server, key, range(REQUESTS))
    seen = scrape(server)
    assert counted(seen) == (REQUESTS, REQUESTS)
    pids = set(seen.by("headroom_process_start_time_seconds", "pid"))
    assert len(pids) == 2
    victim = min(pids, key=int)
    os.kill(int(victim), signal.SIGKILL)
    deadline = time.monotonic() + 60
    while (now := living(server)) == pids or len(now) < 2:
        assert time.monotonic() < deadline, server.log[-4000:]
        time.sleep(0.2)
    assert victim not in now
    send(server, key, range(REQUESTS, 2 * REQUESTS))
    assert counted(scrape(server)) == (2 * REQUESTS, 2 * REQUESTS)


def living(server: Server) -> set[str]:
    try:
        return set(scrape(server).by("headroom_process_start_time_seconds", "pid"))
    except httpx.TransportError:
        return set()
