"""The filter bar: whose use, of what and over which days. All of it is in the address of the page."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from django.http import QueryDict

from core.moments import format_moment
from core.params import Params
from core.periods import Granularity, Period, day_bounds, local_date, zone
from core.problems import invalid_parameter
from organizations.tenancy import Caller
from portal import times
from portal.links import ORGANIZATION
from usage import reading
from usage.queries.facets import Facet

RANGES: Final = {
    "day": "Today",
    "week": "This week",
    "month": "This month",
    "7d": "Last 7 days",
    "30d": "Last 30 days",
    "90d": "Last 90 days",
    "custom": "Custom",
}
DEFAULT_RANGE: Final = "30d"
NAMES: Final = ("clientId", "capability", "model", "range", "from", "to")
_DAY: Final = timedelta(days=1)
_MINUTE: Final = timedelta(minutes=1)
_LENGTHS: Final = {"7d": 7, "30d": 30, "90d": 90}
_MOST_DAYS_BY: Final = ((2, Granularity.HOUR), (120, Granularity.DAY), (730, Granularity.WEEK))


@dataclass(frozen=True, slots=True)
class Days:
    """Whole local days, both ends among them, and how they were asked for."""

    range: str
    first: date
    last: date

    @property
    def count(self) -> int:
        """How many days there are."""
        return (self.last - self.first).days + 1


@dataclass(frozen=True, slots=True)
class Filters:
    """What the bar is set to.

    ``period`` are the days, cut off where the history begins; ``before`` is as much of the days before them
    as has passed of these, None where the history doesn't reach so far.
    """

    days: Days
    period: Period
    before: Period | None
    zone: ZoneInfo
    client_id: str | None
    credential_id: int | None
    capability: str | None
    model: str | None

    @property
    def facets(self) -> dict[Facet, str | int]:
        """The filters as questions take them."""
        wanted = {
            Facet.CLIENT: self.credential_id,
            Facet.CAPABILITY: self.capability,
            Facet.MODEL: self.model,
        }
        return {facet: value for facet, value in wanted.items() if value is not None}

    @property
    def granularity(self) -> Granularity:
        """The size of buckets that gives a chart enough of them and not too many."""
        for most, granularity in _MOST_DAYS_BY:
            if self.days.count <= most:
                return granularity
        return Granularity.MONTH

    @property
    def what(self) -> dict[str, str]:
        """The parameters that say whose use and of what."""
        named = {"clientId": self.client_id, "capability": self.capability, "model": self.model}
        return {name: value for name, value in named.items() if value is not None}

    @property
    def parameters(self) -> dict[str, str]:
        """All parameters of the bar, those left out that stand at their default."""
        found = dict(self.what)
        if self.days.range == "custom":
            found |= {
                "range": "custom",
                "from": self.days.first.isoformat(),
                "to": self.days.last.isoformat(),
            }
        elif self.days.range != DEFAULT_RANGE:
            found["range"] = self.days.range
        return found

    @property
    def of_api(self) -> dict[str, str]:
        """The same filter as parameters of the API."""
        window = {"from": format_moment(self.period.start), "to": format_moment(self.period.end)}
        return window | self.what

    @property
    def said(self) -> str:
        """The days in words."""
        return times.days(self.period, self.zone)


def cleaned(query: QueryDict) -> QueryDict:
    """Return the parameters that have a value: a form sends all of its fields."""
    kept = query.copy()
    for name in [name for name in kept if kept.getlist(name) == [""]]:
        del kept[name]
    return kept


def params_of(query: QueryDict, also: Iterable[str] = (), *, deep: Iterable[str] = ()) -> Params:
    """Return the parameters of a page with the bar; ``also`` are those of its own.

    Raises: `Problem` 400 naming what there is no parameter for.
    """
    return Params(cleaned(query), (ORGANIZATION, *NAMES, *also), deep=tuple(deep))


def read(params: Params, caller: Caller, now: datetime, *, default: str = DEFAULT_RANGE) -> Filters:
    """Return what the bar is set to.

    Raises: `Problem` 400 naming a parameter and what it accepts; 404 for a key of somebody else.
    Tenancy: call in the tenant's scope.
    """
    tz = zone(caller.timezone)
    since = reading.history_of(caller, now)
    days = _days(params, local_date(now, tz), default)
    whole = _bounds(days.first, days.last, tz)
    return Filters(
        days=days,
        period=Period(max(whole.start, since), max(whole.end, since)),
        before=_before(days, whole, now, since, tz),
        zone=tz,
        client_id=params.text("clientId"),
        credential_id=reading.credential_of(params),
        capability=params.text("capability"),
        model=params.text("model"),
    )


def _days(params: Params, today: date, default: str) -> Days:
    given = "custom" if "from" in params and "range" not in params else default
    wanted = params.choice("range", RANGES, given)
    if wanted == "custom":
        last = _date(params, "to", today)
        first = _date(params, "from", last - timedelta(days=_LENGTHS[DEFAULT_RANGE] - 1))
        if last < first:
            raise invalid_parameter("to", "The last day must not come before the first.")
        # Nothing is dated later than tomorrow: days without end would only cost their counting.
        return Days(wanted, first, max(min(last, today + _DAY), first))
    return Days(wanted, _first(wanted, today), today)


def _first(wanted: str, today: date) -> date:
    if wanted == "week":
        return today - timedelta(days=today.weekday())
    if wanted == "month":
        return today.replace(day=1)
    return today - timedelta(days=_LENGTHS.get(wanted, 1) - 1)


def _date(params: Params, name: str, default: date) -> date:
    text = params.text(name, max_length=10)
    if text is None:
        return default
    try:
        found = date.fromisoformat(text)
    except ValueError as error:
        raise invalid_parameter(name, f"{name} must be a day such as {default}.") from error
    if not 1971 <= found.year <= 2998:
        raise invalid_parameter(name, f"{name} must be a day of the years 1971 to 2998.")
    return found


def _bounds(first: date, last: date, tz: ZoneInfo) -> Period:
    return Period(day_bounds(first, tz).start, day_bounds(last, tz).end)


def _before(days: Days, whole: Period, now: datetime, since: datetime, tz: ZoneInfo) -> Period | None:
    first = days.first - timedelta(days=days.count)
    if days.range == "month":
        first = (days.first - _DAY).replace(day=1)
    start = day_bounds(first, tz).start
    if start < since:
        return None
    passed = max((min(now, whole.end) - whole.start) // _MINUTE * _MINUTE, _MINUTE)
    end = whole.start if now >= whole.end else min(start + passed, whole.start)
    return Period(start, end)
