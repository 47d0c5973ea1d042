"""Many records, made once and kept: a large organization's and those of two hundred others, over ninety days.

The files of the cluster are kept under the user's cache directory, by size and by what the tables look like,
and beside them the same records in a file of DuckDB's.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from benchmarks.ground import Ground
from benchmarks.processes import ROOT
from config.embedded import EmbeddedPostgres

DAYS: Final = 90
LONGEST: Final = timedelta(days=7)
MANIFEST: Final = "dataset.json"
COLUMNAR: Final = "records.duckdb"
OWNER: Final = "owner@bench.example"
_SHAPING: Final = (
    "usage/sql/records.sql", "usage/sql/rollups.sql", "usage/sql/find.sql", "usage/rollups/cubes.py",
    "usage/rollups/measures.py", "usage/rollups/latency.py", "benchmarks/dataset/*.*", "benchmarks/values.py",
)  # fmt: skip
"""What decides which rows there are and where they lie; whatever else comes, migrations bring."""


@dataclass(frozen=True)
class Manifest:
    """How many records there are and until when; the large organization's key and two credentials.

    The empty organization has no record.
    """

    rows: int
    until: str
    big_id: int
    big_slug: str
    empty_slug: str
    big_key: str
    main_client: str
    rare_client: str

    @property
    def age(self) -> timedelta:
        """How long ago the last record happened."""
        return datetime.now(UTC) - datetime.fromisoformat(self.until)

    def window(self, *, days_ago: int, days: int) -> dict[str, str]:
        """Return the parameters of a window that begins so many whole days before the last record's."""
        midnight = datetime.fromisoformat(self.until).replace(hour=0, minute=0, second=0, microsecond=0)
        begin = midnight - timedelta(days=days_ago)
        return {"from": begin.isoformat(), "to": (begin + timedelta(days=days)).isoformat()}


class Dataset:
    """A cluster with so many records; `ready` makes it if there is no recent one of this shape."""

    def __init__(self, rows: int, organizations: int) -> None:
        self.rows = rows
        self.organizations = organizations
        self.data = directory() / f"{rows}-{shape()}"
        self.ground = Ground(self.data)

    def ready(self) -> Manifest:
        """Return what is in it, having made it if need be."""
        manifest = self._read()
        if manifest is None or manifest.age > LONGEST:
            self._make()
            manifest = self._read()
        else:
            with self.ground.running() as ground:
                ground.migrate()
        if manifest is None:
            raise RuntimeError(f"{self.data} has no {MANIFEST}")
        return manifest

    @property
    def columnar(self) -> Path:
        """The same records as a table of DuckDB's own: see `columnar`."""
        return self.data / COLUMNAR

    def _read(self) -> Manifest | None:
        try:
            return Manifest(**json.loads((self.data / MANIFEST).read_text()))
        except (OSError, ValueError, TypeError):
            return None

    def _make(self) -> None:
        for stale in directory().glob(f"{self.rows}-*"):
            EmbeddedPostgres(stale).stop(immediate=True)
            shutil.rmtree(stale)
        # Nothing of it would be missed after a power cut: it is durable from its next start on.
        with Ground(self.data, durable=False).running() as ground:
            ground.migrate()
            ground.call([sys.executable, "-m", "benchmarks.dataset", str(self.rows), str(self.organizations)])


def write(manifest: Manifest, data: Path) -> None:
    """Note what is in a cluster, for its owner only: it holds a key."""
    path = data / MANIFEST
    path.touch(mode=0o600)
    path.write_text(json.dumps(asdict(manifest), indent=2))


def directory() -> Path:
    """Return where the clusters are kept."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "headroom-bench"


def shape() -> str:
    """Return a digest of all that decides what the tables and the rows look like."""
    digest = hashlib.sha256()
    for pattern in _SHAPING:
        for path in sorted(ROOT.glob(pattern)):
            digest.update(path.read_bytes())
    return digest.hexdigest()[:12]
