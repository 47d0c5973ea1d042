"""NDJSON: a JSON object a line, with the columns as members."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from core.money import format_money
from usage.exports.columns import Batch, Column, Kind
from usage.quantities import plain


class NdjsonWriter:
    """Writes NDJSON; money is a string, moments are ISO 8601, JSON is nested, None is null."""

    def __init__(self, path: Path, columns: Sequence[Column]) -> None:
        self._file = path.open("wb")
        self._names = [column.name for column in columns]
        self._values = [_VALUES.get(column.kind) for column in columns]
        self._encode = msgspec.json.Encoder().encode_lines

    def write(self, batch: Batch) -> None:
        """Add rows."""
        values = (
            cells if value is None else [None if cell is None else value(cell) for cell in cells]
            for value, cells in zip(self._values, batch, strict=True)
        )
        names = self._names
        rows = [dict(zip(names, row, strict=True)) for row in zip(*values, strict=True)]
        self._file.write(self._encode(rows))

    def finish(self) -> None:
        """Complete the file."""
        self._file.close()

    def discard(self) -> None:
        """Let go of the file."""
        self._file.close()


def _raw(text: str) -> Any:
    return msgspec.Raw(text.encode())


_VALUES: Final[dict[Kind, Callable[[Any], Any]]] = {
    Kind.MONEY: format_money,
    Kind.DECIMAL: plain,
    Kind.JSON: _raw,
}
"""How a value is written that JSON has no form of its own for."""
