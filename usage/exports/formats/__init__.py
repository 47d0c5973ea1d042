"""The formats of exported files. Their writers are imported where files are written, by the worker alone."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from django.utils.module_loading import import_string

from usage.exports.columns import Batch, Column


class Writer(Protocol):
    """Writes one file."""

    def write(self, batch: Batch) -> None:
        """Add rows."""
        ...

    def finish(self) -> None:
        """Complete the file."""
        ...

    def discard(self) -> None:
        """Let go of the file as it is."""
        ...


@dataclass(frozen=True, slots=True)
class Format:
    """A format: the end of its files' names, its media type, and where its writer is."""

    name: str
    media_type: str
    writer: str

    def open(self, path: Path, columns: Sequence[Column]) -> Writer:
        """Begin a file; what else the writer needs while it writes lies beside it."""
        make: Callable[[Path, Sequence[Column]], Writer] = import_string(self.writer)
        return make(path, columns)


_HERE: Final = "usage.exports.formats"
FORMATS: Final = {
    each.name: each
    for each in (
        Format("csv", "text/csv", f"{_HERE}.delimited.CsvWriter"),
        Format("ndjson", "application/x-ndjson", f"{_HERE}.lines.NdjsonWriter"),
        Format("parquet", "application/vnd.apache.parquet", f"{_HERE}.parquet.ParquetWriter"),
        Format(
            "xlsx",
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            f"{_HERE}.workbook.XlsxWriter",
        ),
    )
}
