"""CSV (RFC 4180): UTF-8, a header line, and no cell that a spreadsheet would run."""

import csv
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from core.moments import format_moment
from core.money import format_money
from usage.exports.columns import Batch, Column, Kind
from usage.quantities import plain

_MARKED: Final = frozenset("=+-@'\uff1d\uff0b\uff0d\uff20 ")
"""What a formula begins with, also in full width or behind a space; and the mark itself."""


class CsvWriter:
    """Writes a CSV file; None is an empty cell."""

    def __init__(self, path: Path, columns: Sequence[Column]) -> None:
        self._file = path.open("w", encoding="utf-8", newline="")
        self._csv = csv.writer(self._file, lineterminator="\r\n")
        self._csv.writerow([column.name for column in columns])
        self._texts = [_TEXTS.get(column.kind) for column in columns]

    def write(self, batch: Batch) -> None:
        """Add rows."""
        cells = (
            values if text is None else [None if value is None else text(value) for value in values]
            for text, values in zip(self._texts, batch, strict=True)
        )
        self._csv.writerows(zip(*cells, strict=True))

    def finish(self) -> None:
        """Complete the file."""
        self._file.close()

    def discard(self) -> None:
        """Let go of the file."""
        self._file.close()


def defuse(text: str) -> str:
    """Return text that no spreadsheet takes for a formula: with an apostrophe before it where one might.

    Text that begins with an apostrophe gets another: without the first one, every text is as it was.
    """
    return f"'{text}" if text and (text[0] in _MARKED or not text[0].isprintable()) else text


_TEXTS: Final[dict[Kind, Callable[[Any], str]]] = {
    Kind.TEXT: defuse,
    Kind.MONEY: format_money,
    Kind.DECIMAL: plain,
    Kind.MOMENT: format_moment,
}
"""How a value is written that isn't written as it is; JSON begins with a brace, numbers are numbers."""
