"""Reading over HTTP from tables that hold many records."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from statistics import median

from benchmarks import client
from benchmarks.dataset import Dataset, Manifest
from benchmarks.processes import Process
from benchmarks.scale import Scale


@dataclass
class Reader:
    """One connection to a server over a dataset, with the large organization's key."""

    manifest: Manifest
    connection: client.Connection

    def seconds(self, path: str, repeats: int) -> float:
        """Return how long an answer takes: the median of so many, after one that isn't counted."""
        request = client.get(path, self.manifest.big_key)
        self.connection.ask(request)
        times = []
        for _ in range(repeats):
            began = time.perf_counter()
            self.connection.ask(request)
            times.append(time.perf_counter() - began)
        return median(times)


@contextmanager
def open_readers(scale: Scale) -> Iterator[list[Reader]]:
    """Run a server over each dataset, the smaller one first."""
    datasets = [Dataset(rows, scale.organizations) for rows in scale.datasets]
    manifests = [dataset.ready() for dataset in datasets]
    with ExitStack() as stack:
        readers = []
        for dataset, manifest in zip(datasets, manifests, strict=True):
            stack.enter_context(dataset.ground.running())
            web: Process = stack.enter_context(dataset.ground.web())
            connection = client.Connection(web.port)
            stack.callback(connection.close)
            readers.append(Reader(manifest, connection))
        yield readers
