"""Cursor pages, offset pages, and the cursors that tie a page to its filters."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.core import signing
from django.http import HttpRequest

from core.moments import format_moment, parse_moment
from core.params import Params
from core.problems import Problem, invalid_parameter

CURSOR_PARAMS: Final = ("cursor", "order", "take")
OFFSET_PARAMS: Final = ("limit", "offset")
Position = tuple[datetime, UUID]
ORDERS: Final = ("asc", "desc")
DEFAULT_SIZE: Final = 100
MAX_SIZE: Final = 1000
MAX_OFFSET: Final = 2**31 - 1
_MAX_CURSOR: Final = 4096


def fingerprint(filters: Mapping[str, Any]) -> str:
    """Return a short digest of what a page is filtered and ordered by.

    Shape: any mapping whose values JSON or ``str`` can write; the order of its keys is nothing.
    """
    text = json.dumps(filters, sort_keys=True, default=str, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def encode_cursor(position: list[Any], fingerprint: str) -> str:
    """Return an opaque, signed cursor for a position in the pages of these filters.

    Shape: the position is a list of JSON values.
    """
    return _signer(fingerprint).sign_object(position)


def decode_cursor(text: str, fingerprint: str) -> list[Any]:
    """Return the position that a cursor stands for.

    Raises: `Problem` 400 ``invalid_cursor`` when it was tampered with or belongs to other filters.
    """
    try:
        if len(text) > _MAX_CURSOR:
            raise signing.BadSignature
        position = _signer(fingerprint).unsign_object(text)
    except (signing.BadSignature, ValueError) as error:
        raise invalid_cursor() from error
    if not isinstance(position, list):
        raise invalid_cursor()
    return position


def place(moment: datetime, key: UUID) -> list[Any]:
    """Return where a page ended, as a cursor keeps it: a moment, and which of the rows of that moment."""
    return [format_moment(moment), key.hex]


def position(place: list[Any] | None) -> Position | None:
    """Return what `place` was made of.

    Raises: `Problem` 400 ``invalid_cursor``.
    """
    if place is None:
        return None
    try:
        moment, key = place
        return parse_moment(moment), UUID(hex=key)
    except (TypeError, ValueError, AttributeError) as error:
        raise invalid_cursor() from error


def invalid_cursor() -> Problem:
    """Return the problem of a cursor that these pages did not give out."""
    return invalid_parameter(
        "cursor",
        "These pages did not give out this cursor: send it unchanged, with the parameters it came with.",
        code="invalid_cursor",
    )


@dataclass(frozen=True, slots=True)
class CursorPage:
    """What a client asked of a cursor page: how many, which way, from where."""

    take: int
    order: str
    cursor: str | None

    @property
    def descending(self) -> bool:
        """Whether the newest comes first."""
        return self.order == "desc"

    def position(self, fingerprint: str) -> list[Any] | None:
        """Return the position to go on from, or None for the first page."""
        return None if self.cursor is None else decode_cursor(self.cursor, fingerprint)


@dataclass(frozen=True, slots=True)
class OffsetPage:
    """What a client asked of an offset page."""

    limit: int
    offset: int

    def pagination(self, total: int) -> dict[str, int | bool]:
        """Return the ``pagination`` member of the answer."""
        return {
            "total": total,
            "limit": self.limit,
            "offset": self.offset,
            "hasMore": self.offset + self.limit < total,
        }


def read_cursor_page(params: Params) -> CursorPage:
    """Read ``cursor``, ``order`` and ``take``.

    Raises: `Problem` 400.
    """
    return CursorPage(
        take=params.integer("take", DEFAULT_SIZE, minimum=1, maximum=MAX_SIZE),
        order=params.choice("order", ORDERS, "desc"),
        cursor=params.text("cursor", max_length=_MAX_CURSOR),
    )


def read_offset_page(params: Params) -> OffsetPage:
    """Read ``limit`` and ``offset``.

    Raises: `Problem` 400.
    """
    return OffsetPage(
        limit=params.integer("limit", DEFAULT_SIZE, minimum=1, maximum=MAX_SIZE),
        offset=params.integer("offset", 0, minimum=0, maximum=MAX_OFFSET),
    )


def next_link(request: HttpRequest, cursor: str) -> str:
    """Return the value of the ``Link`` header that leads to the next page."""
    query = request.GET.copy()
    query["cursor"] = cursor
    return f'<{request.build_absolute_uri(request.path)}?{query.urlencode()}>; rel="next"'


def _signer(fingerprint: str) -> signing.Signer:
    return signing.Signer(salt=f"headroom.cursor.{fingerprint}", sep=".")
