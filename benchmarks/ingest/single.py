"""Batches of one, as a share of a bare Django view that inserts one row."""

from __future__ import annotations

from typing import Final

from benchmarks import client
from benchmarks.figures import SHARE, Figure, milliseconds, rate
from benchmarks.ingest.field import Field

REQUESTS: Final = 4000
CLIENTS: Final = 8
WARM_UP: Final = 200
LEAST: Final = 0.5
BEYOND: Final = 0.8


def measure(field: Field) -> list[Figure]:
    """Return the share."""
    number = field.scale.of(REQUESTS)
    shares = []
    with field.ground.web("benchmarks.bare") as plain:
        for port in (plain.port, field.web.port):
            _drive(field, port, field.scale.of(WARM_UP) + CLIENTS)
        for _ in range(field.scale.rounds):
            least, ours = _drive(field, plain.port, number), _drive(field, field.web.port, number)
            field.settle()
            shares.append(least.seconds / ours.seconds)
    behind = (
        f"{rate(number, ours.seconds)} of {rate(number, least.seconds)}, "
        f"p50 {milliseconds(ours.percentile(0.5))} against {milliseconds(least.percentile(0.5))}, "
        f"p99 {milliseconds(ours.percentile(0.99))}"
    )
    name = f"batches of 1, {CLIENTS} clients: share of a bare view"
    return [Figure(name, SHARE, tuple(shares), LEAST, BEYOND, behind)]


def _drive(field: Field, port: int, number: int) -> client.Drive:
    return client.drive(port, field.workload.requests(number, 1), senders=CLIENTS)
