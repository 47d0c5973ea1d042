"""Records with the buckets they fall into, ready to be grouped.

The local days come from Python's time zones, handed to the statement as the instants at which they
begin, so that the database's own idea of a zone plays no part in any total.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from core.periods import Granularity, Period, buckets, local_date, zone
from usage.rollups.measures import LATENCY_UNIT_JOIN

QUARTER_SQL: Final = "date_bin('15 minutes', source.occurred_at, timestamptz '2000-01-01 00:00Z')"
_MINUTE_SQL: Final = "date_bin('1 minute', source.occurred_at, timestamptz '2000-01-01 00:00Z')"


@dataclass(frozen=True, slots=True)
class ZoneDays:
    """The local days of one zone over a stretch of time.

    Shape: ``starts`` has one instant more than ``days`` has dates; the last is where the stretch ends.
    """

    name: str
    starts: list[datetime]
    days: list[date]

    @classmethod
    def over(cls, name: str, period: Period) -> "ZoneDays":
        """Return the days that touch a period which isn't empty."""
        tz = zone(name)
        periods = buckets(period, Granularity.DAY, tz)
        starts = [p.start for p in periods]
        return cls(name, [*starts, periods[-1].end], [local_date(start, tz) for start in starts])


@dataclass(frozen=True, slots=True)
class ZoneTable:
    """The days of several zones as a table expression with columns name, starts, days."""

    zones: tuple[ZoneDays, ...]

    @classmethod
    def of(cls, zones: Iterable[ZoneDays]) -> "ZoneTable":
        """Return the table of these zones, of which there must be one at least."""
        return cls(tuple(zones))

    @property
    def sql(self) -> str:
        """The table expression, named ``zone``."""
        values = ", ".join(["(%s::text, %s::timestamptz[], %s::date[])"] * len(self.zones))
        return f"(VALUES {values}) AS zone (name, starts, days)"

    @property
    def params(self) -> list[Any]:
        """The parameters of `sql`, in order."""
        return [value for z in self.zones for value in (z.name, z.starts, z.days)]


def expanded(source: str, zone_table: str) -> str:
    """Return the SELECT of all columns of ``source`` and of minute, quarter, day and latency_unit.

    The zones must cover every record of the source: one outside of them would be left out.
    """
    return (
        f"SELECT source.*, latency.unit AS latency_unit, {_MINUTE_SQL} AS minute, {QUARTER_SQL} AS quarter, "
        "zone.days[width_bucket(source.occurred_at, zone.starts)] AS day "
        f"FROM {source} AS source "
        "JOIN organizations_organization organization ON organization.id = source.organization_id "
        f"JOIN {zone_table} ON zone.name = organization.rollup_timezone {LATENCY_UNIT_JOIN}"
    )
