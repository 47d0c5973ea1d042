"""Whether an answer has every record that was acknowledged before the question, while others send."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from statistics import median
from typing import Final
from urllib.parse import urlencode

from benchmarks import client
from benchmarks.figures import MISSING, Figure, milliseconds
from benchmarks.ingest.field import Field
from benchmarks.workload import LATEST, Tenant, Workload, beginning

QUESTIONS: Final = 200
SIZE: Final = 100
OTHERS_SIZE: Final = 1000
OTHERS: Final = 2


def measure(field: Field) -> list[Figure]:
    """Return how many acknowledged records the answers lacked, all of a round's together."""
    field.settle()
    own = field.tenants[-1]
    others = Workload(field.tenants[:-1], began=beginning(), seed=11)
    mine = Workload([own], began=beginning(), seed=13)
    rounds, taken = [], []
    for _ in range(field.scale.rounds):
        with _others_sending(field, others):
            missing, seconds = _ask_after_each(field, own, mine)
        rounds.append(float(missing))
        taken += seconds
    behind = (
        f"{len(taken)} questions, each right after {SIZE} records; answered in {milliseconds(median(taken))}"
    )
    return [Figure("answers' lag behind an acknowledged record", MISSING, tuple(rounds), 0.0, None, behind)]


def _ask_after_each(field: Field, own: Tenant, workload: Workload) -> tuple[int, list[float]]:
    now = datetime.now(UTC)
    window = {"from": (now - 2 * LATEST).isoformat(), "to": (now + timedelta(days=1)).isoformat()}
    question = client.get(f"/api/v1/usage?{urlencode(window)}", own.key)
    connection = client.Connection(field.web.port)
    missing, seconds = 0, []
    acknowledged = _total(connection.ask(question))
    for request in workload.requests(field.scale.of(QUESTIONS), SIZE):
        acknowledged += int(json.loads(connection.ask(request))["accepted"])
        began = time.perf_counter()
        answer = connection.ask(question)
        seconds.append(time.perf_counter() - began)
        missing += abs(acknowledged - _total(answer))
    connection.close()
    return missing, seconds


def _total(answer: bytes) -> int:
    return int(json.loads(answer)["requests"]["total"])


@contextmanager
def _others_sending(field: Field, workload: Workload) -> Iterator[None]:
    """Keep other organizations sending meanwhile."""
    ending = threading.Event()

    def requests() -> Iterator[bytes]:
        while not ending.is_set():
            yield from workload.requests(1, OTHERS_SIZE)

    with ThreadPoolExecutor(1) as pool:
        sending = pool.submit(client.drive, field.web.port, requests(), senders=OTHERS)
        try:
            yield
        finally:
            ending.set()
        sending.result()
