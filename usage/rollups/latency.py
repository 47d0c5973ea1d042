"""Latency as a histogram of logarithmic buckets, packed into one number.

A bucket ends 12 % above where it begins, so its geometric middle is within 6 % of everything in it.
The counts of all buckets stand side by side as groups of twelve decimal digits in one ``numeric``:
adding two histograms is adding two numbers, which PostgreSQL does in any window and grouping.
See docs/adr/0005-latency-histograms.md.
"""

import math
from collections.abc import Iterator
from decimal import Decimal
from typing import Final

RATIO: Final = 1.12
FIRST_EDGE_US: Final = 100
LAST_EDGE_US: Final = 24 * 3600 * 1_000_000
DIGITS: Final = 12

_BASE: Final = 10**DIGITS


def _edges() -> tuple[int, ...]:
    steps = math.ceil(math.log(LAST_EDGE_US / FIRST_EDGE_US, RATIO))
    return tuple(round(FIRST_EDGE_US * RATIO**step) for step in range(steps + 1))


EDGES_US: Final = _edges()
"""The lower ends of buckets 1, 2, …; bucket 0 is what lies below the first. Microseconds."""

LAST_BUCKET: Final = len(EDGES_US)


def counts(histogram: Decimal | int) -> Iterator[tuple[int, int]]:
    """Yield (bucket, count) of every bucket that isn't empty, fastest first."""
    rest = int(histogram)
    bucket = 0
    while rest:
        rest, count = divmod(rest, _BASE)
        if count:
            yield bucket, count
        bucket += 1


def middle_ms(bucket: int) -> float:
    """Return the latency that stands for a bucket.

    Units: milliseconds.
    """
    if bucket == 0:
        return FIRST_EDGE_US / 2 / 1000
    lower = EDGES_US[bucket - 1]
    upper = EDGES_US[bucket] if bucket < LAST_BUCKET else lower * RATIO
    return math.sqrt(lower * upper) / 1000


def percentiles_ms(histogram: Decimal | int, ranks: tuple[float, ...]) -> tuple[float | None, ...]:
    """Return the nearest-rank percentiles of a histogram, each within 6 % of the exact value.

    Units: ranks in (0, 1], latencies in milliseconds; None when nothing was measured.
    """
    filled = list(counts(histogram))
    total = sum(count for _, count in filled)
    return tuple(_percentile_ms(filled, math.ceil(rank * total)) for rank in ranks)


def _percentile_ms(filled: list[tuple[int, int]], position: int) -> float | None:
    seen = 0
    for bucket, count in filled:
        seen += count
        if seen >= position:
            return round(middle_ms(bucket), 3)
    return None
