"""The only place that reads the wall clock."""

from datetime import UTC, datetime


def now() -> datetime:
    """Return the present moment.

    Units: an aware datetime in UTC.
    """
    return datetime.now(UTC)
