"""Records from NDJSON: one JSON object a line."""

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any, Final
from zoneinfo import ZoneInfo

import msgspec

from usage.dialects.errors import Fault
from usage.dialects.plain import RecordIn
from usage.imports.fields import Field, is_absent
from usage.imports.mapping import Mapping, put, read_object
from usage.imports.records import Line, content_id, encode, make
from usage.imports.source import OVERLONG

_FIELDS: Final = frozenset(RecordIn.__struct_encode_fields__)
_MOST_BEYOND: Final = 20
_VALUE: Final = msgspec.json.Decoder(Any, float_hook=Decimal)


class Objects:
    """The objects of a file.

    Without a mapping of columns each is a record of the wire contract, and a member that no record has is
    refused. With one, each is an object of any kind: what is mapped and what is called like a field is taken,
    unless it is left out.
    """

    def __init__(self, lines: Iterable[bytes], mapping: Mapping, tz: ZoneInfo) -> None:
        self._lines = lines
        self._tz = tz
        self._mapping = mapping
        self._mapped = frozenset(column for _, column in mapping.columns)
        self._known = _FIELDS | self._mapped | mapping.left_out | {_root(column) for column in self._mapped}
        self._is_plain = not mapping.columns and not mapping.constants and not mapping.left_out
        self.unseen = {column for _, column in mapping.columns}
        """The mapped members that no line has had so far."""
        self.beyond: dict[str, None] = {}
        """The first members, in their order, that the mapping has no word on and that fill no field."""

    def __iter__(self) -> Iterator[Line]:
        position = 0
        for number, line in enumerate(self._lines, start=1):
            content = line.strip()
            if content:
                position += 1
                yield number, self._record(line, content, position)

    def _record(self, line: bytes, content: bytes, position: int) -> RecordIn | Fault:
        try:
            if line is OVERLONG:
                raise Fault("", "malformed_line", f"The line has over {len(OVERLONG) - 1:,} bytes.")
            record = make(self._document(content), self._tz)
        except Fault as fault:
            return fault
        if record.id is None:
            record.id = content_id(position, content)
        return record

    def _document(self, content: bytes) -> bytes:
        if self._is_plain:
            return content
        given = read_object(content, "")
        members: dict[str, Any] = dict(given)
        if self._mapping.columns or self._mapping.left_out:
            names = (given.keys() & _FIELDS) - self._mapped - self._mapping.left_out
            members = {name: given[name] for name in given if name in names}
            self._note(given)
        for field, column in self._mapping.columns:
            self._fill(members, field, column, given)
        for field, value in self._mapping.constants:
            put(members, field, value)
        return encode(members)

    def _note(self, given: dict[str, msgspec.Raw]) -> None:
        if len(self.beyond) < _MOST_BEYOND and not given.keys() <= self._known:
            self.beyond |= dict.fromkeys(name for name in given if name not in self._known)

    def _fill(
        self, members: dict[str, Any], field: Field, column: str, given: dict[str, msgspec.Raw]
    ) -> None:
        raw = _find(given, column)
        value = None if raw is None else _VALUE.decode(raw)
        if raw is not None:
            self.unseen.discard(column)
        if not is_absent(value):
            put(members, field, field.read(value))
        elif field.name == "timestamp":
            raise Fault("/timestamp", "missing_field", f"There is no {column!r}, the timestamp.")


def _root(column: str) -> str:
    """Return the member of the object itself that a name with dots begins with."""
    return column.partition(".")[0]


def _find(given: dict[str, msgspec.Raw], column: str) -> msgspec.Raw | None:
    """Return the member of that name, or the one that the dots in it lead to."""
    raw = given.get(column)
    if raw is not None or "." not in column:
        return raw
    name, _, rest = column.partition(".")
    inner = given.get(name)
    if inner is None or bytes(inner)[:1] != b"{":
        return None
    return _find(read_object(inner, f"/{name}"), rest)
