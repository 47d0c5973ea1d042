"""Questions of a page: its filters applied, its windows cut into buckets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.http import QueryDict
from django.urls import reverse

from core.paging import MAX_SIZE
from core.periods import Granularity, Period, local_date
from organizations.models import Credential
from organizations.tenancy import Caller
from portal import times
from portal.filters import Filters
from portal.kinds import NOTHING
from portal.measures import Measure
from usage.queries.buckets import Buckets
from usage.queries.facets import Facet
from usage.queries.metrics import meters_of, sums_of
from usage.queries.rollups import Group, RollupQuery, add_up

UNNAMED: Final = "(none)"
"""How pages call what a record doesn't name."""


def saying(name: str, value: str) -> dict[str, str]:
    """Return the parameter of Usage logs for records that say a value, or that say none."""
    return {name: value} if value else {"missing": name}


@dataclass(frozen=True, slots=True)
class Asker:
    """Asks about an organization's use, with the filters of a page."""

    caller: Caller
    filters: Filters

    def total(self, measures: Iterable[Measure], period: Period | None) -> Group | None:
        """Return what adds up over a window, by default the bar's; None without one."""
        if period is None:
            return None
        found = add_up(self._query(measures, period, self.filters.facets))
        return found[0] if found else NOTHING

    def series(self, measures: Iterable[Measure], period: Period, buckets: Buckets) -> list[Group]:
        """Return what adds up in each bucket, empty ones as nothing."""
        found = add_up(self._query(measures, period, self.filters.facets, buckets=buckets))
        by_place = {group.bucket: group for group in found}
        return [by_place.get(place, NOTHING) for place in range(buckets.count)]

    def by(
        self, facet: Facet, measures: Iterable[Measure], buckets: Buckets | None = None, *also: Facet
    ) -> list[Group]:
        """Return what adds up for each value of a facet, or of several, most requests first.

        The facet's own filter applies too.
        """
        options: dict[str, Any] = {"group_by": (facet, *also), "buckets": buckets}
        found = add_up(self._query(measures, self.filters.period, self.filters.facets, **options))
        return sorted(found, key=lambda group: (-group.sums.get("requests", 0), str(group.values[0])))

    def values(self, facet: Facet) -> list[str]:
        """Return the values that a facet has in the window, whatever the filters, by name."""
        query = RollupQuery(
            self.caller.organization_id,
            self.caller.rollup_timezone,
            self.filters.period,
            sums=("requests",),
            group_by=(facet,),
        )
        return sorted({str(group.values[0]) for group in add_up(query)} - {""}, key=str.lower)

    def _query(
        self, measures: Iterable[Measure], period: Period, facets: Mapping[Facet, str | int], **options: Any
    ) -> RollupQuery:
        metrics = [measure.metric for measure in measures]
        return RollupQuery(
            self.caller.organization_id,
            self.caller.rollup_timezone,
            period,
            sums=sums_of(metrics),
            meters=meters_of(metrics) or False,
            filters=facets,
            **options,
        )


def api_address(route: str, filters: Filters, **parameters: str) -> str:
    """Return the address at which the API answers the same."""
    query = QueryDict(mutable=True)
    query.update({**filters.of_api, **parameters})
    return f"{reverse(route)}?{query.urlencode()}"


def question_address(
    filters: Filters, measures: Iterable[Measure], granularity: str, group_by: Facet | None = None
) -> str:
    """Return the address at which the API answers these measures."""
    grouped = {} if group_by is None else {"groupBy": group_by.value}
    names = ",".join(measure.name for measure in measures)
    parameters = {"metrics": names, "granularity": granularity, **grouped, "limit": str(MAX_SIZE)}
    return api_address("usage-query", filters, **parameters)


def keys_of() -> list[Credential]:
    """Return the organization's credentials, by name.

    Tenancy: call in the tenant's scope.
    """
    return list(Credential.objects.order_by("name", "pk"))


def wall(moment: datetime, filters: Filters) -> str:
    """Write a moment as the wall clock of the organization shows it, as charts take it."""
    return times.wall(moment, filters.zone)


def bucket_label(start: datetime, granularity: Granularity, filters: Filters) -> str:
    """Name a bucket."""
    tz = filters.zone
    day = local_date(start, tz)
    if granularity is Granularity.HOUR:
        return f"{day:%a} {times.minute(start, tz)}"
    if granularity is Granularity.MONTH:
        return f"{day:%b %Y}"
    prefix = "Week of " if granularity is Granularity.WEEK else f"{day:%a} "
    return f"{prefix}{times.day(day)}"
