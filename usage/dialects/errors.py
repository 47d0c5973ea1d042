"""Why a record was refused, in the words of the wire contract."""

import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, Final

import msgspec

from usage.dialects.accepted import ACCEPTED, wrong_member

_PATH: Final = re.compile(r"^(?P<reason>.*?)(?: - at (?:`key` in )?`\$(?P<path>[^`]*)`)?$", re.DOTALL)
_UNKNOWN: Final = re.compile(r"^Object contains unknown field `(?P<name>.*)`$", re.DOTALL)
_MISSING: Final = re.compile(r"^Object missing required field `(?P<name>.*)`$", re.DOTALL)
_STEP: Final = re.compile(r"\.([A-Za-z_][A-Za-z0-9_]*)|\[([0-9]+)\]")


@dataclass(frozen=True, slots=True)
class Fault(Exception):
    """One thing that is wrong with one record."""

    pointer: str
    code: str
    detail: str

    @classmethod
    def of(
        cls,
        error: msgspec.ValidationError,
        raw: bytes | msgspec.Raw = b"",
        *,
        under: str = "",
        accepted: Iterable[str] = (),
    ) -> "Fault":
        """Return the fault that a failed decoding of ``raw`` stands for.

        ``accepted`` lists the fields to name when an unknown one was sent.
        """
        match = _PATH.match(str(error))
        reason, path = (match["reason"], match["path"] or "") if match else (str(error), "")
        where = "".join(f"/{name or index}" for name, index in _STEP.findall(path))
        pointer = under + where
        if unknown := _UNKNOWN.match(reason):
            name = unknown["name"]
            known = ", ".join(_TOKEN_FIELDS if pointer.endswith("/tokens") else accepted)
            return cls(
                f"{pointer}/{escape(name)}",
                "unknown_field",
                f"There is no field {name[:100]!r}; accepted: {known}.",
            )
        if missing := _MISSING.match(reason):
            name = missing["name"]
            return cls(f"{pointer}/{name}", "missing_field", f"The field {name!r} is required.")
        return cls._invalid(reason, raw, where, under)

    @classmethod
    def _invalid(cls, reason: str, raw: bytes | msgspec.Raw, where: str, under: str) -> "Fault":
        member = wrong_member(raw, where) if where in _GROUPS else None
        if member is not None:
            name, accepted = member
            return cls(f"{under}{where}/{escape(name)}", "invalid", f"{reason}; accepted: {accepted}.")
        known = ACCEPTED.get(where)
        return cls(under + where, "invalid", f"{reason}; accepted: {known}." if known else f"{reason}.")


_GROUPS: Final = ("/quantities", "/meta")
_TOKEN_FIELDS: Final = ("prompt", "completion", "total", "cachedPrompt", "cacheWrite", "reasoning")


@dataclass(frozen=True, slots=True)
class RecordError:
    """A record that was refused: its place in the request, its id if it gave one, and why."""

    index: int
    id: str | None
    code: str
    detail: str
    pointer: str

    @classmethod
    def of(cls, index: int, record_id: str | None, fault: Fault) -> "RecordError":
        """Return the refusal of the record at an index."""
        return cls(index, record_id, fault.code, fault.detail, fault.pointer)

    def as_dict(self) -> dict[str, Any]:
        """Return the error as it stands in an answer."""
        return asdict(self)


def escape(name: str) -> str:
    """Return a member's name as a JSON pointer spells it."""
    return name.replace("~", "~0").replace("/", "~1")[:255]
