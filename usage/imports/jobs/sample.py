"""The first lines of a file: its form, and its columns with what stands in them."""

import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from usage.dialects.errors import Fault
from usage.imports import fields
from usage.imports.errors import ImportProblem
from usage.imports.mapping import called
from usage.imports.opening import recognised
from usage.imports.source import Source
from usage.imports.table import Sheet

HEAD_BYTES: Final = 2 * 1024 * 1024
EXAMPLES: Final = 3
MOST_COLUMNS: Final = 200
_LOOKED_AT: Final = 200
_SHOWN: Final = 60
_DEEPEST: Final = 4
_MAX_NAME: Final = 200


@dataclass(frozen=True, slots=True)
class Head:
    """The first lines of a file, unpacked; with ``is_whole`` there are no others."""

    content: bytes
    is_whole: bool
    is_packed: bool

    def source(self) -> Source:
        """Return the lines."""
        return Source(io.BytesIO(self.content), None)


@dataclass(frozen=True, slots=True)
class Found:
    """A column: its first values, and the field that it is called like, if any.

    One that is there twice can fill no field; a group, such as ``meta``, is taken as it is or not at all.
    """

    name: str
    examples: tuple[str, ...]
    field: str
    is_repeated: bool = False
    is_group: bool = False


@dataclass(frozen=True, slots=True)
class Sample:
    """What a file is; ``separator`` is what separates the columns of a table, else empty."""

    form: str
    separator: str
    is_packed: bool
    columns: tuple[Found, ...]


def head_of(source: Source) -> Head:
    """Read the first lines of a file.

    Raises: `ImportProblem` when they can't be read.
    """
    content = source.head(HEAD_BYTES + 1)
    is_whole = len(content) <= HEAD_BYTES
    if not is_whole:
        # A line that is cut off says nothing true.
        content = content[: content.rfind(b"\n") + 1] or content
    return Head(content, is_whole, source.is_packed)


def sample_of(head: Head) -> Sample:
    """Return what a file is by its first lines.

    Raises: `ImportProblem` for one that can't be imported.
    """
    form, lines = recognised(head.source().lines())
    if form == "csv":
        sheet = Sheet(lines)
        return Sample(form, sheet.separator, head.is_packed, _of_table(sheet))
    return Sample(form, "", head.is_packed, _of_objects(iter(lines)))


def _of_table(sheet: Sheet) -> tuple[Found, ...]:
    _check_names(sheet.header)
    rows = [row for _, row in _first(sheet.rows()) if not isinstance(row, Fault)]
    columns: dict[str, list[str]] = {}
    for place, name in enumerate(sheet.header):
        columns.setdefault(name, [row[place] for row in rows if place < len(row)])
    return _guessed(
        Found(name, _examples(cells), _field(name), is_repeated=sheet.header.count(name) > 1)
        for name, cells in columns.items()
    )


def _of_objects(lines: Iterator[bytes]) -> tuple[Found, ...]:
    columns: dict[str, list[str]] = {}
    groups: set[str] = set()
    for line in _first(lines):
        for name, value in _members(line, groups):
            columns.setdefault(name, []).append(value)
    _check_names(columns)
    return _guessed(
        Found(name, _examples(cells), name if name in groups else _field(name), is_group=name in groups)
        for name, cells in columns.items()
    )


def _members(line: bytes, groups: set[str]) -> Iterator[tuple[str, str]]:
    """Yield the members of an object with their values in words, those of objects within it by their dots."""
    try:
        given = msgspec.json.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return
    if not isinstance(given, dict):
        return
    for name, value in given.items():
        if name in fields.GROUPS and isinstance(value, dict | None):
            groups.add(name)
            yield name, _written(value)
        else:
            yield from _flat(name, value, _DEEPEST)


def _flat(name: str, value: Any, deepest: int) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict) and value and deepest:
        for inner, below in value.items():
            yield from _flat(f"{name}.{inner}", below, deepest - 1)
    else:
        yield name, _written(value)


def _written(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _first(items: Iterator[Any]) -> Iterator[Any]:
    for _, item in zip(range(_LOOKED_AT), items, strict=False):
        yield item


def _examples(cells: list[str]) -> tuple[str, ...]:
    said = [cell.strip() for cell in cells if cell.strip()][:EXAMPLES]
    return tuple(cell if len(cell) <= _SHOWN else f"{cell[: _SHOWN - 1]}…" for cell in said)


def _field(name: str) -> str:
    found = called(name)
    return found.name if found else ""


def _guessed(columns: Iterator[Found]) -> tuple[Found, ...]:
    """Return the columns, of several that are called like one field only the first filling it."""
    seen: set[str] = set()
    found = []
    for column in columns:
        is_free = column.field not in seen and not column.is_repeated
        found.append(
            column
            if is_free
            else Found(column.name, column.examples, "", column.is_repeated, column.is_group)
        )
        seen |= {column.field} if column.field else set()
    return tuple(found)


def _check_names(names: Any) -> None:
    if len(names) > MOST_COLUMNS:
        raise ImportProblem(f"It has {len(names)} columns; at most {MOST_COLUMNS} can be imported here.")
    for name in names:
        if len(name) > _MAX_NAME:
            raise ImportProblem(f"The name of a column is longer than {_MAX_NAME} characters: {name[:60]!r}…")
