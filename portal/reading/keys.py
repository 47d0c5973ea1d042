"""What the pages of API keys show: the use of all of them, and of one, as the API answers it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.http import QueryDict
from django.urls import reverse

from core.moments import parse_moment
from core.money import parse_money
from core.params import Params
from core.periods import Granularity, next_bucket, zone
from organizations.models import Credential
from organizations.tenancy import Caller
from portal import charts, numbers, times
from portal.figures import Card
from portal.measures import MILLISECONDS, NONE, PERCENT
from portal.plots import Plot
from portal.tables import Cell, Column, Sorting, Table, paged, sortable
from usage.key_use import PARAMS, key_use

TIMEFRAMES: Final = {
    "1h": "Last hour",
    "24h": "Last 24 hours",
    "7d": "Last 7 days",
    "30d": "Last 30 days",
    "90d": "Last 90 days",
    "1y": "Last year",
    "all": "All time",
}
DEFAULT_TIMEFRAME: Final = "30d"
GRANULARITIES: Final = {
    "1h": Granularity.MINUTE,
    "24h": Granularity.HOUR,
    "7d": Granularity.HOUR,
    "30d": Granularity.DAY,
    "90d": Granularity.DAY,
    "1y": Granularity.WEEK,
    "all": Granularity.MONTH,
}
SORTS: Final = ("name", "requests", "errors", "latency", "cost", "lastUsed")
_MOST_ENDPOINTS: Final = 1000

To = Callable[..., str]


@dataclass(frozen=True, slots=True)
class Advice:
    """Something worth telling of a key; ``tone`` says how grave it is."""

    tone: str
    severity: str
    message: str
    recommendation: str
    url: str


@dataclass(frozen=True, slots=True)
class KeysPage:
    """All keys with their use, and what is worth telling of them."""

    table: Table
    advice: list[Advice]
    said: str
    api: str


@dataclass(frozen=True, slots=True)
class Limit:
    """How much of its rate limit a key has used."""

    limit: str
    used: int
    most: int
    peak: str
    resets: str


@dataclass(frozen=True, slots=True)
class KeyPage:
    """One key's use."""

    cards: list[Card]
    limit: Limit | None
    last_used: str
    over_time: Plot
    endpoints: Table
    codes: Table
    kinds: Table
    advice: list[Advice]
    said: str
    api: str
    is_quiet: bool


def read(caller: Caller, timeframe: str, now: datetime, *, sort: Sorting, to: To, here: To) -> KeysPage:
    """Read the use of all keys.

    Tenancy: call in the tenant's scope.
    """
    answer, api = _ask(caller, timeframe, now)
    limits = {one["keyId"]: one for one in answer["rateLimits"]}
    ranked = _sorted(answer["usage"]["keys"], sort)
    shown, pages = paged(ranked, sort, here)
    heads = {"requests": "Requests", "errors": "Error rate", "latency": "Average latency"}
    columns = [
        sortable("API key", "name", sort, here, rising=True),
        *(sortable(label, name, sort, here) for name, label in heads.items()),
        Column("p95", is_number=True),
        Column("Peak a minute", is_number=True, meaning="the most requests in a minute, of those allowed"),
        sortable(f"Cost, {caller.currency}", "cost", sort, here),
        sortable("Last used", "lastUsed", sort, here, is_number=False),
    ]
    rows = [_row(key, limits.get(key["keyId"]), caller, timeframe, to) for key in shown]
    return KeysPage(
        table=Table("keys", TIMEFRAMES[timeframe], columns, rows, "There is no key yet.", pages, "api-keys"),
        advice=_advice(answer, timeframe, to),
        said=_said(answer, caller),
        api=api,
    )


def read_one(caller: Caller, credential: Credential, timeframe: str, now: datetime, to: To) -> KeyPage:
    """Read the use of one key.

    Tenancy: call in the tenant's scope.
    """
    answer, api = _ask(caller, timeframe, now, keyId=credential.client_id, limit=str(_MOST_ENDPOINTS))
    key = next(iter(answer["usage"]["keys"]), None)
    limit = next(iter(answer["rateLimits"]), None)
    last = None if key is None else key["lastUsedAt"]
    errors = answer["errors"]
    return KeyPage(
        cards=_cards(answer["usage"], caller),
        limit=None if limit is None else _limit(limit, caller),
        last_used=_moment(last, caller),
        over_time=_over_time(answer, caller, timeframe, now, api),
        endpoints=_endpoints(answer["endpoints"], caller, credential, to),
        codes=_counts("codes", "Most errors of a status first", "Status", errors["byStatusCode"]),
        kinds=_counts("kinds", "Most errors of a type first", "Type", errors["byType"]),
        advice=_advice(answer, timeframe, to),
        said=_said(answer, caller),
        api=api,
        is_quiet=not answer["usage"]["requests"],
    )


