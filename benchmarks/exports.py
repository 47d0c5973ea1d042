"""Exports of many records in every format: the time, held against the server's own, and the memory."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median
from typing import Any, Final

import psycopg

from benchmarks.dataset import DAYS, Dataset
from benchmarks.figures import COST, GROWTH, Figure, thousands
from benchmarks.ground import Ground
from benchmarks.processes import ROOT
from benchmarks.scale import Scale

FORMATS: Final = ("csv", "ndjson", "parquet", "xlsx")
PART: Final = 10
"""What is exported is a tenth of the larger dataset, and a tenth of that."""
FLAT: Final = 0.25
"""How much more memory ten times the records may take: what an allocator keeps comes and goes."""
_MOMENT: Final = (
    "SELECT occurred_at FROM usage_record WHERE organization_id = %s "
    "ORDER BY occurred_at DESC OFFSET %s LIMIT 1"
)
_COPY: Final = (
    "COPY (SELECT * FROM usage_record WHERE organization_id = %s AND occurred_at >= %s AND occurred_at < %s "
    "ORDER BY organization_id, occurred_at, key) TO STDOUT (FORMAT csv)"
)


@dataclass(frozen=True)
class Window:
    """Some records of an organization."""

    organization_id: int
    start: datetime
    end: datetime


@dataclass(frozen=True)
class Taken:
    """What one export took."""

    rows: int
    seconds: float
    peak: int
    bytes: int


@dataclass(frozen=True)
class Round:
    """An export, and how many seconds the server took to send the same records just before."""

    export: Taken
    copied: float


def measure(scale: Scale) -> list[Figure]:
    """Return what exports cost, in copies by the server alone, and how their memory grows with their size."""
    dataset = Dataset(scale.datasets[1], scale.organizations)
    manifest = dataset.ready()
    rows = dataset.rows // PART
    with dataset.ground.running() as ground, ground.admin() as admin:
        some, few = (_last(admin, manifest.big_id, number) for number in (rows, rows // PART))
        everything = Window(some.organization_id, some.end - 2 * timedelta(days=DAYS), some.end)
        figures: list[Figure] = []
        for format_ in FORMATS:
            many = _exports(ground, admin, format_, some, scale.rounds)
            figures += [_cost(format_, many), _growth(format_, many, _export(ground, format_, few))]
        whole = [Round(_export(ground, "csv", everything), 0.0)]
        return [*figures, _growth("csv", whole, _export(ground, "csv", some))]


def _exports(
    ground: Ground, admin: psycopg.Connection[Any], format_: str, window: Window, rounds: int
) -> list[Round]:
    return [
        Round(copied=_copied(admin, window), export=_export(ground, format_, window)) for _ in range(rounds)
    ]


def _cost(format_: str, rounds: list[Round]) -> Figure:
    seconds = median(each.export.seconds for each in rounds)
    copied = median(each.copied for each in rounds)
    last = rounds[-1].export
    behind = (
        f"{seconds:.1f} s, {thousands(last.rows / seconds)}, {last.bytes / 2**20:.0f} MiB; "
        f"COPY {copied:.1f} s; the sums are the totals"
    )
    name = f"{format_}, {last.rows:,} records: time against COPY"
    return Figure(name, COST, tuple(each.export.seconds / each.copied for each in rounds), behind=behind)


def _growth(format_: str, rounds: list[Round], less: Taken) -> Figure:
    more = rounds[-1].export
    growths = tuple(each.export.peak / less.peak - 1 for each in rounds)
    behind = f"{less.peak / 2**20:.0f} → {more.peak / 2**20:.0f} MiB at the peak, {more.seconds:.0f} s"
    name = f"{format_}, {more.rows:,} records against {less.rows:,}: growth of memory"
    return Figure(name, GROWTH, growths, FLAT, None, behind)


def _last(admin: psycopg.Connection[Any], organization_id: int, rows: int) -> Window:
    """Return the window of an organization's last so many records."""
    newest = _moment(admin, [organization_id, 0])
    oldest = _moment(admin, [organization_id, rows - 1])
    return Window(organization_id, oldest, newest + timedelta(microseconds=1))


def _moment(admin: psycopg.Connection[Any], params: list[int]) -> datetime:
    row = admin.execute(_MOMENT, params).fetchone()
    if row is None:
        raise RuntimeError("The dataset has too few records.")
    found: datetime = row[0]
    return found


def _copied(admin: psycopg.Connection[Any], window: Window) -> float:
    """Return how long the server takes to send the same records, as they are and unread."""
    began = time.perf_counter()
    with (
        admin.cursor() as cursor,
        cursor.copy(_COPY, [window.organization_id, window.start, window.end]) as copy,
    ):
        for _ in copy:
            pass
    return time.perf_counter() - began


def _export(ground: Ground, format_: str, window: Window) -> Taken:
    of = [str(window.organization_id), window.start.isoformat(), window.end.isoformat()]
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.exporting", format_, *of],
        check=True,
        cwd=ROOT,
        env=ground.environment | {"EXPORTS_AT_ONCE": "64"},
        stdout=subprocess.PIPE,
    )
    return Taken(**json.loads(done.stdout))
