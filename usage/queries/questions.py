"""Any question about usage: metrics by buckets and facets, sorted and paged."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.db import connection

from core.periods import Granularity, Period
from core.problems import bad_request
from usage.queries.buckets import Buckets
from usage.queries.facets import Facet
from usage.queries.metrics import Metric, meters_of, sums_of
from usage.queries.rollups import Group, RollupQuery, add_up

MAX_CELLS: Final = 600_000
"""Buckets times groups that one question may span: a year of minutes fits."""

TIMESTAMP: Final = "timestamp"


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked: metrics over a window, by buckets of a granularity (None: one total) and by facets.

    ``sort`` is `TIMESTAMP`, a metric's or a facet's name. ``filters`` are values of facets, for
    `Facet.CLIENT` the credential's id; ``client_ids`` tells what credentials are called, which rows go by.
    """

    organization_id: int
    rollup_timezone: str
    period: Period
    zone: ZoneInfo
    metrics: tuple[Metric, ...]
    granularity: Granularity | None = None
    group_by: tuple[Facet, ...] = ()
    filters: Mapping[Facet, str | int] = field(default_factory=dict)
    sort: str = TIMESTAMP
    descending: bool = False
    client_ids: Mapping[int, str] = field(default_factory=dict)

    def names(self, values: tuple[Any, ...]) -> tuple[str, ...]:
        """Return the values of a group as they are written, "" where there is none."""
        return tuple(
            self.client_ids.get(value, "") if facet is Facet.CLIENT else value
            for facet, value in zip(self.group_by, values, strict=True)
        )

    @property
    def buckets(self) -> Buckets:
        """The buckets of the window."""
        if self.granularity is None:
            return Buckets.whole(self.period)
        return Buckets.over(self.period, self.granularity, self.zone)


@dataclass(frozen=True, slots=True)
class Row:
    """One bucket of one group; ``start`` is None for a total."""

    start: datetime | None
    group: Group


@dataclass(frozen=True, slots=True)
class Answer:
    """A page of rows, of how many."""

    rows: list[Row]
    total: int


def ask(question: Question, *, limit: int, offset: int) -> Answer:
    """Answer a question: every bucket of every group that was there in the window, empty ones as zeros.

    Raises: `Problem` 400 when it spans too many rows.
    Tenancy: call in the tenant's scope.
    """
    series = question.buckets
    found = add_up(_query(question, series))
    keys = sorted({group.values for group in found}, key=question.names) if question.group_by else [()]
    total = series.count * len(keys)
    if total > MAX_CELLS:
        raise bad_request(
            f"The question spans {total:,} rows, more than {MAX_CELLS:,}: "
            "shorten the window or choose a coarser granularity.",
            code="too_many_rows",
        )
    cells = {(group.bucket, group.values): group for group in found}
    places = islice(_places(question, series.count, keys, cells), offset, offset + limit)
    shown = [_row(question, series, cells.get(place) or Group(*place)) for place in places]
    return Answer(shown, total)


def known_meters(organization_id: int) -> list[str]:
    """Return the names of all meters that the organization has ever sent.

    Tenancy: call in the tenant's scope.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT meter FROM usage_meter_day WHERE organization_id = %(id)s AND dimension = 0 "
            "UNION SELECT jsonb_object_keys(quantities) FROM usage_pending WHERE organization_id = %(id)s "
            "AND quantities IS NOT NULL ORDER BY 1",
            {"id": organization_id},
        )
        return [meter for (meter,) in cursor.fetchall()]


def _query(question: Question, series: Buckets) -> RollupQuery:
    return RollupQuery(
        organization_id=question.organization_id,
        rollup_timezone=question.rollup_timezone,
        period=question.period,
        buckets=series,
        sums=sums_of(question.metrics),
        meters=meters_of(question.metrics) or False,
        group_by=question.group_by,
        filters=question.filters,
    )


Place = tuple[int, tuple[Any, ...]]


def _places(
    question: Question, count: int, keys: list[tuple[Any, ...]], cells: Mapping[Place, Group]
) -> Iterator[Place]:
    """Yield the places of all rows in the order asked for; equals stand in order of bucket and group."""
    if question.sort == TIMESTAMP:
        order = range(count - 1, -1, -1) if question.descending else range(count)
        return ((bucket, key) for bucket in order for key in keys)
    every = [(bucket, key) for bucket in range(count) for key in keys]
    facets = [facet.value for facet in question.group_by]
    if question.sort in facets:
        index = facets.index(question.sort)
        names = {key: question.names(key)[index] for key in keys}
        return iter(sorted(every, key=lambda place: names[place[1]], reverse=question.descending))
    metric = next(metric for metric in question.metrics if metric.name == question.sort)
    numbers = {place: metric.read(cells.get(place) or Group(*place)) for place in every}
    measured = [place for place in every if numbers[place] is not None]
    # What has no number comes last, whichever way the rest goes.
    ranked = sorted(measured, key=lambda place: numbers[place] or 0, reverse=question.descending)
    return iter(ranked + [place for place in every if numbers[place] is None])


def _row(question: Question, series: Buckets, group: Group) -> Row:
    return Row(None if question.granularity is None else series.start(group.bucket), group)