def _ask(caller: Caller, timeframe: str, now: datetime, **more: str) -> tuple[dict[str, Any], str]:
    """Return what the API answers, and at which address it does."""
    given = QueryDict(mutable=True)
    given.update({"timeframe": timeframe, "granularity": GRANULARITIES[timeframe].value, **more})
    answer = key_use(Params(given, PARAMS), caller, now)
    return answer, f"{reverse('usage-keys')}?{given.urlencode()}"


def _sorted(keys: list[dict[str, Any]], sort: Sorting) -> list[dict[str, Any]]:
    readers: dict[str, Callable[[dict[str, Any]], Any]] = {
        "name": lambda key: key["name"].lower(),
        "requests": lambda key: key["requests"],
        "errors": lambda key: key["errorRate"],
        "latency": lambda key: key["latency"]["average"],
        "cost": lambda key: parse_money(key["cost"]),
        "lastUsed": lambda key: key["lastUsedAt"],
    }
    read_ = readers[sort.by]
    known = [key for key in keys if read_(key) is not None]
    rest = [key for key in keys if read_(key) is None]
    return sorted(known, key=read_, reverse=sort.descending) + rest


def _row(
    key: dict[str, Any], limit: Mapping[str, Any] | None, caller: Caller, timeframe: str, to: To
) -> list[Cell]:
    note = f"{key['keyId']} · {key['environment']}" + (" · revoked" if key["revokedAt"] else "")
    own = {} if timeframe == DEFAULT_TIMEFRAME else {"timeframe": timeframe}
    peak = NONE if limit is None else f"{limit['peakPerMinute']:,} of {limit['limit']:,}"
    return [
        Cell(key["name"], value=key["keyId"], note=note, url=to("key", key["keyId"], **own)),
        _count(key["requests"]),
        Cell(PERCENT.short(key["errorRate"]), value=str(key["errorRate"]), is_number=True),
        _latency(key["latency"]["average"]),
        _latency(key["latency"]["p95"]),
        Cell(peak, value="" if limit is None else str(limit["peakPerMinute"]), is_number=True),
        _money(key["cost"]),
        Cell(_moment(key["lastUsedAt"], caller), value=key["lastUsedAt"] or ""),
    ]


def _count(number: int) -> Cell:
    return Cell(numbers.short(number), exact=numbers.exact(number), value=str(number), is_number=True)


def _latency(value: float | None) -> Cell:
    if value is None:
        return Cell(NONE, is_number=True)
    return Cell(MILLISECONDS.short(value), exact=MILLISECONDS.exact(value), value=str(value), is_number=True)


def _money(text: str) -> Cell:
    nanos = parse_money(text)
    return Cell(numbers.short_money(nanos), exact=numbers.exact_money(nanos), value=text, is_number=True)


def _moment(text: str | None, caller: Caller) -> str:
    return "Never" if text is None else times.minute(parse_moment(text), zone(caller.timezone))


def _said(answer: dict[str, Any], caller: Caller) -> str:
    """Say from when to when, in the organization's zone."""
    tz = zone(caller.timezone)
    start, end = (parse_moment(answer["period"][name]) for name in ("from", "to"))
    return f"{times.minute(start, tz)} – {times.minute(end, tz)}, times in {times.zone_label(tz, end)}"


_TONES: Final = {"critical": "bad", "warning": "warn", "info": ""}


def _advice(answer: dict[str, Any], timeframe: str, to: To) -> list[Advice]:
    own = {} if timeframe == DEFAULT_TIMEFRAME else {"timeframe": timeframe}
    return [
        Advice(
            _TONES[one["severity"]],
            one["severity"].capitalize(),
            one["message"],
            one["recommendation"],
            to("key", one["keyId"], **own),
        )
        for one in answer["alerts"]
    ]


