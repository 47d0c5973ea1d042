"""Records from CSV: a header, then a record a row."""

import csv
from collections.abc import Iterable, Iterator
from typing import Any, Final
from zoneinfo import ZoneInfo

from usage.dialects.errors import Fault
from usage.imports.errors import ImportProblem
from usage.imports.fields import is_absent
from usage.imports.mapping import Mapping, bind, put
from usage.imports.records import Line, content_id, encode, make

DELIMITERS: Final = ",;\t|"


class Sheet:
    """The rows of a table, each with the number of its first line, after its header.

    Raises: `ImportProblem` when it has no header.
    """

    def __init__(self, lines: Iterable[bytes], *, delimiter: str | None = None) -> None:
        self._texts = (line.decode("utf-8", "surrogateescape") for line in lines)
        self._number = 1
        first = self._first_line()
        self.separator = delimiter or guess_delimiter(first)
        self._header_end = self._number
        self._rows = csv.reader(self._chained(first), delimiter=self.separator)
        self.header = self._read_header()

    def rows(self) -> Iterator[tuple[int, list[str] | Fault]]:
        """Yield the rows that aren't empty, or why one can't be read."""
        while True:
            number = self._line_number() + 1
            try:
                row = next(self._rows)
            except StopIteration:
                return
            except csv.Error as error:
                yield number, Fault("", "malformed_line", f"The row can't be read: {error}.")
                continue
            if row:
                yield number, row

    def _first_line(self) -> str:
        for text in self._texts:
            if text.strip():
                return text
            self._number += 1
        raise ImportProblem("There is nothing in it.")

    def _chained(self, first: str) -> Iterator[str]:
        yield first
        yield from self._texts

    def _read_header(self) -> list[str]:
        try:
            header = [name.strip() for name in next(self._rows)]
            "".join(header).encode()
        except (csv.Error, UnicodeEncodeError) as error:
            raise ImportProblem(f"The header can't be read: {error}.") from error
        return header

    def _line_number(self) -> int:
        """The number of the last line that was read."""
        return self._header_end - 1 + self._rows.line_num


class Table(Sheet):
    """A table whose header is bound to fields.

    Raises: `ImportProblem` when it has no header, or not the columns that the mapping wants.
    """

    def __init__(
        self, lines: Iterable[bytes], mapping: Mapping, tz: ZoneInfo, *, delimiter: str | None = None
    ) -> None:
        super().__init__(lines, delimiter=delimiter)
        self._tz = tz
        self._constants = mapping.constants
        self.bound = bind(mapping, self.header)

    @property
    def left_out(self) -> list[str]:
        """The columns that fill no field."""
        used = {place for _, place in self.bound}
        return [name for place, name in enumerate(self.header) if place not in used]

    def __iter__(self) -> Iterator[Line]:
        for position, (number, row) in enumerate(self.rows(), start=1):
            yield number, row if isinstance(row, Fault) else self._record(row, position)

    def _record(self, row: list[str], position: int) -> Any:
        try:
            record = make(encode(self._members(row)), self._tz)
            if record.id is None:
                record.id = content_id(position, encode(row))
        except Fault as fault:
            return fault
        return record

    def _members(self, row: list[str]) -> dict[str, Any]:
        if len(row) != len(self.header):
            detail = f"The row has {len(row)} columns, the header {len(self.header)}."
            raise Fault("", "malformed_line", detail)
        members: dict[str, Any] = {}
        for field, place in self.bound:
            cell = row[place]
            if not is_absent(cell):
                put(members, field, field.read(cell))
            elif field.name == "timestamp":
                raise Fault("/timestamp", "missing_field", "The timestamp is empty.")
        for field, value in self._constants:
            put(members, field, value)
        return members


def guess_delimiter(header: str) -> str:
    """Return what separates the columns of a header: what is in it most often, a comma if nothing is."""
    return max(DELIMITERS, key=header.count)
