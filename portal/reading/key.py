"""What the page of one API key shows: its use, its errors and how much of its rate limit it has used."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from operator import itemgetter
from typing import Any, Final

from core.moments import parse_moment
from core.money import parse_money
from core.periods import Granularity, Period, next_bucket, zone
from organizations.models import Credential
from organizations.tenancy import Caller
from portal import charts, numbers, times, windows
from portal.figures import Card
from portal.measures import MILLISECONDS, NONE, PERCENT, is_unpriced, lacking
from portal.plots import Plot
from portal.reading.asking import UNNAMED, saying
from portal.reading.keys import (
    GRANULARITIES,
    Advice,
    To,
    advice_of,
    ask,
    count_cell,
    known_cost,
    latency_cell,
    moment_said,
    money_cell,
    period_of,
    period_said,
)
from portal.tables import Cell, Column, Sorting, Table, paged, ranked, sortable
from usage.queries.buckets import Buckets
from usage.queries.facets import Facet
from usage.queries.keys import UNKNOWN, unpriced
from usage.queries.totals import Subject

_MOST_ENDPOINTS: Final = 1000
_COUNTED: Final = ("requests", "errors", "tokens")
_LATENCIES: Final = {"average": "Average", "p50": "p50", "p95": "p95", "p99": "p99"}
_READ: Final[Mapping[str, Callable[[dict[str, Any]], Any]]] = {
    "name": lambda one: None if one["endpoint"] is None else one["endpoint"].lower(),
    "requests": lambda one: one["requests"],
    "errors": lambda one: one["errorRate"],
    **{name: itemgetter(f"{name}LatencyMs") for name in _LATENCIES},
}
SORTS: Final = (*_READ, "cost")


@dataclass(frozen=True, slots=True)
class Limit:
    """How much of its rate limit a key has used; ``busiest`` is the busiest minute that its records have."""

    limit: str
    used: int
    most: int
    peak: str
    resets: str
    busiest: str


@dataclass(frozen=True, slots=True)
class KeyPage:
    """One key's use; ``failed`` leads to the records that the errors are counted of, where there are any."""

    cards: list[Card]
    limit: Limit | None
    last_used: str
    over_time: Plot
    endpoints: Table
    codes: Table
    kinds: Table
    failed: str
    advice: list[Advice]
    said: str
    api: str


def read(
    caller: Caller,
    credential: Credential,
    timeframe: str,
    now: datetime,
    *,
    sort: Sorting,
    to: To,
    here: To,
) -> KeyPage:
    """Read the use of one key; ``sort`` is that of its endpoints.

    Tenancy: call in the tenant's scope.
    """
    answer, api = ask(caller, timeframe, now, keyId=credential.client_id, limit=str(_MOST_ENDPOINTS))
    ways = _Ways(answer, caller, credential, to)
    lacks = _Lacking.of(caller, credential, period_of(answer), GRANULARITIES[timeframe])
    key = next(iter(answer["usage"]["keys"]), None)
    limit = next(iter(answer["rateLimits"]), None)
    last = None if key is None else key["lastUsedAt"]
    errors = answer["errors"]
    return KeyPage(
        cards=_cards(answer["usage"], caller, ways, lacks.total),
        limit=None if limit is None else _limit(limit, key, caller),
        last_used=moment_said(last, caller),
        over_time=_over_time(answer, caller, timeframe, now, api, ways, lacks.by_start),
        endpoints=_endpoints(answer["endpoints"], caller, sort, ways, here, lacks.by_endpoint),
        codes=_counts("codes", "Errors by status, most first", "Status", errors["byStatusCode"], ways),
        kinds=_counts("kinds", "Errors by type, most first", "Type", errors["byType"], ways),
        failed=ways.errors if errors["byStatusCode"] or errors["byType"] else "",
        advice=advice_of(answer, timeframe, to),
        said=period_said(answer, caller),
        api=api,
    )


