"""Exports from the server's answer to the file, through a real worker."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from celery import current_app

from tests.conftest import server_environment
from tests.serving import ROOT, Server
from tests.usage.exports.support import read_csv
from tests.usage.exports.watching import RECORDS, shown
from tests.usage.factories import Tenant
from usage.exports import queue, sweep

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("small_batches", "told")]


@pytest.fixture
def acme(busy: Tenant) -> Tenant:
    """An organization with records for several batches."""
    return busy


@pytest.fixture
def worker(transactional_db: None) -> Iterator[None]:
    """A worker process that takes what the suite's Redis holds."""
    current_app.control.purge()
    command = [sys.executable, "-m", "celery", "--app", "config", "--quiet", "worker", "--concurrency", "1"]
    process = subprocess.Popen(
        [*command, "--without-mingle", "--without-gossip"],
        cwd=ROOT,
        env={**os.environ, **server_environment()},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    yield
    process.terminate()
    process.wait(30)


def until_done(tenant: Tenant, asked: dict[str, Any]) -> dict[str, Any]:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        body = shown(tenant, asked)
        if body["state"] == "done":
            return body
        time.sleep(0.1)
    raise AssertionError(f"The export did not come to its end: {body}")


def post(server: Server, tenant: Tenant) -> dict[str, Any]:
    answer = httpx.post(
        f"{server.url}/api/v1/exports",
        json={"dataset": "records", "format": "csv"},
        headers={"Authorization": f"Bearer {tenant.api.key}"},
        timeout=5,
    )
    assert answer.status_code == 202, answer.text
    body: dict[str, Any] = answer.json()
    return body


def test_a_worker_writes_what_the_server_was_asked_for(
    acme: Tenant, make_server: Callable[..., Server], worker: None
) -> None:
    server = make_server()
    done = until_done(acme, post(server, acme))
    headers = {"Authorization": f"Bearer {acme.api.key}"}
    file = httpx.get(f"{server.url}/api/v1/exports/{done['id']}/file", headers=headers)
    assert (file.status_code, len(file.content)) == (200, done["bytes"])
    assert len(read_csv(file.content)) == RECORDS
    head = httpx.head(f"{server.url}/api/v1/exports/{done['id']}/file", headers=headers)
    assert (head.status_code, head.headers["Content-Length"]) == (200, str(done["bytes"]))


def test_what_was_asked_for_while_redis_was_away_is_written_when_it_is_back(
    acme: Tenant, make_server: Callable[..., Server], worker: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = make_server(env={"REDIS_URL": "unix:///nowhere/redis.sock?db=0"})
    asked = post(server, acme)
    time.sleep(1)
    assert shown(acme, asked)["state"] == "queued"
    monkeypatch.setattr(sweep, "enqueue", queue.enqueue)
    assert sweep.sweep() == 1
    assert until_done(acme, asked)["rowsDone"] == RECORDS
