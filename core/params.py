"""Query parameters, read strictly: what is not known is named, never ignored."""

import re
from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from django.http import QueryDict

from core import periods
from core.moments import parse_moment
from core.problems import FieldError, Problem, bad_request, invalid_parameter

_DEEP: Final = re.compile(r"([A-Za-z]+)\[([^\[\]]*)\]")
_INTEGER: Final = re.compile(r"-?[0-9]{1,18}", re.ASCII)
_BOOLEANS: Final = {"true": True, "1": True, "false": False, "0": False}


class Params:
    """The query parameters of one request, checked against what the operation accepts.

    ``deep`` names deep objects: with ``deep=("meta",)``, ``meta[key]=value`` is read by `deep`.
    Raises: `Problem` 400 naming every unknown or repeated parameter and listing the accepted.
    """

    def __init__(self, query: QueryDict, accepted: Iterable[str], *, deep: Collection[str] = ()) -> None:
        self._accepted = tuple(accepted)
        self._deep_names = tuple(deep)
        self._plain: dict[str, str] = {}
        self._deep: dict[str, dict[str, str]] = {name: {} for name in deep}
        faults: list[FieldError] = []
        for name in query:
            faults.extend(self._take(name, query.getlist(name)))
        if faults:
            raise bad_request(" ".join(fault.detail for fault in faults), code=faults[0].code, errors=faults)

    def __contains__(self, name: object) -> bool:
        return name in self._plain

    def text(self, name: str, default: str | None = None, *, max_length: int = 255) -> str | None:
        """Return the value as it is, refusing one that is empty, too long or has control characters."""
        value = self._plain.get(name)
        if value is None:
            return default
        return check_text(name, value, max_length)

    def choice(self, name: str, choices: Iterable[str], default: str) -> str:
        """Return a value that is one of the choices."""
        value = self._plain.get(name)
        if value is None:
            return default
        accepted = list(choices)
        if value not in accepted:
            raise self._unlisted(name, value, accepted)
        return value

    def choices(self, name: str, choices: Iterable[str], default: tuple[str, ...] = ()) -> tuple[str, ...]:
        """Return comma-separated values that are all among the choices, each once, in their order."""
        value = self._plain.get(name)
        if value is None:
            return default
        accepted = list(choices)
        items = tuple(dict.fromkeys(value.split(",")))
        for item in items:
            if item not in accepted:
                raise self._unlisted(name, item, accepted)
        return items

    def integer(self, name: str, default: int, *, minimum: int, maximum: int) -> int:
        """Return a whole number within the bounds, both included."""
        value = self._plain.get(name)
        if value is None:
            return default
        if not _INTEGER.fullmatch(value) or not minimum <= int(value) <= maximum:
            raise invalid_parameter(name, f"{name} must be a whole number from {minimum} to {maximum}.")
        return int(value)

    def boolean(self, name: str, default: bool) -> bool:
        """Return a flag written as true or false."""
        value = self._plain.get(name)
        if value is None:
            return default
        if value not in _BOOLEANS:
            raise self._unlisted(name, value, ["true", "false"])
        return _BOOLEANS[value]

    def moment(self, name: str, default: datetime | None = None) -> datetime | None:
        """Return a moment, as an aware datetime in UTC."""
        value = self._plain.get(name)
        if value is None:
            return default
        try:
            return parse_moment(value)
        except ValueError as error:
            raise invalid_parameter(name, f"{name}: {error}.") from error

    def zone(self, name: str, default: str) -> ZoneInfo:
        """Return an IANA time zone."""
        value = self._plain.get(name)
        try:
            return periods.zone(default if value is None else value)
        except ValueError as error:
            raise invalid_parameter(name, f"{name}: {error}.") from error

    def deep(self, name: str) -> dict[str, str]:
        """Return the members given of a deep object, by key."""
        return dict(self._deep[name])

    def _take(self, name: str, values: list[str]) -> list[FieldError]:
        if len(values) > 1:
            return [_fault(name, "repeated_parameter", f"{name[:100]!r} is given more than once.")]
        if name in self._accepted:
            self._plain[name] = values[0]
            return []
        match = _DEEP.fullmatch(name)
        if match is None or match[1] not in self._deep_names:
            return [_fault(name, "unknown_parameter", self._unknown(name))]
        if not match[2] or "\x00" in match[2] + values[0]:
            return [_fault(name, "invalid_parameter", f"{name[:100]!r} needs a key and a printable value.")]
        self._deep[match[1]][match[2]] = values[0]
        return []

    def _unknown(self, name: str) -> str:
        accepted = [*self._accepted, *(f"{deep}[key]" for deep in self._deep_names)]
        return f"There is no parameter {name[:100]!r}; accepted: {', '.join(accepted) or 'none'}."

    def _unlisted(self, name: str, value: str, accepted: list[str]) -> Problem:
        detail = f"Invalid {name}: {value[:100]!r}; accepted: {', '.join(accepted)}."
        return invalid_parameter(name, detail)


def check_text(name: str, value: str, max_length: int) -> str:
    """Return the text of a parameter if PostgreSQL can hold it and it is not over-long.

    Raises: `Problem` 400.
    """
    if not value or len(value) > max_length:
        raise invalid_parameter(name, f"{name} must have 1 to {max_length} characters.")
    if "\x00" in value:
        raise invalid_parameter(name, f"{name} holds a character that no text can have.")
    return value


def _fault(name: str, code: str, detail: str) -> FieldError:
    return FieldError(f"/{name[:100]}", code, detail)
