"""What the Usage logs show: records as the API answers them, a page at a time, and one in full."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from django.http import QueryDict
from django.urls import reverse

from core.moments import format_moment, parse_moment
from core.money import parse_money
from core.paging import CURSOR_PARAMS
from core.params import Params
from organizations.models import Credential
from organizations.roles import Scope
from organizations.tenancy import Caller
from portal import numbers, times
from portal.filters import Filters
from portal.measures import MILLISECONDS, NONE
from portal.reading import record_cost
from portal.reading.facts import Fact
from portal.reading.record_cost import RecordCost
from portal.tables import Cell, Column, Table
from portal.timeline import Timeline, of_api
from usage.links import LINKS
from usage.listing import one_record, record_page
from usage.queries.records import find_record
from usage.schema import RECORD_FILTERS

PAGE_SIZE: Final = 50
MOMENTS: Final = ("since", "before")
"""The filters that cut the bar's days off to the moment: where the first begins, where the last ends."""
LABELS: Final = {
    "endpoint": "Endpoint",
    "provider": "Provider",
    "statusCode": "Status code",
    "errorType": "Error type",
}
"""The filters that are written into the form beside the bar, and what they are called."""
OWN: Final = (
    "type", "endpoint", "provider", "status", "statusCode", "errorType", "missing", "createdAt", *LINKS,
)  # fmt: skip
"""The filters beside those of every page and `MOMENTS`."""
_ACCEPTED: Final = (*RECORD_FILTERS, "from", "to", *CURSOR_PARAMS)
_COLUMNS: Final = (
    Column("Type"),
    Column("API key"),
    Column("Model"),
    Column("Status"),
    Column("Tokens", is_number=True),
    Column("Latency", is_number=True),
)

To = Callable[..., str]


@dataclass(frozen=True, slots=True)
class LogsPage:
    """A page of records; ``following`` is the cursor to go on from, if there are more."""

    table: Table
    api: str
    following: str | None


@dataclass(frozen=True, slots=True)
class RecordPage:
    """A record in full: what happened, what it took, what it cost, and what it belongs to."""

    id: str
    happened: list[Fact]
    took: list[Fact]
    cost: list[Fact]
    lines: Table | None
    cost_api: str
    belongs: list[Fact]
    meta: list[Fact]
    api: str


def read(
    caller: Caller,
    filters: Filters,
    own: Mapping[str, str],
    now: datetime,
    *,
    line: Timeline,
    to: To,
) -> LogsPage:
    """Read a page of records; ``own`` are the page's filters beside the bar's.

    Raises: `Problem` 400 or 404 naming a parameter.
    Tenancy: call in the tenant's scope.
    """
    also = {name: value for name, value in own.items() if name not in MOMENTS}
    asked = {**filters.of_api, **_cut(filters, own), **also, **of_api(line.page(PAGE_SIZE))}
    given = QueryDict(mutable=True)
    given.update(asked)
    items, following = record_page(Params(given, _ACCEPTED, deep=("meta",)), asked, caller, now)
    names = dict(Credential.objects.values_list("client_id", "name"))
    columns = [line.column(), *_COLUMNS, Column(f"Cost, {caller.currency}", is_number=True)]
    rows = [_row(item, names, filters, to) for item in items]
    return LogsPage(
        table=Table(
            "records",
            f"{filters.said}, {line.said.lower()}",
            columns,
            rows,
            "No records match these filters." if filters.what or own else "No records in this period.",
            file="usage-logs",
            stacks=True,
        ),
        api=f"{reverse('records')}?{given.urlencode()}",
        following=following,
    )


def _cut(filters: Filters, own: Mapping[str, str]) -> dict[str, str]:
    """Return the window as the page's moments cut it, at most empty."""
    since, before = (own.get(name) for name in MOMENTS)
    start = max(filters.period.start, parse_moment(since)) if since else filters.period.start
    end = min(filters.period.end, parse_moment(before)) if before else filters.period.end
    start = min(start, filters.period.end)
    return {"from": format_moment(start), "to": format_moment(max(start, end))}


def _row(item: dict[str, Any], names: Mapping[str, str], filters: Filters, to: To) -> list[Cell]:
    moment = parse_moment(item["timestamp"])
    tokens = item["tokens"]
    failed = item["status"] == "error"
    return [
        Cell(
            times.second(moment, filters.zone),
            value=item["timestamp"],
            exact=f"{item['timestamp']} · {item['id']}",
            url=to("record", item["id"]),
        ),
        Cell(item["type"]),
        Cell(names.get(item["clientId"], NONE), value=item["clientId"], exact=item["clientId"]),
        Cell(item["model"] or NONE, value=item["model"] or ""),
        Cell(
            str(item["statusCode"] or item["status"]),
            tone="bad" if failed else "good",
            exact=item["errorType"] or item["status"],
        ),
        _number(None if tokens is None else numbers.exact(tokens["total"])),
        _latency_cell(item["latencyMs"]),
        _cost_cell(item["cost"]),
    ]