@dataclass(frozen=True, slots=True)
class _Lacking:
    """How many requests of a key have no price: by the start of their bucket, and by their endpoint."""

    by_start: Counter[datetime]
    by_endpoint: Counter[str]

    @classmethod
    def of(cls, caller: Caller, credential: Credential, window: Period, granularity: Granularity) -> _Lacking:
        subject = Subject(caller.organization_id, caller.rollup_timezone, credential.pk)
        buckets = Buckets.over(window, granularity, zone(caller.timezone))
        found = cls(Counter(), Counter())
        for group in unpriced(subject, window, Facet.ENDPOINT, buckets=buckets):
            # Between zones, no moment of an hour that comes twice equals another.
            start = buckets.start(group.bucket).astimezone(UTC)
            found.by_start[start] += group.sums["unpriced"]
            found.by_endpoint[group.values[0]] += group.sums["unpriced"]
        return found

    @property
    def total(self) -> int:
        """How many there are."""
        return self.by_start.total()


class _Ways:
    """The ways from a key's figures to its records of the timeframe."""

    def __init__(self, answer: dict[str, Any], caller: Caller, credential: Credential, to: To) -> None:
        self._to, self._zone, self._window = to, zone(caller.timezone), period_of(answer)
        self._own = {"clientId": credential.client_id}
        self.records = self.of()
        self.errors = self.of(status="error")

    def of(self, **filters: str) -> str:
        """Return where those of the records are that the filters let through."""
        return windows.records(self._to, self._window, self._zone, **self._own, **filters)

    def bucket(self, start: datetime, end: datetime, **also: str) -> str:
        """Return where the records of a bucket are, as far as it lies in the timeframe."""
        cut = Period(max(start, self._window.start), min(end, self._window.end))
        return windows.bucket(self._to, cut, self._zone, **self._own, **also)


def _cards(usage: dict[str, Any], caller: Caller, ways: _Ways, lacks: int) -> list[Card]:
    latency, cost = usage["latency"], parse_money(usage["cost"])
    counts = {name: (numbers.short(usage[name]), numbers.exact(usage[name])) for name in _COUNTED}
    rate = (PERCENT.short(usage["errorRate"]), PERCENT.exact(usage["errorRate"]))
    cards = [
        Card("requests", "Requests", *counts["requests"], url=ways.records),
        Card("errors", "Errors", *counts["errors"], url=ways.errors),
        Card("error-rate", "Error rate", *rate, url=ways.errors),
        Card("tokens", "Tokens", *counts["tokens"], url=ways.records),
        _cost_card(cost, lacks, caller.currency, ways.records),
    ]
    labels = {"average": "Average latency", "p50": "p50", "p95": "p95", "p99": "p99"}
    for name, label in labels.items():
        value = latency[name]
        texts = (NONE, NONE) if value is None else (MILLISECONDS.short(value), MILLISECONDS.exact(value))
        cards.append(Card(f"latency-{name}", label, *texts, url=ways.records))
    return cards


def _cost_card(cost: int, lacks: int, currency: str, url: str) -> Card:
    note = lacking(lacks)
    if is_unpriced(cost, lacks):
        return Card("cost", "Cost", NONE, NONE, note=note, url=url)
    money = (numbers.short_money(cost), numbers.exact_money(cost))
    return Card("cost", "Cost", *money, unit=currency, note=note, url=url)


def _limit(limit: dict[str, Any], key: dict[str, Any] | None, caller: Caller) -> Limit:
    resets = parse_moment(limit["resetAt"])
    busiest = None if key is None else key["peakRpm"]
    return Limit(
        limit=f"{limit['limit']:,}",
        used=limit["used"],
        most=limit["limit"],
        peak=f"{limit['peakPerMinute']:,}",
        resets=times.clock(resets, zone(caller.timezone)),
        busiest="" if busiest is None else numbers.exact(busiest),
    )


