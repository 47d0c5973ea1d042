"""What the pages of API keys show: the use of all of them, and of one, as the API answers it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.http import QueryDict
from django.urls import reverse

from core.moments import parse_moment
from core.money import parse_money
from core.params import Params
from core.periods import Granularity, Period, zone
from organizations.tenancy import Caller
from portal import numbers, times
from portal.measures import MILLISECONDS, NONE, PERCENT, is_unpriced, lacking
from portal.reading.asking import keys_of
from portal.tables import Cell, Column, Sorting, Table, paged, ranked, sortable
from usage.key_use import PARAMS, key_use
from usage.queries.facets import Facet
from usage.queries.keys import unpriced
from usage.queries.totals import Subject

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
PEAKED: Final = ("1h", "24h", "7d", "30d")
"""The timeframes whose busiest minutes are looked for: it takes going through all of their minutes."""
PEAK: Final = "most requests in one minute"
SORTS: Final = ("name", "requests", "errors", "latency", "cost", "lastUsed")

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


def read(caller: Caller, timeframe: str, now: datetime, *, sort: Sorting, to: To, here: To) -> KeysPage:
    """Read the use of all keys.

    Tenancy: call in the tenant's scope.
    """
    answer, api = ask(caller, timeframe, now)
    lacks = _unpriced(answer, caller)
    figures = {**_READ, "cost": lambda key: known_cost(key["cost"], lacks[key["keyId"]])}
    keys = ranked(answer["usage"]["keys"], figures[sort.by], descending=sort.descending)
    shown, pages = paged(keys, sort, here)
    heads = {"requests": "Requests", "errors": "Error rate", "latency": "Average latency"}
    columns = [
        sortable("API key", "name", sort, here, rising=True),
        *(sortable(label, name, sort, here) for name, label in heads.items()),
        Column("p95", is_number=True),
        *([Column("Peak RPM", is_number=True, meaning=PEAK)] if timeframe in PEAKED else []),
        sortable(f"Cost, {caller.currency}", "cost", sort, here),
        sortable("Last used", "lastUsed", sort, here, is_number=False),
    ]
    rows = [_row(key, caller, timeframe, to, lacks[key["keyId"]]) for key in shown]
    return KeysPage(
        table=Table(
            "keys",
            TIMEFRAMES[timeframe],
            columns,
            rows,
            "No API keys yet.",
            pages,
            "api-keys",
            stacks=True,
        ),
        advice=advice_of(answer, timeframe, to),
        said=period_said(answer, caller),
        api=api,
    )


def ask(caller: Caller, timeframe: str, now: datetime, **more: str) -> tuple[dict[str, Any], str]:
    """Return what the API answers, and at which address it does."""
    given = QueryDict(mutable=True)
    given.update({"timeframe": timeframe, "granularity": GRANULARITIES[timeframe].value, **more})
    if timeframe in PEAKED:
        given["includePeak"] = "true"
    answer = key_use(Params(given, PARAMS), caller, now)
    return answer, f"{reverse('usage-keys')}?{given.urlencode()}"


_READ: Final[dict[str, Callable[[dict[str, Any]], Any]]] = {
    "name": lambda key: key["name"].lower(),
    "requests": lambda key: key["requests"],
    "errors": lambda key: key["errorRate"],
    "latency": lambda key: key["latency"]["average"],
    "lastUsed": lambda key: key["lastUsedAt"],
}


def known_cost(text: str, lacks: int) -> int | None:
    """Return a cost as the API writes it, which lacks so many requests; None where it is unknown.

    Units: nanos.
    """
    nanos = parse_money(text)
    return None if is_unpriced(nanos, lacks) else nanos


def _unpriced(answer: dict[str, Any], caller: Caller) -> Counter[str]:
    """Return how many requests of each key have no price, by its client ID."""
    subject = Subject(caller.organization_id, caller.rollup_timezone)
    found = unpriced(subject, period_of(answer), Facet.CLIENT)
    names = {key.pk: key.client_id for key in keys_of()} if found else {}
    return Counter({names[group.values[0]]: group.sums["unpriced"] for group in found})


def _row(key: dict[str, Any], caller: Caller, timeframe: str, to: To, lacks: int) -> list[Cell]:
    note = f"{key['keyId']} · {key['environment']}" + (" · revoked" if key["revokedAt"] else "")
    own = {} if timeframe == DEFAULT_TIMEFRAME else {"timeframe": timeframe}
    return [
        Cell(key["name"], value=key["keyId"], note=note, url=to("key", key["keyId"], **own)),
        count_cell(key["requests"]),
        Cell(PERCENT.short(key["errorRate"]), value=str(key["errorRate"]), is_number=True),
        latency_cell(key["latency"]["average"]),
        latency_cell(key["latency"]["p95"]),
        *([count_cell(key["peakRpm"])] if key["peakRpm"] is not None else []),
        money_cell(key["cost"], lacks),
        Cell(moment_said(key["lastUsedAt"], caller), value=key["lastUsedAt"] or ""),
    ]


def count_cell(number: int) -> Cell:
    """Return the cell of a number, shortened, with the exact one at hand."""
    return Cell(numbers.short(number), exact=numbers.exact(number), value=str(number), is_number=True)


def latency_cell(value: float | None) -> Cell:
    """Return the cell of a latency in milliseconds, or of none."""
    if value is None:
        return Cell(NONE, is_number=True)
    return Cell(MILLISECONDS.short(value), exact=MILLISECONDS.exact(value), value=str(value), is_number=True)


def money_cell(text: str, lacks: int) -> Cell:
    """Return the cell of a cost as the API writes it, which lacks so many requests."""
    nanos, note = known_cost(text, lacks), lacking(lacks)
    if nanos is None:
        return Cell(NONE, value=NONE, note=note, is_number=True)
    short, exact = numbers.short_money(nanos), numbers.exact_money(nanos)
    return Cell(short, exact=exact, value=text, note=note, is_number=True)


def moment_said(text: str | None, caller: Caller) -> str:
    """Return a moment in the organization's zone, or that there was none."""
    return "Never" if text is None else times.minute(parse_moment(text), zone(caller.timezone))


def period_of(answer: dict[str, Any]) -> Period:
    """Return the window of an answer."""
    return Period(*(parse_moment(answer["period"][name]) for name in ("from", "to")))


def period_said(answer: dict[str, Any], caller: Caller) -> str:
    """Say from when to when, in the organization's zone."""
    tz, window = zone(caller.timezone), period_of(answer)
    said = f"{times.minute(window.start, tz)} – {times.minute(window.end, tz)}"
    return f"{said}, times in {times.zone_label(tz, window.end)}"


_TONES: Final = {"critical": "bad", "warning": "warn", "info": ""}


def advice_of(answer: dict[str, Any], timeframe: str, to: To) -> list[Advice]:
    """Return what is worth telling of the keys in an answer."""
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
