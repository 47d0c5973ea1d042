"""How the cost of a record came about: the version of the price, and what each of its rates billed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from django.urls import reverse

from billing.invoices.shown import label
from billing.queries.prices import Basis, Explanation, PriceTerms, explain
from billing.rating import Line
from core.periods import zone
from organizations.tenancy import Caller
from portal import numbers, times
from portal.reading import prices
from portal.reading.facts import Fact
from portal.tables import Cell, Column, Table
from usage.queries.records import StoredRecord
from usage.tiers import Tier

_SAID: Final = {
    Basis.REPORTED: ("Reported", "The cost was sent with the record."),
    Basis.PRICE: ("Price book", "The price in force when the request happened."),
    Basis.ADJUSTMENT: ("Price book, repriced", "No price was available when the record arrived."),
    Basis.UNPRICED: ("Unpriced", "No price matches this record. It is not included in totals."),
}

To = Callable[..., str]


@dataclass(frozen=True, slots=True)
class RecordCost:
    """Why a record costs what it does; ``lines`` is None where no rates made its cost up."""

    facts: list[Fact]
    lines: Table | None
    api: str


def read(caller: Caller, record: StoredRecord, to: To) -> RecordCost:
    """Return how a record's cost came about.

    Tenancy: call in the tenant's scope.
    """
    why = explain(caller.organization_id, record)
    return RecordCost(
        facts=list(_facts(why, record, caller, to)),
        lines=_lines(why, caller) if why.lines else None,
        api=reverse("record-cost", args=[record.id]),
    )


def _facts(why: Explanation, record: StoredRecord, caller: Caller, to: To) -> Iterator[Fact]:
    said, note = _SAID[why.basis]
    if why.cost_nanos is not None:
        yield Fact("Cost", f"{numbers.exact_money(why.cost_nanos)} {caller.currency}")
    yield Fact("Pricing", said, note)
    if record.adjusted_created_at is not None:
        yield Fact("Repriced", times.second(record.adjusted_created_at, zone(caller.timezone)))
    if why.price is not None:
        yield from _price(why.price, record, caller, to)


def _price(price: PriceTerms, record: StoredRecord, caller: Caller, to: To) -> Iterator[Fact]:
    address = to("prices", search=f"{price.provider}/{price.model}" if price.provider else price.model)
    yield Fact("Price", prices.named(price.provider, price.model), prices.whose(price), address)
    yield Fact("Version", str(price.id), prices.in_force(price, caller), is_code=True)
    tier = Tier(price.tier)
    asked = record.service_tier or Tier.STANDARD.value
    other = "" if asked == tier else f"The request was served as {asked}, which has no separate price."
    yield Fact("Tier", str(tier.label), other)
    if within := prices.hours(price):
        yield Fact("Hours", within)
    if bought := prices.discount(price.discount_bp):
        yield Fact("Discount", bought)


def _lines(why: Explanation, caller: Caller) -> Table:
    columns = [
        Column("Item"),
        Column("Quantity", is_number=True),
        Column(f"Rate, {caller.currency}", is_number=True),
        Column(f"Cost, {caller.currency}", is_number=True),
    ]
    discounted = why.price is not None and why.price.discount_bp
    caption = "By rate, after the discount" if discounted else "By rate"
    rows = [_line(line) for line in why.lines]
    return Table("cost-lines", caption, columns, rows, file="record-cost", stacks=True)


def _line(line: Line) -> list[Cell]:
    exact = numbers.exact_money(line.cost_nanos)
    return [
        Cell(label(line.meter), value=line.meter, note=prices.above(line.rate)),
        _number(numbers.exact(line.quantity)),
        Cell(prices.rate(line.rate), is_number=True),
        _number(exact),
    ]


def _number(text: str) -> Cell:
    return Cell(text, value=text.replace(",", ""), is_number=True)
