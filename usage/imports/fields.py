"""The fields of a record that an import can fill, and how each reads what a file holds.

A reader takes the text of a cell, or a value of JSON with its fractions as decimals, and returns what
JSON of the wire contract would say. It raises ValueError, in words that follow the field's name.
"""

import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from usage.dialects.errors import Fault, escape
from usage.dialects.plain import METER_PATTERN, RecordIn, Tokens
from usage.imports.errors import ImportProblem

_WHOLE: Final = re.compile(r"(-?[0-9]{1,30})(?:\.0*)?", re.ASCII)
_DECIMAL: Final = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?", re.ASCII)
_METER: Final = re.compile(METER_PATTERN, re.ASCII)
_MAX_KEY: Final = 100
_MAX_MAGNITUDE: Final = 30


@dataclass(frozen=True, slots=True)
class Field:
    """A field as the command line names it, where it stands in a record, and its reader."""

    name: str
    path: tuple[str, ...]
    reader: Callable[[Any], Any]

    @property
    def pointer(self) -> str:
        """The JSON pointer under which a fault of the field is reported."""
        return "".join(f"/{escape(step)}" for step in self.path)

    def read(self, value: Any) -> Any:
        """Return what the record says for a value of the file.

        Raises: `Fault`.
        """
        try:
            return self.reader(value)
        except ValueError as error:
            raise Fault(self.pointer, "invalid", f"{self.name} {error}.") from error


def find(name: str) -> Field:
    """Return the field of that name.

    Raises: `ImportProblem` naming it and listing the fields there are.
    """
    group, dot, member = name.partition(".")
    if dot and group == "quantities" and _METER.fullmatch(member):
        return Field(name, (group, member), read_amount)
    if dot and group == "meta" and 1 <= len(member) <= _MAX_KEY:
        return Field(name, (group, member), read_scalar)
    field = PLAIN.get(name)
    if field is None:
        raise ImportProblem(f"There is no field {name[:100]!r}; accepted: {ACCEPTED}.")
    return field


def is_absent(value: Any) -> bool:
    """Tell whether a file says nothing here: an empty cell, or null."""
    return value is None or (isinstance(value, str) and not value.strip())


def read_text(value: Any) -> str:
    """Read a name or an id; a number is taken by its digits."""
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        raise ValueError("must be text")  # noqa: TRY004 one kind of fault for every bad value
    return str(value)


def read_whole(value: Any) -> int:
    """Read a whole number, also as exports of tables with gaps write it: ``374.0``."""
    match = None if isinstance(value, bool) else _WHOLE.fullmatch(str(value).strip())
    if match is None:
        raise ValueError(f"must be a whole number, not {_shown(value)}")
    return int(match[1])


def read_amount(value: Any) -> Decimal:
    """Read a decimal number, exactly."""
    text = "" if isinstance(value, bool) else str(value).strip()
    if _DECIMAL.fullmatch(text) is None:
        raise ValueError(f"must be a number, not {_shown(value)}")
    return Decimal(text)


def read_number(value: Any) -> float:
    """Read a measurement."""
    number = float(read_amount(value))
    if not math.isfinite(number):
        raise ValueError(f"is too large: {_shown(value)}")
    return number


def read_money(value: Any) -> str:
    """Read an amount of money, exactly, as the plain decimal string that a record has."""
    amount = read_amount(value)
    if amount and abs(amount.adjusted()) > _MAX_MAGNITUDE:
        raise ValueError(f"is out of range: {_shown(value)}")
    text = format(amount, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def read_moment(value: Any) -> str | int:
    """Read a moment; what it means is for the pipeline to say."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise ValueError("must be ISO 8601 or Unix milliseconds")  # noqa: TRY004 as above
    return value


def read_scalar(value: Any) -> str | int | float | bool:
    """Read a member of the metadata; a cell's text stays text."""
    if isinstance(value, Decimal):
        return float(value)
    if not isinstance(value, str | int):
        raise ValueError("must be text, a number or a boolean")  # noqa: TRY004 as above
    return value


def _shown(value: Any) -> str:
    return repr(value if isinstance(value, str) else str(value))[:60]


_READERS: Final[dict[str, Callable[[Any], Any]]] = {
    "timestamp": read_moment,
    "count": read_whole,
    "statusCode": read_whole,
    "latencyMs": read_number,
    "cost": read_money,
}
_GROUPS: Final = ("tokens", "quantities", "meta")
_FIRST: Final = ("id", "type", "timestamp")


def _plain() -> Iterator[Field]:
    names = RecordIn.__struct_encode_fields__
    for name in (*_FIRST, *(name for name in names if name not in (*_FIRST, *_GROUPS))):
        yield Field(name, (name,), _READERS.get(name, read_text))
    for name in Tokens.__struct_encode_fields__:
        yield Field(f"tokens.{name}", ("tokens", name), read_whole)


PLAIN: Final = {field.name: field for field in _plain()}
"""The fields with a name of their own; those of ``quantities`` and ``meta`` are the client's to name."""

ACCEPTED: Final = ", ".join([*PLAIN, "quantities.METER", "meta.KEY"])
"""All fields, as messages list them."""

GROUPS: Final = frozenset(_GROUPS)
"""What holds several fields in an object: a member of that name can be taken as it is."""