def _number(text: str | None) -> Cell:
    return Cell(text or NONE, value=(text or "").replace(",", ""), is_number=True)


def _latency_cell(value: float | None) -> Cell:
    if value is None:
        return Cell(NONE, is_number=True)
    exact = _latency(value)
    plain = exact.replace(",", "").removesuffix(" ms")
    return Cell(MILLISECONDS.short(value), exact=exact, value=plain, is_number=True)


def _cost_cell(text: str | None) -> Cell:
    if text is None:
        return Cell(NONE, exact="Unpriced", is_number=True)
    exact = _money(text)
    short = numbers.short_money(parse_money(text))
    return Cell(short, exact=exact, value=exact.replace(",", ""), is_number=True)


def _latency(value: float) -> str:
    return MILLISECONDS.exact(value)


def _money(text: str) -> str:
    return numbers.exact_money(parse_money(text))


def read_one(caller: Caller, record_id: str, filters: Filters, now: datetime, to: To) -> RecordPage:
    """Read one record.

    Raises: `Problem` 404.
    Tenancy: call in the tenant's scope.
    """
    item = one_record(record_id, caller, now)
    why = _why(caller, record_id, to)
    names = dict(Credential.objects.values_list("client_id", "name"))
    return RecordPage(
        id=item["id"],
        happened=_happened(item, names, filters, to),
        took=_took(item),
        cost=[*(_cost(item) if why is None else why.facts), *_held(item)],
        lines=None if why is None else why.lines,
        cost_api="" if why is None else why.api,
        belongs=[_link(name, item[name], to) for name in LINKS if item[name] is not None],
        meta=[
            Fact(name, str(value), url=to("logs", range="90d", **{f"meta[{name}]": _scalar(value)}))
            for name, value in item["meta"].items()
        ],
        api=reverse("record", args=[item["id"]]),
    )


def _happened(item: dict[str, Any], names: Mapping[str, str], filters: Filters, to: To) -> list[Fact]:
    moment, kept = parse_moment(item["timestamp"]), parse_moment(item["createdAt"])
    found = [
        Fact("Time", times.second(moment, filters.zone), item["timestamp"]),
        Fact("Received", times.second(kept, filters.zone), item["createdAt"]),
        _same("Type", "type", item, to),
        Fact(
            "API key",
            names.get(item["clientId"], item["clientId"]),
            item["clientId"],
            to("usage", clientId=item["clientId"]),
        ),
        Fact("Status", item["status"], url=to("logs", status=item["status"])),
        *(
            _same(label, name, item, to)
            for label, name in (
                ("Endpoint", "endpoint"),
                ("Capability", "capability"),
                ("Model", "model"),
                ("Provider", "provider"),
                ("Status code", "statusCode"),
                ("Error type", "errorType"),
            )
            if item[name] is not None
        ),
    ]
    if item["latencyMs"] is not None:
        found.append(Fact("Latency", _latency(item["latencyMs"])))
    return found


def _same(label: str, name: str, item: dict[str, Any], to: To) -> Fact:
    return Fact(label, str(item[name]), url=to("logs", **{name: str(item[name])}))


_TOKENS: Final = {
    "prompt": "Prompt tokens",
    "completion": "Completion tokens",
    "total": "Total tokens",
    "cachedPrompt": "Cached prompt tokens",
    "cacheWrite": "Cache write tokens",
    "reasoning": "Reasoning tokens",
}


def _took(item: dict[str, Any]) -> list[Fact]:
    tokens = item["tokens"] or {}
    found = [Fact("Count", numbers.exact(item["count"]))]
    found += [
        Fact(label, numbers.exact(tokens[name]))
        for name, label in _TOKENS.items()
        if tokens.get(name) is not None
    ]
    found += [
        Fact(name, numbers.exact(Decimal(str(value)))) for name, value in sorted(item["quantities"].items())
    ]
    return found


def _why(caller: Caller, record_id: str, to: To) -> RecordCost | None:
    """Return how the cost came about, to who may see prices."""
    stored = find_record(caller.organization_id, record_id)
    if stored is None or Scope.BILLING_READ not in caller.scopes:
        return None
    return record_cost.read(caller, stored, to)


def _cost(item: dict[str, Any]) -> list[Fact]:
    if item["cost"] is None:
        return [Fact("Cost", "Unpriced", "No price matches this record.")]
    return [Fact("Cost", f"{_money(item['cost'])} {item['currency']}")]


def _held(item: dict[str, Any]) -> list[Fact]:
    if item["reservationId"] is None:
        return []
    return [Fact("Reservation", str(item["reservationId"]), is_code=True)]


def _link(name: str, value: str, to: To) -> Fact:
    return Fact(name, value, url=to("logs", range="90d", **{name: value}), is_code=True)


def _scalar(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