def _cards(usage: dict[str, Any], caller: Caller) -> list[Card]:
    latency, cost = usage["latency"], parse_money(usage["cost"])
    cards = [
        Card("requests", "Requests", numbers.short(usage["requests"]), numbers.exact(usage["requests"])),
        Card("errors", "Errors", numbers.short(usage["errors"]), numbers.exact(usage["errors"])),
        Card(
            "error-rate", "Error rate", PERCENT.short(usage["errorRate"]), PERCENT.exact(usage["errorRate"])
        ),
        Card("tokens", "Tokens", numbers.short(usage["tokens"]), numbers.exact(usage["tokens"])),
        Card("cost", "Cost", numbers.short_money(cost), numbers.exact_money(cost), unit=caller.currency),
    ]
    labels = {"average": "Average latency", "p50": "p50", "p95": "p95", "p99": "p99"}
    for name, label in labels.items():
        value = latency[name]
        texts = (NONE, NONE) if value is None else (MILLISECONDS.short(value), MILLISECONDS.exact(value))
        cards.append(Card(f"latency-{name}", label, *texts))
    return cards


def _limit(limit: dict[str, Any], caller: Caller) -> Limit:
    resets = parse_moment(limit["resetAt"])
    return Limit(
        limit=f"{limit['limit']:,}",
        used=limit["used"],
        most=limit["limit"],
        peak=f"{limit['peakPerMinute']:,}",
        resets=times.clock(resets, zone(caller.timezone)),
    )


def _over_time(answer: dict[str, Any], caller: Caller, timeframe: str, now: datetime, api: str) -> Plot:
    tz, granularity = zone(caller.timezone), GRANULARITIES[timeframe]
    points = answer["timeSeries"]
    buckets, good, bad, rows = [], [], [], []
    for point in points:
        start = parse_moment(point["timestamp"])
        end = next_bucket(start, granularity, tz)
        label = times.minute(start, tz) if end - start < timedelta(hours=2) else times.days_of(start, end, tz)
        said = (numbers.exact(point["requests"] - point["errors"]), numbers.exact(point["errors"]))
        walls = [moment.astimezone(tz).replace(tzinfo=None).isoformat() + "Z" for moment in (start, end)]
        buckets.append(charts.Bucket(walls[0], walls[1], label, said, partial=now < end))
        good.append(float(point["requests"] - point["errors"]))
        bad.append(float(point["errors"]))
        rows.append(
            [
                Cell(label, value=point["timestamp"]),
                _count(point["requests"]),
                _count(point["errors"]),
                _count(point["tokens"]),
                _money(point["cost"]),
                _latency(point["averageLatencyMs"]),
            ]
        )
    heads = ("Requests", "Errors", "Tokens", f"Cost, {caller.currency}", "Average latency")
    columns = [Column("When"), *(Column(head, is_number=True) for head in heads)]
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


def _endpoints(found: list[dict[str, Any]], caller: Caller, credential: Credential, to: To) -> Table:
    heads = ("Requests", "Error rate", "Average", "p50", "p95", "p99", f"Cost, {caller.currency}")
    columns = [Column("Endpoint"), *(Column(head, is_number=True) for head in heads)]
    rows = [
        [
            _endpoint(one["endpoint"], credential, to),
            _count(one["requests"]),
            Cell(PERCENT.short(one["errorRate"]), value=str(one["errorRate"]), is_number=True),
            *(_latency(one[f"{name}LatencyMs"]) for name in ("average", "p50", "p95", "p99")),
            _money(one["cost"]),
        ]
        for one in found
    ]
    return Table("endpoints", "Endpoints with most requests first", columns, rows, file="key-endpoints")


def _endpoint(name: str | None, credential: Credential, to: To) -> Cell:
    if name is None:
        return Cell("(none)")
    return Cell(name, value=name, url=to("logs", clientId=credential.client_id, endpoint=name))


def _counts(name: str, caption: str, head: str, found: Mapping[str, int]) -> Table:
    most = max(found.values(), default=0)
    rows = [
        [
            Cell(key),
            Cell(numbers.exact(count), value=str(count), share=f"{count / most * 100:.1f}", is_number=True),
        ]
        for key, count in found.items()
    ]
    columns = [Column(head), Column("Errors", is_number=True)]
    return Table(name, caption, columns, rows, "No errors.", file=f"key-errors-{name}")
