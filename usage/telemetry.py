"""What the write path counts for the operator's metrics."""

from typing import Final

from prometheus_client import Counter

from core.telemetry import REGISTRY
from usage.batch import Outcome

RECORDS: Final = Counter(
    "headroom_ingest_records_total",
    "Records received over HTTP, by what became of them.",
    ("outcome",),
    registry=REGISTRY,
)
_ACCEPTED, _DUPLICATE, _REJECTED = (RECORDS.labels(name) for name in ("accepted", "duplicate", "rejected"))


def count_records(outcome: Outcome) -> None:
    """Count the records of one request."""
    for counter, number in (
        (_ACCEPTED, outcome.accepted),
        (_DUPLICATE, outcome.duplicates),
        (_REJECTED, outcome.rejected),
    ):
        if number:
            counter.inc(number)
