"""What the pages of events and deliveries have in common."""

from datetime import datetime
from typing import Any
from uuid import UUID

from core.moments import format_moment, parse_moment
from core.paging import invalid_cursor
from core.params import Params
from core.problems import invalid_parameter

Position = tuple[datetime, UUID]


def position(read: list[Any] | None) -> Position | None:
    """Return the position that a cursor has in it.

    Raises: `Problem` 400.
    """
    if read is None:
        return None
    try:
        moment, key = read
        return parse_moment(moment), UUID(hex=key)
    except (TypeError, ValueError, AttributeError) as error:
        raise invalid_cursor() from error


def place(moment: datetime, key: UUID) -> list[Any]:
    """Return a position as a cursor keeps it."""
    return [format_moment(moment), key.hex]


def identity(params: Params, name: str) -> UUID | None:
    """Return a parameter that is the id of something.

    Raises: `Problem` 400.
    """
    value = params.text(name, max_length=36)
    if value is None:
        return None
    try:
        return UUID(value)
    except ValueError as error:
        raise invalid_parameter(name, f"{name} must be an id, as this API gives them out.") from error
