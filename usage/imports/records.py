"""From the members that a line fills to a record."""

from collections.abc import Iterator
from hashlib import blake2b
from typing import Any, Final
from zoneinfo import ZoneInfo

import msgspec

from usage.dialects.decode import plain_record
from usage.dialects.errors import Fault
from usage.dialects.plain import RecordIn
from usage.imports.moments import localised

_NUL: Final = b"\\u0000"

Line = tuple[int, RecordIn | Fault]
"""The number of a line, from 1, with the record it makes or why it makes none."""


def encode(value: Any) -> bytes:
    """Return a value as JSON.

    Raises: `Fault` for text that was not UTF-8 in the file.
    """
    try:
        return msgspec.json.encode(value)
    except UnicodeEncodeError as error:
        raise Fault("", "malformed_line", "The line is not UTF-8.") from error


def make(document: bytes, tz: ZoneInfo) -> RecordIn:
    """Return the record of a JSON object; a time without an offset is meant in the zone.

    Raises: `Fault`.
    """
    try:
        record = plain_record(document)
        if _NUL in document and any("\x00" in text for text in _texts(msgspec.to_builtins(record))):
            raise Fault("", "invalid", "The character U+0000 is not accepted.")
    except msgspec.DecodeError as error:
        raise Fault("", "malformed_json", f"This is not JSON: {error}.") from error
    except UnicodeDecodeError as error:
        raise Fault("", "malformed_line", "The line is not UTF-8.") from error
    record.timestamp = localised(record.timestamp, tz)
    return record


def content_id(position: int, content: bytes) -> str:
    """Return the id of a record that has none: a digest of its line and of the line's place among the others.

    The same file gives the same ids as long as nothing is inserted above; equal lines have ids of their own.
    """
    return "imp_" + blake2b(b"%d:%b" % (position, content), digest_size=16).hexdigest()


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, member in value.items():
            yield name
            yield from _texts(member)