def _over_time(
    answer: dict[str, Any],
    caller: Caller,
    timeframe: str,
    now: datetime,
    api: str,
    ways: _Ways,
    lacks: Counter[datetime],
) -> Plot:
    tz, granularity = zone(caller.timezone), GRANULARITIES[timeframe]
    points = answer["timeSeries"]
    buckets, good, bad, rows = [], [], [], []
    for point in points:
        start = parse_moment(point["timestamp"])
        end = next_bucket(start, granularity, tz)
        label = times.minute(start, tz) if end - start < timedelta(hours=2) else times.days_of(start, end, tz)
        said = (numbers.exact(point["requests"] - point["errors"]), numbers.exact(point["errors"]))
        walls = [moment.astimezone(tz).replace(tzinfo=None).isoformat() + "Z" for moment in (start, end)]
        url = ways.bucket(start, end)
        buckets.append(charts.Bucket(walls[0], walls[1], label, said, partial=now < end, url=url))
        good.append(float(point["requests"] - point["errors"]))
        bad.append(float(point["errors"]))
        rows.append(
            [
                Cell(label, value=point["timestamp"], url=url),
                count_cell(point["requests"]),
                _errors_cell(point["errors"], ways.bucket(start, end, status="error")),
                count_cell(point["tokens"]),
                money_cell(point["cost"], lacks[start]),
                latency_cell(point["averageLatencyMs"]),
            ]
        )
    heads = ("Requests", "Errors", "Tokens", f"Cost, {caller.currency}", "Average latency")
    columns = [Column("Time"), *(Column(head, is_number=True) for head in heads)]
    drawn = Granularity.HOUR if granularity is Granularity.MINUTE else granularity
    lines = [charts.Series("Succeeded", tuple(good)), charts.Series("Failed", tuple(bad))]
    failed = answer["usage"]["errors"]
    return Plot(
        id="over-time",
        title="Requests over time",
        summary=f"{numbers.exact(answer['usage']['requests'])} requests, {numbers.exact(failed)} failed.",
        specification=charts.series(buckets, lines, shape="bars", granularity=drawn),
        table=Table(
            "over-time-table", "Requests over time, newest first", columns, rows[::-1], file="key-use"
        ),
        api=api,
        is_empty=not points,
    )


def _errors_cell(count: int, url: str) -> Cell:
    return replace(count_cell(count), url=url if count else "")


def _endpoints(
    found: list[dict[str, Any]],
    caller: Caller,
    sort: Sorting,
    ways: _Ways,
    here: To,
    lacks: Counter[str],
) -> Table:
    figures = {**_READ, "cost": lambda one: known_cost(one["cost"], lacks[one["endpoint"] or ""])}
    shown, pages = paged(ranked(found, figures[sort.by], descending=sort.descending), sort, here)
    heads = {"requests": "Requests", "errors": "Error rate", **_LATENCIES, "cost": f"Cost, {caller.currency}"}
    columns = [
        sortable("Endpoint", "name", sort, here, rising=True),
        *(sortable(head, name, sort, here) for name, head in heads.items()),
    ]
    rows = [
        [
            _endpoint(one["endpoint"], ways),
            count_cell(one["requests"]),
            _error_rate(one, ways),
            *(latency_cell(one[f"{name}LatencyMs"]) for name in _LATENCIES),
            money_cell(one["cost"], lacks[one["endpoint"] or ""]),
        ]
        for one in shown
    ]
    return Table(
        "endpoints", "Use by endpoint", columns, rows, pages=pages, file="key-endpoints", stacks=True
    )


def _endpoint(name: str | None, ways: _Ways) -> Cell:
    return Cell(name or UNNAMED, value=name or "", url=ways.of(**saying("endpoint", name or "")))


def _error_rate(one: dict[str, Any], ways: _Ways) -> Cell:
    url = ways.of(**saying("endpoint", one["endpoint"] or ""), status="error") if one["errors"] else ""
    return Cell(PERCENT.short(one["errorRate"]), value=str(one["errorRate"]), url=url, is_number=True)


def _counts(name: str, caption: str, head: str, found: Mapping[str, int], ways: _Ways) -> Table:
    most = max(found.values(), default=0)
    what = {"codes": "statusCode", "kinds": "errorType"}[name]
    rows = [
        [
            Cell(key, url=ways.of(status="error", **saying(what, "" if key == UNKNOWN else key))),
            Cell(numbers.exact(count), value=str(count), share=f"{count / most * 100:.1f}", is_number=True),
        ]
        for key, count in found.items()
    ]
    columns = [Column(head), Column("Errors", is_number=True)]
    return Table(name, caption, columns, rows, "No errors.", file=f"key-errors-{name}")
