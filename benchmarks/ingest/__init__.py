"""Ingest over HTTP, held against what the same machine does with the same records in a plainer way."""

from __future__ import annotations

from benchmarks.figures import Figure
from benchmarks.scale import Scale


def measure(scale: Scale) -> list[Figure]:
    """Return everything that is measured of ingest."""
    from benchmarks.ingest import batches, field, lag, memory, single

    with field.open_field(scale) as opened:
        return [
            *batches.measure(opened),
            *single.measure(opened),
            *lag.measure(opened),
            *memory.measure(opened),
        ]
