"""The weekly partitions of the records: made ahead of time, on demand, and dropped by retention."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Final

from django.db import DEFAULT_DB_ALIAS, connection, connections
from django.db.utils import IntegrityError

from core.periods import Period
from organizations.models import Organization
from organizations.tenancy import system_scope
from usage.history import history_start
from usage.rollups.rebuild import rebuild, stretches

WEEKS_AHEAD: Final = 4
WEEK: Final = timedelta(weeks=1)
_FIRST_MONDAY: Final = datetime(1970, 1, 5, tzinfo=UTC)
_WEEK_SECONDS: Final = 7 * 24 * 3600
_FIRST_SECONDS: Final = int(_FIRST_MONDAY.timestamp())
_NO_PARTITION: Final = "23514"

_made: set[int] = set()
"""The numbers of the weeks that this process knows to have a partition."""


def ensure_for(moments: Iterable[datetime]) -> None:
    """Make the partitions that are missing for these moments.

    Concurrency: makers of the same week wait for each other; ingest and reading don't wait.
    """
    for number in {int(moment.timestamp() - _FIRST_SECONDS) // _WEEK_SECONDS for moment in moments} - _made:
        make(_monday(number))
        _made.add(number)


def make(monday: date, *, using: str = DEFAULT_DB_ALIAS) -> bool:
    """Make the partition of a week; False when it is there."""
    with connections[using].cursor() as cursor:
        cursor.execute("SELECT usage_make_partition(%s)", [monday])
        return bool(_scalar(cursor.fetchone()))


def make_ahead(now: datetime, *, using: str = DEFAULT_DB_ALIAS) -> int:
    """Make the partitions of this week and the next ones, and return how many were missing."""
    number = int(now.timestamp() - _FIRST_SECONDS) // _WEEK_SECONDS
    return sum(make(_monday(number + ahead), using=using) for ahead in range(WEEKS_AHEAD + 1))


def forget() -> None:
    """Stop relying on what was seen of the partitions."""
    _made.clear()


def is_missing(error: IntegrityError) -> bool:
    """Tell whether a row was refused for want of a partition."""
    return getattr(error.__cause__, "sqlstate", None) == _NO_PARTITION and "no partition of relation" in str(
        error
    )


def drop_expired(now: datetime) -> int:
    """Remove what lies before the organizations' histories, and return how many weeks were touched.

    Each week is one transaction: its records, their keys and what the rollups said of them go together.
    """
    with system_scope():
        organizations = list(Organization.objects.select_related("plan"))
    begins = {o.pk: history_start(o.plan.history_days, o.timezone, now) for o in organizations}
    by_id = {o.pk: o for o in organizations}
    touched = 0
    for monday in _weeks():
        ends = datetime.combine(monday + WEEK, datetime.min.time(), UTC)
        if all(begin < ends for begin in begins.values()):
            break
        entitled = [pk for pk, begin in begins.items() if begin < ends]
        touched += _drop_week(monday, entitled, by_id)
    return touched


def _drop_week(monday: date, entitled: list[int], by_id: dict[int, Organization]) -> bool:
    start = datetime.combine(monday, datetime.min.time(), UTC)
    with system_scope(), connection.cursor() as cursor:
        cursor.execute("SELECT usage_drop_expired(%s, %s::bigint[])", [monday, entitled])
        expired = _scalar(cursor.fetchone())
        for organization_id in expired if isinstance(expired, list) else []:
            organization = by_id.get(organization_id)
            if organization is not None:
                for stretch in stretches(organization, Period(start, start + WEEK)):
                    rebuild(stretch)
    forget()
    return bool(expired)


def _weeks() -> list[date]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT usage_partition_weeks()")
        return [week for (week,) in cursor.fetchall()]


def _monday(number: int) -> date:
    return (_FIRST_MONDAY + number * WEEK).date()


def _scalar(row: tuple[object, ...] | None) -> object:
    return None if row is None else row[0]
