"""Retention: what lies before an organization's history goes, whole weeks at a time."""

import time
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Final

from django.db import OperationalError, connection, transaction
from django.db.backends.utils import CursorWrapper

from core.periods import Period
from organizations.models import Organization
from organizations.tenancy import system_scope
from usage import partitions
from usage.history import history_start
from usage.rollups.fold import lock_rollups
from usage.rollups.rebuild import rebuild, stretches

SWAP_ATTEMPTS: Final = 20
PAUSE_SECONDS: Final = 0.5
_LOCK_NOT_AVAILABLE: Final = "55P03"


def drop_expired(now: datetime) -> int:
    """Remove the weeks that lie before organizations' histories, and return from how many something went.

    Each week is one transaction: its records, what the rollups said of them and what adjusted them go
    together; their ids are free again after it.
    Raises: OperationalError when somebody reads so long that a week can't be taken; it stays as it was.
    """
    _free_ids()
    with system_scope():
        begins = _histories(now)
    return sum(_is_dropped(monday, begins, now) for monday in partitions.weeks())


def _is_dropped(monday: date, begins: Mapping[int, datetime], now: datetime) -> bool:
    week = _week(monday)
    expired = [pk for pk, begin in begins.items() if begin >= week.end]
    if not expired:
        return False
    with connection.cursor() as cursor:
        holders = _holders(cursor, monday, expired)
    if holders == []:
        return False
    dropped = _drop(monday, holders or [], now)
    _free_ids()
    partitions.forget()
    return dropped


def _drop(monday: date, holders: list[int], now: datetime) -> bool:
    """Drop a week of these organizations; an empty one altogether.

    Concurrency: the rollups and the week's late writers wait; everybody else only for the swap.
    """
    week = _week(monday)
    with system_scope(), connection.cursor() as cursor:
        lock_rollups(cursor)
        partitions.take(cursor, monday)
        # Read again: whoever came or moved to a larger plan since keeps what is theirs.
        expired = [pk for pk, begin in _histories(now, holders).items() if begin >= week.end]
        if not expired and _holders(cursor, monday, holders) is not None:
            return False
        cursor.execute("SELECT usage_set_apart(%s, %s::bigint[])", [monday, expired])
        for organization in Organization.objects.filter(pk__in=expired).order_by("pk"):
            for stretch in stretches(organization, week, without=week):
                rebuild(stretch)
        _swap(cursor, monday)
        cursor.execute("SELECT usage_drop_adjustments(%s, %s::bigint[])", [monday, expired])
    return bool(expired)


def _swap(cursor: CursorWrapper, monday: date) -> None:
    for attempt in range(1, SWAP_ATTEMPTS + 1):
        try:
            with transaction.atomic():
                cursor.execute("SELECT usage_swap(%s)", [monday])
        except OperationalError as error:
            if getattr(error.__cause__, "sqlstate", None) != _LOCK_NOT_AVAILABLE or attempt == SWAP_ATTEMPTS:
                raise
            time.sleep(PAUSE_SECONDS)
        else:
            return


def _histories(now: datetime, only: list[int] | None = None) -> dict[int, datetime]:
    """Return where the history of each organization begins."""
    found = Organization.objects.select_related("plan")
    if only is not None:
        found = found.filter(pk__in=only)
    return {o.pk: history_start(o.plan.history_days, o.timezone, now) for o in found}


def _holders(cursor: CursorWrapper, monday: date, organizations: list[int]) -> list[int] | None:
    """Return which of the organizations have records in a week; None when it is empty."""
    cursor.execute("SELECT usage_holders(%s, %s::bigint[])", [monday, organizations])
    row = cursor.fetchone()
    return None if row is None or row[0] is None else list(row[0])


def _free_ids() -> None:
    with system_scope(), connection.cursor() as cursor:
        cursor.execute("SELECT usage_free_expired()")


def _week(monday: date) -> Period:
    start = datetime.combine(monday, datetime.min.time(), UTC)
    return Period(start, start + partitions.WEEK)
