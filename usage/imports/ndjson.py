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
_VALUE: Final = msgspec.json.Decoder(Any, float_hook=Decimal)


class Objects:
    """The objects of a file.

    Without a mapping of columns each is a record of the wire contract, and a member that no record has is
    refused. With one, each is an object of any kind: what is mapped and what is called like a field is taken.
    """

    def __init__(self, lines: Iterable[bytes], mapping: Mapping, tz: ZoneInfo) -> None:
        self._lines = lines
        self._tz = tz
        self._mapping = mapping
        self._mapped = frozenset(column for _, column in mapping.columns)
        self.unseen = {column for _, column in mapping.columns}
        """The mapped members that no line has had so far."""

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
        if not self._mapping.columns and not self._mapping.constants:
            return content
        given = read_object(content, "")
        members: dict[str, Any] = dict(given)
        if self._mapping.columns:
            names = (given.keys() & _FIELDS) - self._mapped
            members = {name: given[name] for name in given if name in names}
        for field, column in self._mapping.columns:
            self._fill(members, field, column, given)
        for field, value in self._mapping.constants:
            put(members, field, value)
        return encode(members)

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
