"""Reading over HTTP from tables that hold many records."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache
from statistics import median

from benchmarks import client
from benchmarks.dataset import OWNER, Dataset, Manifest
from benchmarks.ground import Ground
from benchmarks.processes import Process
from benchmarks.scale import Scale


@dataclass(eq=False)
class Reader:
    """One connection to a server over a dataset, with the large organization's key or its owner's session."""

    manifest: Manifest
    connection: client.Connection
    ground: Ground

    def answer(self, path: str) -> bytes:
        """Return the body of an answer of the API."""
        return self.connection.ask(client.get(path, self.manifest.big_key))

    def seconds(self, path: str, repeats: int) -> float:
        """Return how long an answer takes: the median of so many, after one that isn't counted."""
        return self._seconds(client.get(path, self.manifest.big_key), repeats)

    def page_seconds(self, path: str, organization: str, repeats: int) -> float:
        """Return how long a page of the portal takes for an organization's owner, as `seconds` does."""
        return self._seconds(client.visit(path, self._session(organization)), repeats)

    @cache  # noqa: B019 a reader lives as long as its server does
    def _session(self, organization: str) -> str:
        said = self.ground.output([sys.executable, "-m", "benchmarks.visiting", OWNER, organization])
        return said.strip()

    def _seconds(self, request: bytes, repeats: int) -> float:
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
            readers.append(Reader(manifest, connection, dataset.ground))
        yield readers
