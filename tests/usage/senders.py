"""Senders and folders that work at the same time as a test looks on."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import httpx
from django.db import connection

from tests.serving import Server
from tests.usage.factories import Tenant
from usage.rollups.fold import fold_pending

Batch = Sequence[dict[str, Any]]


class Sender:
    """Posts batches over one connection to a real server, and again until they are acknowledged."""

    def __init__(self, server: Server, tenant: Tenant) -> None:
        self.answers: list[dict[str, Any]] = []
        self.failures: list[str] = []
        self._server = server
        headers = {"Authorization": f"Bearer {tenant.api.key}"}
        # One for all tries: making one takes longer than a request does.
        self._client = httpx.Client(base_url=server.url, headers=headers, timeout=30)

    def send(self, batch: Batch) -> dict[str, Any]:
        """Post a batch until an answer says what became of it."""
        while True:
            try:
                response = self._client.post("/api/v1/records", json=list(batch))
            except httpx.TransportError:
                time.sleep(0.02)
                continue
            if response.status_code == httpx.codes.OK:
                answer: dict[str, Any] = response.json()
                self.answers.append(answer)
                return answer
            self.failures.append(f"{response.status_code} {response.text}")
            if response.status_code != httpx.codes.SERVICE_UNAVAILABLE:
                raise AssertionError(f"{self.failures[-1]}\n{self._server.log[-6000:]}")
            time.sleep(0.02)

    def close(self) -> None:
        """Close the connection."""
        self._client.close()


@contextmanager
def running(*works: Callable[[], None]) -> Iterator[None]:
    """Run functions over and over in threads of their own until the block ends; raise what they raised."""
    stop = threading.Event()
    errors: list[BaseException] = []

    def loop(work: Callable[[], None]) -> None:
        try:
            while not stop.is_set():
                work()
        except BaseException as error:  # noqa: BLE001 handed to the test's own thread
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=loop, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    if errors:
        raise errors[0]


def fold_often() -> None:
    """Fold a little of what is pending, as a worker does."""
    fold_pending(chunk=500, most=2)
    time.sleep(0.05)
