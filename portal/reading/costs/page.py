"""The Costs page in one call: sums of the windows that matter, days, and what caused them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from billing.queries.costs import Spans, spans
from core.moments import format_moment
from core.periods import Period
from organizations.tenancy import Caller
from portal import measures, times
from portal.figures import Card, card
from portal.filters import Filters
from portal.kinds import NOTHING
from portal.measures import COST
from portal.plots import Plot
from portal.reading.asking import Asker, keys_of, question_address
from portal.reading.costs.causes import COLUMNS, DIMENSIONS, Beside, Unpriced, beside, causes, unpriced
from portal.reading.costs.over_time import exactly, over_time
from portal.reading.costs.places import Places
from portal.reading.days import Daily
from portal.reading.ranking import Names, standings
from portal.tables import Cell, Column, Sorting, Table
from usage import reading
from usage.queries.rollups import Group

UNPRICED_PANEL: Final = "#unpriced-title"
"""Where the page tells what has no price."""

To = Callable[..., str]


@dataclass(frozen=True, slots=True)
class CostsPage:
    """Everything on the page."""

    cards: list[Card]
    against: str | None
    windows: Table
    over_time: Plot
    causes: Table
    causes_api: str
    beside: list[Beside]
    unpriced: Unpriced | None
    api: str


@dataclass(frozen=True, slots=True)
class _Window:
    """A stretch of time whose cost stands on a card."""

    name: str
    label: str
    period: Period
    meaning: str


def read(
    caller: Caller, filters: Filters, now: datetime, *, by: str, shape: str, sort: Sorting, to: To, here: To
) -> CostsPage:
    """Read the page; ``here`` makes addresses of this page as it is filtered.

    Tenancy: call in the tenant's scope.
    """
    asker, places = Asker(caller, filters), Places(filters, caller.currency, to)
    names = Names.of(keys_of())
    found = {name: asker.by(facet, COLUMNS) for name, (facet, _) in DIMENSIONS.items()}
    facet = DIMENSIONS[by][0]
    ranked = standings(asker, facet, found[by], (COST,), COST, names)
    current = asker.total(COLUMNS, filters.period) or NOTHING
    before = asker.total(COLUMNS, filters.before)
    windows = _windows(spans(now, filters.zone, reading.history_of(caller, now)))
    sums = [asker.total((COST,), window.period) or NOTHING for window in windows]
    daily = Daily.of(asker, (COST,), now)
    return CostsPage(
        cards=_cards(current, before, windows, sums, places),
        against=None if filters.before is None else times.days(filters.before, filters.zone),
        windows=_windows_table(windows, sums, places),
        over_time=over_time(asker, ranked, daily, now, shape, by, places),
        causes=causes(found[by], by, names, sort, here, places),
        causes_api=question_address(filters, COLUMNS, "total", facet),
        beside=[beside(found[name], name, names, here, places) for name in DIMENSIONS if name != by],
        unpriced=unpriced(found["model"], names, places),
        api=question_address(filters, COLUMNS, "total"),
    )


def _windows(named: Spans) -> list[_Window]:
    return [
        _Window("rolling", "Last 7 days", named.rolling, "the window of a rolling spend limit"),
        _Window("month", "Month to date", named.month_to_date, "from the start of the month until now"),
        _Window("period", "Billing period", named.billing_period, "including records dated slightly ahead"),
    ]


def _cards(
    current: Group,
    before: Group | None,
    windows: Sequence[_Window],
    sums: Sequence[Group],
    places: Places,
) -> list[Card]:
    currency = places.currency
    chosen = card(
        COST, current, before, [], currency, is_main=True, url=places.records(), note=places.filters.said
    )
    beside = [
        Card(
            name=window.name,
            label=window.label,
            short=COST.short(group),
            exact=COST.exact(group),
            unit=currency,
            meaning=window.meaning,
            is_main=place < 2,
            url=places.within(window.period),
        )
        for place, (window, group) in enumerate(zip(windows, sums, strict=True))
    ]
    # The logs have no filter by price: the panel of what has none has its parts.
    ways = {measures.UNPRICED: UNPRICED_PANEL} if measures.UNPRICED.number(current) else {}
    rest = (measures.REQUESTS, measures.PER_MILLION_TOKENS, measures.UNPRICED)
    return [
        chosen,
        *beside,
        *(card(one, current, before, [], currency, url=ways.get(one, places.records())) for one in rest),
    ]


def _windows_table(windows: Sequence[_Window], sums: Sequence[Group], places: Places) -> Table:
    tz = places.filters.zone
    rows = [
        [
            Cell(window.label, url=places.within(window.period)),
            Cell(times.minute(window.period.start, tz), value=format_moment(window.period.start)),
            Cell(times.minute(window.period.end, tz), value=format_moment(window.period.end)),
            exactly(COST, group),
        ]
        for window, group in zip(windows, sums, strict=True)
    ]
    columns = [
        Column("Window"),
        Column("From"),
        Column("To"),
        Column(f"Cost, {places.currency}", is_number=True),
    ]
    return Table(
        "windows", "Up to now, regardless of the date range", columns, rows, file="cost-windows", stacks=True
    )
