"""Refused lines: the first to show, and all of them in a file."""

from collections.abc import Iterable
from pathlib import Path
from typing import Final, NamedTuple

from usage.dialects.errors import RecordError
from usage.exports.columns import Column, Kind
from usage.exports.formats.delimited import CsvWriter
from usage.imports.mapping import Mapping
from usage.imports.ndjson import Objects
from usage.imports.table import Table

SHOWN: Final = 50
MOST: Final = 100_000
"""So many refused lines end an import: not the lines are wrong then, but how they are read."""
_MAX_REASON: Final = 500
_COLUMNS: Final = (
    Column("line", Kind.INTEGER),
    Column("column", Kind.TEXT),
    Column("field", Kind.TEXT),
    Column("reason", Kind.TEXT),
)


class Refusal(NamedTuple):
    """A line that is no record: its number, the column and the field that are wrong, and why."""

    line: int
    column: str
    field: str
    reason: str


def columns_of(lines: Table | Objects, mapping: Mapping) -> dict[str, str]:
    """Return the columns by the pointers of the fields that they fill."""
    if isinstance(lines, Table):
        return {field.pointer: lines.header[place] for field, place in lines.bound}
    return {field.pointer: column for field, column in mapping.columns}


def refusal(error: RecordError, columns: dict[str, str]) -> Refusal:
    """Return the refusal that an error of a line is."""
    pointer = error.pointer
    field = ".".join(step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:])
    return Refusal(error.index, columns.get(pointer, ""), field, error.detail[:_MAX_REASON])


class Refusals:
    """Keeps the first refusals and writes all of them to a CSV file, which is there once there is one."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.first: list[Refusal] = []
        self._writer: CsvWriter | None = None

    def add(self, refusals: Iterable[Refusal]) -> None:
        """Take in the refusals of a batch."""
        found = list(refusals)
        if not found:
            return
        self.first += found[: SHOWN - len(self.first)]
        if self._writer is None:
            self._writer = CsvWriter(self.path, _COLUMNS)
        self._writer.write(list(zip(*found, strict=True)))

    def finish(self) -> bool:
        """Complete the file; False when there is none."""
        if self._writer is not None:
            self._writer.finish()
        return self._writer is not None
