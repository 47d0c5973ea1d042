"""Which field of a record comes from where: a column, a member of a JSON object, or a constant."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from usage.dialects.decode import plain_record
from usage.dialects.errors import Fault
from usage.imports import fields
from usage.imports.errors import ImportProblem
from usage.imports.fields import Field

_IGNORED: Final = str.maketrans("", "", "_-. ")
_PREFIXES: Final = ("quantities.", "meta.")
_OBJECT: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])


@dataclass(frozen=True, slots=True)
class Mapping:
    """What was chosen: fields with the columns they come from, and fields with their values.

    A column that is ``left_out`` fills nothing, whatever it is called.
    """

    columns: tuple[tuple[Field, str], ...] = ()
    constants: tuple[tuple[Field, Any], ...] = ()
    left_out: frozenset[str] = frozenset()

    @property
    def taken(self) -> frozenset[str]:
        """The names of the fields that are spoken for."""
        return frozenset(field.name for field, _ in (*self.columns, *self.constants))


def parse(maps: Iterable[str], sets: Iterable[str]) -> Mapping:
    """Return the mapping that ``FIELD=COLUMN`` and ``FIELD=VALUE`` arguments spell.

    Raises: `ImportProblem` for an unknown field, one named twice, or a value that no record can have.
    """
    columns = tuple(_pair(text, "--map", "COLUMN") for text in maps)
    constants = tuple(_constant(*_pair(text, "--set", "VALUE")) for text in sets)
    seen: set[str] = set()
    for field, _ in (*columns, *constants):
        if field.name in seen:
            raise ImportProblem(f"The field {field.name!r} is named twice.")
        seen.add(field.name)
    return Mapping(columns, constants)


def bind(mapping: Mapping, header: list[str]) -> tuple[tuple[Field, int], ...]:
    """Return the fields of a table with the places of their columns.

    Columns that aren't mapped, and are called what a field is called, fill it. Case, spaces, dots, dashes and
    underscores make no difference there: ``latency_ms`` is ``latencyMs``.
    Raises: `ImportProblem` for a column that isn't there or is there twice.
    """
    bound = [(field, _place(header, column)) for field, column in mapping.columns]
    places = {place for _, place in bound}
    rest = [
        (place, name)
        for place, name in enumerate(header)
        if place not in places and name not in mapping.left_out
    ]
    by_name: dict[str, int] = {}
    for field, place in _called_like_fields(rest):
        if field.name in mapping.taken:
            continue
        if field.name in by_name:
            both = f"{header[by_name[field.name]]!r} and {header[place]!r}"
            raise ImportProblem(f"Both columns {both} are called like {field.name}: choose with --map.")
        by_name[field.name] = place
        bound.append((field, place))
    return tuple(bound)


def constant(field: Field, text: str) -> Any:
    """Return the value that a text gives a field of every record.

    Raises: `Fault` for one that no record can have, so that it is told once and not on every line.
    """
    value = field.read(text)
    members: dict[str, Any] = {"type": "any"}
    put(members, field, value)
    try:
        plain_record(msgspec.json.encode(members))
    except UnicodeEncodeError as error:
        raise Fault(field.pointer, "invalid", "The value is not text.") from error
    return value


def called(column: str) -> Field | None:
    """Return the field that a column is called like, if there is one."""
    if column.startswith(_PREFIXES):
        try:
            return fields.find(column)
        except ImportProblem:
            return None
    return _BY_SPELLING.get(_spelling(column))


def put(members: dict[str, Any], field: Field, value: Any) -> None:
    """Write a field's value into the members of a record.

    Raises: `Fault` when what is there already is no object.
    """
    if len(field.path) == 1:
        members[field.name] = value
        return
    group, name = field.path
    inner = members.setdefault(group, {})
    if isinstance(inner, msgspec.Raw):
        inner = members[group] = read_object(inner, f"/{group}")
    inner[name] = value


def read_object(raw: bytes | msgspec.Raw, pointer: str) -> dict[str, msgspec.Raw]:
    """Return the members of a JSON object.

    Raises: `Fault`.
    """
    try:
        return _OBJECT.decode(raw)
    except msgspec.ValidationError as error:
        raise Fault(pointer, "invalid", "An object was expected.") from error
    except msgspec.DecodeError as error:
        raise Fault(pointer, "malformed_json", f"This is not JSON: {error}.") from error


def _pair(text: str, option: str, value: str) -> tuple[Field, str]:
    name, equals, rest = text.partition("=")
    if not equals or not rest:
        raise ImportProblem(f"{option} takes FIELD={value}, not {text!r}.")
    return fields.find(name.strip()), rest


def _constant(field: Field, text: str) -> tuple[Field, Any]:
    try:
        return field, constant(field, text)
    except Fault as fault:
        raise ImportProblem(f"--set {field.name}: {fault.detail}") from fault


def _place(header: list[str], column: str) -> int:
    number = header.count(column)
    if number == 1:
        return header.index(column)
    there = ", ".join(header)
    if number:
        raise ImportProblem(f"The column {column!r} is there {number} times; the columns are: {there}.")
    raise ImportProblem(f"There is no column {column!r}; the columns are: {there}.")


def _called_like_fields(columns: list[tuple[int, str]]) -> Iterator[tuple[Field, int]]:
    for place, name in columns:
        field = called(name)
        if field is not None:
            yield field, place


def _spelling(name: str) -> str:
    return name.translate(_IGNORED).casefold()


_BY_SPELLING: Final = {_spelling(name): field for name, field in fields.PLAIN.items()}
