"""Batches, as a share of what one connection reaches that copies the same rows into the same table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from benchmarks import client
from benchmarks.figures import GAIN, SHARE, Figure, milliseconds, rate, thousands
from benchmarks.ingest.field import Field
from benchmarks.ingest.twin import Taken


@dataclass(frozen=True)
class Load:
    """One kind of traffic: how many records a batch, how many batches, by how many senders at a time."""

    name: str
    size: int
    batches: int
    senders: int
    least: float
    beyond: float
    hot: bool = False
    by_orm: bool = False


LOADS: Final = (
    Load("batches of 5000", 5000, 60, 4, 0.45, 0.65),
    Load("batches of 1000", 1000, 250, 4, 0.45, 0.65, by_orm=True),
    Load("batches of 100", 100, 1500, 4, 0.28, 0.40),
    Load("one hot organization, 8 senders, batches of 1000", 1000, 200, 8, 0.35, 0.50, hot=True),
)
ORM_LEAST: Final = 4.0
ORM_BEYOND: Final = 6.0


@dataclass(frozen=True)
class Round:
    """One round of one load, and what the twin took for the same rows.

    Units: seconds.
    """

    records: int
    drive: client.Drive
    settling: float
    taken: Taken

    @property
    def share(self) -> float:
        """The speed of ingest as a share of `COPY`'s."""
        return self.taken.each * self.records / self.drive.seconds

    @property
    def folded_share(self) -> float:
        """The same, with the time it then took to fold what was still pending."""
        return self.taken.each * self.records / (self.drive.seconds + self.settling)

    @property
    def gain(self) -> float:
        """The speed of ingest as a multiple of `bulk_create`'s."""
        return self.taken.orm_each * self.records / self.drive.seconds


def measure(field: Field) -> list[Figure]:
    """Return the share of each load, and what batches of 1000 are to `bulk_create`."""
    rounds: dict[Load, list[Round]] = {load: [] for load in LOADS}
    for _ in range(field.scale.rounds):
        for load in LOADS:
            rounds[load].append(_round(field, load))
    figures = [_share(load, rounds[load]) for load in LOADS]
    return figures + [_gain(rounds[load]) for load in LOADS if load.by_orm]


def _round(field: Field, load: Load) -> Round:
    only = field.tenants[0] if load.hot else None
    requests = field.workload.requests(field.scale.of(load.batches), load.size, only=only)
    since = field.now()
    drive = client.drive(field.web.port, requests, senders=load.senders)
    settling = field.settle()
    return Round(len(requests) * load.size, drive, settling, field.twin.take_over(since, by_orm=load.by_orm))


def _share(load: Load, rounds: Sequence[Round]) -> Figure:
    last = rounds[-1]
    behind = (
        f"{rate(last.records, last.drive.seconds)} of {thousands(1 / last.taken.each)}, "
        f"p50 {milliseconds(last.drive.percentile(0.5))}, p99 {milliseconds(last.drive.percentile(0.99))}; "
        f"{SHARE.write(last.folded_share)} with all folded; {last.taken.row_bytes:.0f} bytes a row"
    )
    name = f"{load.name}: share of one-connection `COPY`"
    return Figure(name, SHARE, tuple(one.share for one in rounds), load.least, load.beyond, behind)


def _gain(rounds: Sequence[Round]) -> Figure:
    last = rounds[-1]
    behind = f"{rate(last.records, last.drive.seconds)} against {thousands(1 / last.taken.orm_each)}"
    name = "batches of 1000: multiple of ORM `bulk_create`"
    return Figure(name, GAIN, tuple(one.gain for one in rounds), ORM_LEAST, ORM_BEYOND, behind)
