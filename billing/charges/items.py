"""What can be charged, and sums of it. No database, no clock."""

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Final, NamedTuple

from billing.models import Basis
from billing.rating import Sheet, Used, lines
from billing.rating.meters import CHAINS, REQUESTS
from billing.rating.rates import Rate

_RANKS: Final = {meter: rank for rank, meter in enumerate(CHAINS)}

Part = tuple["Item", int | Decimal, int]
"""An item with how much of it was used and what that costs, in nanos."""


class Item(NamedTuple):
    """Something that is charged: by a rate of a price, or, without one, as it was reported.

    Empty text is what a record doesn't name.
    Units: ``rate_nanos`` nanos for ``per`` units, before a discount of ``discount_bp`` 1/10,000.
    """

    provider: str
    model: str
    tier: str
    basis: str
    price_id: int | None
    discount_bp: int
    meter: str
    above: int
    rate_nanos: int | None
    per: int | None

    @property
    def order(self) -> tuple[object, ...]:
        """Where it stands in a list: by who served it, then by price, wholes before their parts."""
        price = (self.basis, self.price_id or 0, self.discount_bp)
        meter = (_RANKS.get(self.meter, len(_RANKS)), self.meter, self.above)
        return (self.provider, self.model, self.tier, *price, *meter, self.rate_nanos or 0, self.per or 0)


class Names(NamedTuple):
    """What a record says of who served it."""

    provider: str
    model: str
    tier: str


class Sums(dict[Item, list[int | Decimal]]):
    """Quantity and cost of each item, added up.

    Units: the second is nanos.
    """

    def add(self, parts: Iterable[Part]) -> None:
        """Add what a record is made up of."""
        for item, quantity, cost_nanos in parts:
            held = self.get(item)
            if held is None:
                self[item] = [quantity, cost_nanos]
            else:
                held[0] += quantity
                held[1] += cost_nanos

    def parts(self) -> Iterator[Part]:
        """Yield the items in their order."""
        for item in sorted(self, key=lambda item: item.order):
            quantity, cost_nanos = self[item]
            yield item, quantity, int(cost_nanos)

    @property
    def cost_nanos(self) -> int:
        """What all of it costs."""
        return sum(int(cost) for _, cost in self.values())


class Divider:
    """Divides the costs of records among items."""

    def __init__(self) -> None:
        self._rated: dict[tuple[Names, int, int, Rate], Item] = {}

    def divide(self, used: Used, names: Names, cost_nanos: int, sheet: Sheet) -> list[Part]:
        """Return what a record's cost is made up of, by the sheet it was rated with.

        Nothing where the sheet comes to something else: what a record costs is for the record to say.
        """
        found = lines(used, sheet)
        if sum(line.cost_nanos for line in found) != cost_nanos:
            return []
        return [(self._item(names, sheet, line.rate), line.quantity, line.cost_nanos) for line in found]

    def _item(self, names: Names, sheet: Sheet, rate: Rate) -> Item:
        key = (names, sheet.price_id, sheet.discount_bp, rate)
        item = self._rated.get(key)
        if item is None:
            item = self._rated[key] = Item(
                *names,
                Basis.RATED.value,
                sheet.price_id,
                sheet.discount_bp,
                rate.meter,
                rate.above,
                rate.amount_nanos,
                rate.per,
            )
        return item


def whole(names: Names, cost_nanos: int, price_id: int | None) -> Part:
    """Return a record's cost as one part: reported by the client, or by a price and no longer divisible."""
    basis = Basis.REPORTED if price_id is None else Basis.WHOLE
    return Item(*names, basis.value, price_id, 0, REQUESTS, 0, None, None), 1, cost_nanos
