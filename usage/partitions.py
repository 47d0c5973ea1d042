"""The weekly partitions of the records: made ahead of time and on demand; see also `usage.retention`."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Final

from django.db import DEFAULT_DB_ALIAS, connection, connections
from django.db.backends.utils import CursorWrapper
from django.db.utils import IntegrityError

WEEKS_AHEAD: Final = 4
WEEK: Final = timedelta(weeks=1)
_FIRST_MONDAY: Final = datetime(1970, 1, 5, tzinfo=UTC)
_WEEK_SECONDS: Final = 7 * 24 * 3600
_FIRST_SECONDS: Final = int(_FIRST_MONDAY.timestamp())
_NO_PARTITION: Final = "23514"
_WEEK_LOCKS: Final = "hashtext('usage_record weeks')"

_made: set[int] = set()
"""The numbers of the weeks that this process knows to have a partition."""


def numbers_of(moments: Iterable[datetime]) -> set[int]:
    """Return the numbers of the weeks that these moments fall into."""
    given = list(moments)
    if not given:
        return set()
    # Mostly they are all of one week, which the first and the last of them tell.
    first, last = _number(min(given)), _number(max(given))
    return {first} if first == last else set(map(_number, given))


def ensure(numbers: Iterable[int]) -> None:
    """Make the partitions of these weeks that are missing.

    Concurrency: makers of the same week wait for each other; ingest and reading don't wait.
    """
    for number in set(numbers) - _made:
        make(_monday(number))
        _made.add(number)


def share(cursor: CursorWrapper, numbers: Iterable[int]) -> None:
    """Keep retention away from these weeks until the transaction ends, waiting while it is at work on one."""
    cursor.execute(
        f"SELECT pg_advisory_xact_lock_shared({_WEEK_LOCKS}, number) FROM unnest(%s::integer[]) AS number",
        [sorted(numbers)],
    )


def take(cursor: CursorWrapper, monday: date) -> None:
    """Keep writers away from a week until the transaction ends, waiting for those who are at work on it."""
    number = (monday - _FIRST_MONDAY.date()) // WEEK
    cursor.execute(f"SELECT pg_advisory_xact_lock({_WEEK_LOCKS}, %s)", [number])


def make(monday: date, *, using: str = DEFAULT_DB_ALIAS) -> bool:
    """Make the partition of a week; False when it is there."""
    with connections[using].cursor() as cursor:
        cursor.execute("SELECT usage_make_partition(%s)", [monday])
        return bool(_scalar(cursor.fetchone()))


def make_ahead(now: datetime, *, using: str = DEFAULT_DB_ALIAS) -> int:
    """Make the partitions of this week and the next ones, and return how many were missing."""
    (number,) = numbers_of([now])
    return sum(make(_monday(number + ahead), using=using) for ahead in range(WEEKS_AHEAD + 1))


def forget() -> None:
    """Stop relying on what was seen of the partitions."""
    _made.clear()


def is_missing(error: IntegrityError) -> bool:
    """Tell whether a row was refused for want of a partition."""
    return getattr(error.__cause__, "sqlstate", None) == _NO_PARTITION and "no partition of relation" in str(
        error
    )


def weeks() -> list[date]:
    """Return the Mondays of the weeks that have a partition, in order."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT usage_partition_weeks()")
        return [week for (week,) in cursor.fetchall()]


def _monday(number: int) -> date:
    return (_FIRST_MONDAY + number * WEEK).date()


def _number(moment: datetime) -> int:
    return int(moment.timestamp() - _FIRST_SECONDS) // _WEEK_SECONDS


def _scalar(row: tuple[object, ...] | None) -> object:
    return None if row is None else row[0]
