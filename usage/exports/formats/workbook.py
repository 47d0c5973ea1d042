"""XLSX: a sheet for every million rows, numbers that are exact, and nothing that is a formula."""

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import xlsxwriter

from core.money import PLACES, format_money
from usage.exports.columns import Batch, Column, Kind
from usage.quantities import plain

SHEET_ROWS: Final = 1_048_576
CELL_CHARACTERS: Final = 32_767
_EXACT: Final = 10**15
"""A sheet's numbers have fifteen digits; what needs more is written as text."""
_CUT: Final = "…"
_DAY_ZERO: Final = datetime(1899, 12, 30, tzinfo=UTC)
_DAY: Final = timedelta(days=1)
_NUMBER_FORMATS: Final = {
    Kind.MONEY: f"0.{'0' * PLACES}",
    Kind.MOMENT: "yyyy-mm-dd hh:mm:ss.000",
    Kind.DATE: "yyyy-mm-dd",
}

Cell = str | int | float


class XlsxWriter:
    """Writes a workbook, a row at a time; None is an empty cell, moments and days are dates in UTC."""

    def __init__(self, path: Path, columns: Sequence[Column]) -> None:
        # Rows lie in files beside the workbook until it is put together.
        options = {"constant_memory": True, "tmpdir": str(path.parent)}
        self._book = xlsxwriter.Workbook(str(path), options)
        self._book.use_zip64()
        self._bold = self._book.add_format({"bold": True})
        self._plain = self._book.add_format()
        self._formats = [self._format(column.kind) for column in columns]
        self._cells = [_CELLS[column.kind] for column in columns]
        self._columns = columns
        self._add_sheet()

    def write(self, batch: Batch) -> None:
        """Add rows."""
        cells = [
            [None if value is None else cell(value) for value in values]
            for cell, values in zip(self._cells, batch, strict=True)
        ]
        for row in zip(*cells, strict=True):
            if self._line == SHEET_ROWS:
                self._add_sheet()
            self._write_row(row)
            self._line += 1

    def finish(self) -> None:
        """Complete the file."""
        self._book.close()

    def discard(self) -> None:
        """Let go of the file."""
        self._book.fileclosed = True
        for sheet in self._book.worksheets():
            sheet.row_data_fh.close()

    def _write_row(self, row: Sequence[Cell | None]) -> None:
        sheet, line = self._sheet, self._line
        for place, value in enumerate(row):
            if value is None:
                continue
            if isinstance(value, str):
                self._write_text(place, value)
            else:
                sheet.write_number(line, place, value, self._formats[place])

    def _write_text(self, place: int, text: str) -> None:
        if text.startswith("<r>") and text.endswith("</r>"):
            # The library would take it for marked-up text of its own, and write it unescaped.
            self._sheet.write_rich_string(self._line, place, text[:1], self._plain, text[1:])
        else:
            self._sheet.write_string(self._line, place, text)

    def _add_sheet(self) -> None:
        self._sheet = self._book.add_worksheet()
        self._sheet.freeze_panes(1, 0)
        for place, column in enumerate(self._columns):
            self._sheet.write_string(0, place, column.name, self._bold)
        self._line = 1

    def _format(self, kind: Kind) -> Any:
        number_format = _NUMBER_FORMATS.get(kind)
        return None if number_format is None else self._book.add_format({"num_format": number_format})


def _text(value: str) -> str:
    if len(value) <= CELL_CHARACTERS // 2:
        return value
    # Spreadsheets count the units of UTF-16, of which a character can have two.
    units = value.encode("utf-16-le")
    if len(units) <= 2 * CELL_CHARACTERS:
        return value
    return units[: 2 * (CELL_CHARACTERS - 1)].decode("utf-16-le", "ignore") + _CUT


def _integer(value: int) -> int | str:
    return value if abs(value) < _EXACT else str(value)


def _amount(nanos: int) -> float | str:
    return _exactly(format_money(nanos))


def _decimal(value: Decimal) -> float | str:
    return _exactly(plain(value))


def _exactly(text: str) -> float | str:
    digits = text.replace(".", "").strip("-0")
    return float(text) if len(digits) <= len(str(_EXACT)) - 1 else text


def _moment(value: datetime) -> float:
    return (value - _DAY_ZERO) / _DAY


def _day(value: date) -> int:
    return (value - _DAY_ZERO.date()).days


_CELLS: Final[dict[Kind, Callable[[Any], Cell]]] = {
    Kind.TEXT: _text,
    Kind.JSON: _text,
    Kind.INTEGER: _integer,
    Kind.NUMBER: float,
    Kind.MONEY: _amount,
    Kind.DECIMAL: _decimal,
    Kind.MOMENT: _moment,
    Kind.DATE: _day,
}
