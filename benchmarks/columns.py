"""Asking DuckDB for the same: a scan of the records' columns, in this process and by all its processors."""

from __future__ import annotations

import time
from pathlib import Path
from statistics import median
from types import TracebackType
from typing import Any, Self

import duckdb


class Columns:
    """The records in a file of DuckDB's, read only."""

    def __init__(self, path: Path) -> None:
        self._connection = duckdb.connect(str(path), read_only=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self._connection.close()

    def rows(self, sql: str, bound: dict[str, Any]) -> list[tuple[Any, ...]]:
        """Return what a query finds."""
        return self._connection.execute(sql, bound).fetchall()

    def seconds(self, sql: str, bound: dict[str, Any], repeats: int) -> float:
        """Return how long a query takes: the median of so many, after one that isn't counted."""
        self.rows(sql, bound)
        times = []
        for _ in range(repeats):
            began = time.perf_counter()
            self.rows(sql, bound)
            times.append(time.perf_counter() - began)
        return median(times)
