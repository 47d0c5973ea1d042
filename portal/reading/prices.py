"""What the Prices page shows, and how a price and its rates are written."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Final

from django.http import QueryDict
from django.urls import reverse

from billing.book.terms import FIRST
from billing.invoices.shown import label
from billing.models import Source
from billing.queries.prices import PriceQuery, PriceTerms, find_prices
from billing.rating import Rate
from billing.rating.meters import CACHED_PROMPT, CHAINS, COMPLETION, PROMPT
from core.moments import format_moment
from core.periods import zone
from organizations.tenancy import Caller
from portal import numbers, times
from portal.measures import NONE
from portal.tables import PAGE_SIZE, Cell, Column, Sorting, Table, ordered, sortable, turned
from usage.tiers import Tier

ANY_PROVIDER: Final = "Any provider"
NO_MODEL: Final = "Requests without a model"
MILLION: Final = 1_000_000
_MAIN: Final = (PROMPT, CACHED_PROMPT, COMPLETION)
_HEADS: Final = dict(zip(_MAIN, ("Prompt", "Cached prompt", "Completion"), strict=True))

To = Callable[..., str]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which prices are looked for."""

    search: str
    tier: str
    own: bool
    sort: Sorting


@dataclass(frozen=True, slots=True)
class PricesPage:
    """A page of the prices that hold."""

    table: Table
    said: str
    api: str


def read(caller: Caller, wanted: Wanted, now: datetime, here: To) -> PricesPage:
    """Read a page of prices.

    Tenancy: call in the tenant's scope.
    """
    sort = wanted.sort
    query = PriceQuery(
        caller.organization_id,
        caller.currency,
        now,
        PAGE_SIZE,
        0,
        tier=wanted.tier or None,
        search=wanted.search or None,
        own=wanted.own,
        sort=sort.by,
        descending=sort.descending,
    )
    found = turned(lambda offset: find_prices(replace(query, offset=offset)), sort.page, ordered(sort, here))
    table = Table(
        "prices",
        f"{_said(sort)}, in {caller.currency}, before any discount",
        _columns(caller, sort, here),
        [_row(terms, caller) for terms in found.rows],
        "No prices match these filters.",
        found.pages,
        "prices",
        stacks=True,
    )
    said = f"{numbers.exact(found.total)} {'price' if found.total == 1 else 'prices'} in force"
    return PricesPage(table, said, _api(wanted, now, (found.number - 1) * PAGE_SIZE))


def _said(sort: Sorting) -> str:
    """Say in which order the prices stand."""
    if sort.by in _HEADS:
        return f"By {_HEADS[sort.by].lower()} rate, {'highest' if sort.descending else 'lowest'} first"
    names = {"model": "By provider and model", "tier": "By tier", "effectiveFrom": "By beginning"}
    return f"{names[sort.by]}{', descending' if sort.descending else ''}"


def _columns(caller: Caller, sort: Sorting, here: To) -> list[Column]:
    rates = [
        sortable(
            f"{head}, {caller.currency} per 1M",
            meter,
            sort,
            here,
            rising=True,
            is_number=True,
            meaning="per million tokens",
        )
        for meter, head in _HEADS.items()
    ]
    return [
        sortable("Model", "model", sort, here, rising=True),
        sortable("Tier", "tier", sort, here, rising=True),
        *rates,
        Column("Other rates"),
        Column("Discount", is_number=True),
        sortable("In force", "effectiveFrom", sort, here, rising=True),
    ]


def named(provider: str, model: str) -> str:
    """Return what a price is for."""
    return f"{provider or ANY_PROVIDER} / {model or NO_MODEL}"


def rate(one: Rate) -> str:
    """Write a rate: ``3.00 per 1,000,000``."""
    if one.meter in CHAINS:
        return f"{numbers.exact_money(_per_million(one))} per {numbers.exact(MILLION)}"
    amount = numbers.exact_money(one.amount_nanos)
    return amount if one.per == 1 else f"{amount} per {numbers.exact(one.per)}"


