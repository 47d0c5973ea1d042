"""What each field of a record accepts, in words: by the decoder's types, and by what is looked at later."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Final

import msgspec
from msgspec import inspect

from usage.dialects.plain import MAX_META_KEY, MAX_META_TEXT, MAX_QUANTITY, RecordIn, Scalar, is_meter
from usage.tiers import Tier

MAX_COST: Final = 10**6

_LATER: Final = {
    "/status": "success, error",
    "/serviceTier": ", ".join(Tier.values),
    "/timestamp": "ISO 8601 with an offset or Z, or Unix milliseconds",
    "/cost": f"a decimal string from 0 to {MAX_COST} with at most 9 decimal places",
}
_NAMES: Final = {
    "/quantities": "names of a letter or _, then up to 99 letters, digits and _ . : / -",
    "/meta": f"names of 1 to {MAX_META_KEY} characters",
}
_VALUES: Final = {
    "/quantities": f"a number or decimal string from 0 to {MAX_QUANTITY} with at most 9 decimal places",
    "/meta": f"text of up to {MAX_META_TEXT} characters, a number, a boolean or null",
}
_READERS: Final[dict[str, msgspec.json.Decoder[Any]]] = {
    "/quantities": msgspec.json.Decoder(int | Decimal),
    "/meta": msgspec.json.Decoder(Scalar),
}


class _Groups(msgspec.Struct):
    quantities: dict[str, msgspec.Raw] | None = None
    meta: dict[str, msgspec.Raw] | None = None


_GROUPS: Final = msgspec.json.Decoder(_Groups)


def wrong_member(raw: bytes | msgspec.Raw, group: str) -> tuple[str, str] | None:
    """Return the name of the first member that ``/quantities`` or ``/meta`` can't have, and what is accepted.

    None when each can be had, or the record can't be looked into.
    """
    try:
        members = getattr(_GROUPS.decode(raw), group[1:]) or {}
    except msgspec.DecodeError:
        return None
    for name, value in members.items():
        if not (is_meter(name) if group == "/quantities" else 1 <= len(name) <= MAX_META_KEY):
            return name, _NAMES[group]
        try:
            _READERS[group].decode(value)
        except msgspec.ValidationError:
            return name, _VALUES[group]
    return None


def _texts(kind: inspect.StructType, under: str = "") -> Iterator[tuple[str, str]]:
    for field in kind.fields:
        pointer = f"{under}/{field.encode_name}"
        option: Any = field.type.types[0] if isinstance(field.type, inspect.UnionType) else field.type
        if isinstance(option, inspect.StructType):
            yield from _texts(option, pointer)
        yield pointer, _LATER.get(pointer) or _words(option)


def _words(kind: Any) -> str:
    match kind:
        case inspect.IntType():
            return f"a whole number from {kind.ge} to {kind.le}"
        case inspect.FloatType():
            return f"a number from {kind.ge} to {kind.le}"
        case inspect.DictType():
            return f"an object of up to {kind.max_length} members"
        case inspect.StructType():
            return f"an object of {', '.join(field.encode_name for field in kind.fields)}"
    return f"text of {kind.min_length} to {kind.max_length} characters"


_RECORD: Any = inspect.type_info(RecordIn)
ACCEPTED: Final = dict(_texts(_RECORD))
"""What each field accepts, by its JSON pointer."""
