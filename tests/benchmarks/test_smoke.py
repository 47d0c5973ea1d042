"""The benchmarks run; what they find is for `make bench` to say, on a quiet machine."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.long

ROOT = Path(__file__).resolve().parent.parent.parent


def measure(*suites: str, cache: Path) -> list[str]:
    """Return the names of the figures that the smallest run of some suites finds."""
    command = [sys.executable, "-m", "benchmarks", *suites, "--smallest"]
    environment = {**os.environ, "XDG_CACHE_HOME": str(cache)}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return re.findall(r"^\| (\S.*?) +\| +-?[0-9.]+(?: %|×| ms)", done.stdout, re.MULTILINE)


@pytest.mark.timeout(600)
def test_ingest_is_measured_against_everything_it_is_held_against(tmp_path: Path) -> None:
    names = measure("ingest", cache=tmp_path)

    assert [name.partition(":")[0] for name in names] == [
        "batches of 5000",
        "batches of 1000",
        "batches of 100",
        "one hot organization, 8 senders, batches of 1000",
        "batches of 1000",
        "batches of 1, 8 clients",
        "growth of each worker's memory, batches of 10,000 for 1 s",
    ]


@pytest.mark.timeout(600)
def test_the_gate_is_measured_against_a_view_that_does_nothing(tmp_path: Path) -> None:
    assert measure("authorize", cache=tmp_path) == [
        "an amount held, many organizations: share of a view that does nothing",
        "an amount held, one organization: share of a view that does nothing",
        "nothing held: share of a view that does nothing",
        "p99 while its organization ingests, 4 senders, batches of 1000",
    ]


@pytest.mark.timeout(600)
def test_reading_is_measured_over_records_that_are_made_once(tmp_path: Path) -> None:
    names = measure("listing", "queries", cache=tmp_path)

    assert {"2 k records: model, rare", "8 k records: resource ids, frequent (the slowest of 12)"} <= set(
        names
    )
    assert {
        "series of days by model: 8 k records against 2 k records",
        "percentiles of latency by endpoint, 8 k records: against DuckDB",
        "the page Overview, 8 k records: against that of an empty organization",
    } <= set(names)
    assert len(list((tmp_path / "headroom-bench").iterdir())) == 2


@pytest.mark.timeout(600)
def test_exports_are_measured_in_every_format(tmp_path: Path) -> None:
    names = measure("exports", cache=tmp_path)

    assert names[:8] == [
        f"{format_}, 800 records{rest}"
        for format_ in ("csv", "ndjson", "parquet", "xlsx")
        for rest in (": time against COPY", " against 80: growth of memory")
    ]
    assert names[8].startswith("csv, ")


def test_forecasts_are_held_against_what_is_simplest(tmp_path: Path) -> None:
    names = measure("forecasts", cache=tmp_path)

    assert len(names) == 22
    assert names[0] == "7 days: error against seasonal-naive"
    assert names[-1] == "anomalies by mean and 3 deviations: recall"


@pytest.mark.timeout(600)
def test_rules_are_looked_at_for_many_organizations(tmp_path: Path) -> None:
    names = measure("rules", cache=tmp_path)

    assert [name.partition(": ")[2] for name in names] == [
        "the first look, which tells what is met",
        "each look after it",
    ]
