"""Whether a worker's memory grows while the largest batches come in."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from statistics import median
from typing import Final

from benchmarks import client
from benchmarks.figures import GROWTH, Figure
from benchmarks.ingest.field import Field
from benchmarks.processes import Process

SIZE: Final = 10_000
FIRST: Final = 10
SENDERS: Final = 2
EVERY_SECONDS: Final = 0.1
NONE: Final = 0.02


def measure(field: Field) -> list[Figure]:
    """Return by what share the larger worker's memory grew: its last tenth of a minute against its first.

    What has been allocated and not given back yet comes and goes with each batch: medians are compared.
    """
    with field.ground.web() as web:
        client.drive(web.port, field.workload.requests(FIRST, SIZE), senders=SENDERS)
        samples = _watched(field, web)
    part = max(1, len(samples) // 10)
    begins = [median(column) for column in zip(*samples[:part], strict=True)]
    ends = [median(column) for column in zip(*samples[-part:], strict=True)]
    growths = tuple(end / begin - 1 for begin, end in zip(begins, ends, strict=True))
    behind = "; ".join(
        f"{begin / 2**20:.0f} → {end / 2**20:.0f} MiB" for begin, end in zip(begins, ends, strict=True)
    )
    name = f"growth of each worker's memory, batches of 10,000 for {field.scale.memory_seconds} s"
    return [Figure(name, GROWTH, growths, NONE, None, behind)]


def _watched(field: Field, web: Process) -> list[list[int]]:
    samples: list[list[int]] = []
    ending = threading.Event()
    watcher = threading.Thread(target=_watch, args=(web, samples, ending))
    watcher.start()
    try:
        client.drive(web.port, _requests(field), senders=SENDERS)
    finally:
        ending.set()
        watcher.join()
    return samples


def _requests(field: Field) -> Iterator[bytes]:
    deadline = time.monotonic() + field.scale.memory_seconds
    while time.monotonic() < deadline:
        yield from field.workload.requests(1, SIZE)


def _watch(web: Process, samples: list[list[int]], ending: threading.Event) -> None:
    workers = web.children()
    while True:
        samples.append([worker.memory_full_info().uss for worker in workers])
        if ending.wait(EVERY_SECONDS):
            return