def above(one: Rate) -> str:
    """Write from when on a rate holds; nothing for one that always does."""
    return f"above {numbers.exact(one.above)} prompt tokens" if one.above else ""


def discount(basis_points: int) -> str:
    """Write a discount."""
    return f"−{numbers.exact(Decimal(basis_points) / 100)}%" if basis_points else ""


def in_force(terms: PriceTerms, caller: Caller) -> str:
    """Write from when until when a price holds."""
    tz = zone(caller.timezone)
    start = times.day(terms.effective_from.astimezone(tz).date())
    if terms.effective_from <= FIRST:
        start = "the beginning"
    if terms.effective_until is None:
        return f"since {start}"
    return f"{start} to {times.minute(terms.effective_until, tz)}"


def hours(terms: PriceTerms) -> str:
    """Write in which hours of the day a price holds; nothing for all of them."""
    if terms.daily_from is None or terms.daily_until is None:
        return ""
    return f"{terms.daily_from:%H:%M} to {terms.daily_until:%H:%M} UTC"


def whose(terms: PriceTerms) -> str:
    """Say where a price comes from."""
    if terms.own:
        return "Custom price"
    return "List" if terms.source == Source.MANUAL else f"{Source(terms.source).label} list"


def _row(terms: PriceTerms, caller: Caller) -> list[Cell]:
    main = {one.meter: one for one in terms.rates if one.meter in _MAIN and not one.above}
    rest = [one for one in terms.rates if one.meter not in _MAIN or one.above]
    bought = discount(terms.discount_bp)
    return [
        Cell(
            terms.model or NO_MODEL,
            value=f"{terms.provider}/{terms.model}",
            note=f"{terms.provider or ANY_PROVIDER} · {whose(terms)}",
        ),
        Cell(str(Tier(terms.tier).label), value=terms.tier, note=hours(terms)),
        *(_amount(main.get(meter)) for meter in _MAIN),
        Cell("" if rest else NONE, note="; ".join(_others(rest))),
        Cell(bought or NONE, value=f"{Decimal(terms.discount_bp) / 100:.2f}", is_number=True),
        Cell(in_force(terms, caller), value=format_moment(terms.effective_from)),
    ]


def _amount(one: Rate | None) -> Cell:
    if one is None:
        return Cell(NONE, is_number=True)
    exact = numbers.exact_money(_per_million(one))
    return Cell(exact, value=exact.replace(",", ""), is_number=True)


def _per_million(one: Rate) -> int:
    return int(Decimal(one.amount_nanos) * MILLION / one.per)


def _others(rates: Iterable[Rate]) -> list[str]:
    """Write rates in little room, those of each threshold together; of tokens they are for a million."""
    by_threshold: dict[int, list[Rate]] = {}
    for one in rates:
        by_threshold.setdefault(one.above, []).append(one)
    found = []
    for threshold in sorted(by_threshold):
        each = ", ".join(_briefly(one) for one in by_threshold[threshold])
        found.append(f"{above(by_threshold[threshold][0])}: {each}" if threshold else each)
    return found


def _briefly(one: Rate) -> str:
    name = label(one.meter).removesuffix(" tokens").lower()
    return f"{name} {numbers.exact_money(_per_million(one)) if one.meter in CHAINS else rate(one)}"


def _api(wanted: Wanted, now: datetime, offset: int) -> str:
    query = QueryDict(mutable=True)
    given = {
        "search": wanted.search,
        "tier": wanted.tier,
        "own": "true" if wanted.own else "",
        "at": format_moment(now),
        "sort": wanted.sort.by,
        "order": "desc" if wanted.sort.descending else "asc",
        "limit": str(PAGE_SIZE),
        "offset": str(offset),
    }
    query.update({name: value for name, value in given.items() if value})
    return f"{reverse('prices')}?{query.urlencode()}"
