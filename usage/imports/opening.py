"""From the arguments of an import to the lines of its file."""

from collections.abc import Iterable, Iterator
from itertools import chain, repeat
from typing import Final
from zoneinfo import ZoneInfo

from core.periods import zone
from usage.imports.errors import ImportProblem
from usage.imports.mapping import Mapping
from usage.imports.ndjson import Objects
from usage.imports.source import Source
from usage.imports.table import Table

FORMATS: Final = ("csv", "ndjson")
_TAB: Final = ("\\t", "tab")
_ZIP: Final = b"PK\x03\x04"


def lines_of(
    source: Source, mapping: Mapping, *, timezone: str, form: str | None, delimiter: str | None
) -> Table | Objects:
    """Return the records of a file, in the form that is named or that its first line shows.

    Raises: `ImportProblem` for what can be told before the first record: an unknown zone, an empty file, a
    column that isn't there, a table without a type.
    """
    tz = _zone(timezone)
    form, lines = recognised(source.lines(), form)
    if form == "ndjson":
        return Objects(lines, mapping, tz)
    table = Table(lines, mapping, tz, delimiter=_delimiter(delimiter))
    _check_type(table, mapping)
    return table


def recognised(lines: Iterator[bytes], form: str | None = None) -> tuple[str, Iterable[bytes]]:
    """Return the form that is named or that the first line shows, and all lines.

    Raises: `ImportProblem` for an empty file, or one of another kind.
    """
    first, every = _peeked(lines)
    return form or _form(first), every


def _zone(name: str) -> ZoneInfo:
    try:
        return zone(name)
    except ValueError as error:
        raise ImportProblem(f"--timezone: {error}.") from error


def _peeked(lines: Iterator[bytes]) -> tuple[bytes, Iterable[bytes]]:
    """Return the first line that isn't blank, and all lines."""
    for blank, line in enumerate(lines):
        if line.strip():
            return line.strip(), chain(repeat(b"\n", blank), (line,), lines)
    raise ImportProblem("There is nothing in it.")


def _form(first: bytes) -> str:
    if first.startswith(_ZIP):
        raise ImportProblem("This is a ZIP archive or a workbook; save its sheet as CSV.")
    if first.startswith(b"["):
        text = "This is a JSON array; write one object a line, such as by `jq -c '.[]'`."
        raise ImportProblem(text)
    return "ndjson" if first.startswith(b"{") else "csv"


def _delimiter(text: str | None) -> str | None:
    if text is None:
        return None
    separator = "\t" if text in _TAB else text
    if len(separator) != 1 or separator in '"\r\n':
        raise ImportProblem(f"--delimiter takes one character, or tab, not {text!r}.")
    return separator


def _check_type(table: Table, mapping: Mapping) -> None:
    if "type" in mapping.taken or any(field.name == "type" for field, _ in table.bound):
        return
    text = "No column is the type: --map type=COLUMN says which, --set type=NAME is for every line."
    raise ImportProblem(f"{text} The columns are: {', '.join(table.header)}.")
