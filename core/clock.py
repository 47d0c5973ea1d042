"""The only place that reads the wall clock."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Final

_standing: Final[ContextVar[datetime | None]] = ContextVar("standing", default=None)


def now() -> datetime:
    """Return the present moment.

    Units: an aware datetime in UTC.
    """
    return _standing.get() or datetime.now(UTC)


@contextmanager
def standing_at(moment: datetime) -> Iterator[None]:
    """Have the present be another moment: a past that is made up is written as it would have been then."""
    token = _standing.set(moment)
    try:
        yield
    finally:
        _standing.reset(token)


def is_standing() -> bool:
    """Tell whether the present is another moment, of which nobody is to be told."""
    return _standing.get() is not None
