"""A charge in the terms of FOCUS. No database, no clock.

``BilledCost`` and ``EffectiveCost`` are what was charged, to the nano. ``ListCost`` and ``ContractedCost``
are unit price times quantity, as FOCUS wants them: each record's cost is rounded to a nano, these are not.

Source: FOCUS 1.4 and 1.2, Cost and Usage.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Context, Decimal
from typing import Any, Final

from billing.charges import Item
from billing.invoices.shown import label
from billing.models import Basis
from billing.rating.meters import CHAINS
from core.money import PLACES
from core.periods import Period
from usage.exports.columns import Column, Kind

_STEP: Final = Decimal(1).scaleb(-2 * PLACES)
_EXACT: Final = Context(prec=76)
_BASIS_POINTS: Final = 10_000
UNNAMED: Final = "Unnamed model"


@dataclass(frozen=True, slots=True)
class Account:
    """Who is charged, and by whom."""

    id: str
    name: str
    currency: str
    issuer: str


@dataclass(frozen=True, slots=True)
class SubAccount:
    """The credential that used it."""

    client_id: str
    name: str
    environment: str


@dataclass(frozen=True, slots=True)
class Charge:
    """What one item came to on one day for one credential.

    ``invoice`` is the number of the month's invoice, where it has one.
    Units: ``cost_nanos`` nanos.
    """

    account: Account
    sub_account: SubAccount
    day: Period
    month: Period
    invoice: str | None
    item: Item
    quantity: int | Decimal
    cost_nanos: int

    @property
    def is_rated(self) -> bool:
        """Whether it was charged by a rate, not as a whole."""
        return self.item.basis == Basis.RATED

    @property
    def list_unit_price(self) -> Decimal:
        """What a unit costs before the discount."""
        return self._unit_price(_BASIS_POINTS)

    @property
    def contracted_unit_price(self) -> Decimal:
        """What a unit costs after the discount."""
        return self._unit_price(_BASIS_POINTS - self.item.discount_bp)

    @property
    def unit(self) -> str:
        """In what the quantity is."""
        if self.item.meter in CHAINS:
            return "Tokens"
        named = label(self.item.meter)
        return named if named[0].isalpha() else "Units"

    def times(self, unit_price: Decimal) -> Decimal:
        """Return what the quantity comes to at a unit price."""
        if not self.is_rated:
            return Decimal(self.cost_nanos).scaleb(-PLACES)
        return _EXACT.multiply(unit_price, Decimal(self.quantity)).quantize(_STEP, context=_EXACT)

    def _unit_price(self, kept: int) -> Decimal:
        if self.item.rate_nanos is None or self.item.per is None:
            return _quotient(self.cost_nanos, self.quantity)
        return _quotient(self.item.rate_nanos * kept, self.item.per * _BASIS_POINTS)


def _quotient(nanos: int, units: int | Decimal) -> Decimal:
    """Return an amount by the unit, rounded to as many places as a column has."""
    exact = _EXACT.divide(Decimal(nanos).scaleb(-PLACES), Decimal(units))
    return exact.quantize(_STEP, context=_EXACT)


Reader = Callable[[Charge], Any]


def _always(value: str | None) -> Reader:
    """Return what reads the same of every charge."""
    return lambda _: value


def _description(charge: Charge) -> str:
    item = charge.item
    what = label(item.meter) if charge.is_rated else "Requests, each at a cost of its own"
    above = f", requests over {item.above:,}" if item.above else ""
    return f"{what} of {item.model or UNNAMED}{above}"


def _sku(charge: Charge) -> str:
    named = (charge.item.provider, charge.item.model, charge.item.tier)
    return "/".join(part for part in named if part) or UNNAMED


def _sku_price(charge: Charge) -> str:
    if not charge.is_rated:
        return charge.item.basis
    return f"{charge.item.price_id}/{charge.item.meter}/{charge.item.above}"


def _details(charge: Charge) -> str:
    item = charge.item
    details = {"x_above": item.above, "x_discountBasisPoints": item.discount_bp, "x_per": item.per}
    return json.dumps(details)


_COMMON: Final[Mapping[str, tuple[Kind, Reader]]] = {
    "BilledCost": (Kind.MONEY, lambda c: c.cost_nanos),
    "BillingAccountId": (Kind.TEXT, lambda c: c.account.id),
    "BillingAccountName": (Kind.TEXT, lambda c: c.account.name),
    "BillingCurrency": (Kind.TEXT, lambda c: c.account.currency),
    "BillingPeriodEnd": (Kind.MOMENT, lambda c: c.month.end),
    "BillingPeriodStart": (Kind.MOMENT, lambda c: c.month.start),
    "ChargeCategory": (Kind.TEXT, _always("Usage")),
    "ChargeClass": (Kind.TEXT, _always(None)),
    "ChargeDescription": (Kind.TEXT, _description),
    "ChargeFrequency": (Kind.TEXT, _always("Usage-Based")),
    "ChargePeriodEnd": (Kind.MOMENT, lambda c: c.day.end),
    "ChargePeriodStart": (Kind.MOMENT, lambda c: c.day.start),
    "ConsumedQuantity": (Kind.DECIMAL, lambda c: Decimal(c.quantity)),
    "ConsumedUnit": (Kind.TEXT, lambda c: c.unit),
    "ContractedCost": (Kind.DECIMAL, lambda c: c.times(c.contracted_unit_price)),
    "ContractedUnitPrice": (Kind.DECIMAL, lambda c: c.contracted_unit_price),
    "EffectiveCost": (Kind.MONEY, lambda c: c.cost_nanos),
    "InvoiceId": (Kind.TEXT, lambda c: c.invoice),
    "InvoiceIssuerName": (Kind.TEXT, lambda c: c.account.issuer),
    "ListCost": (Kind.DECIMAL, lambda c: c.times(c.list_unit_price)),
    "ListUnitPrice": (Kind.DECIMAL, lambda c: c.list_unit_price),
    "PricingCategory": (Kind.TEXT, lambda c: "Standard" if c.is_rated else "Other"),
    "PricingQuantity": (Kind.DECIMAL, lambda c: Decimal(c.quantity)),
    "PricingUnit": (Kind.TEXT, lambda c: c.unit),
    "ServiceCategory": (Kind.TEXT, _always("AI and Machine Learning")),
    "ServiceName": (Kind.TEXT, lambda c: c.item.model or UNNAMED),
    "ServiceSubcategory": (Kind.TEXT, _always("Generative AI")),
    "SkuId": (Kind.TEXT, _sku),
    "SkuMeter": (Kind.TEXT, lambda c: label(c.item.meter)),
    "SkuPriceDetails": (Kind.JSON, _details),
    "SkuPriceId": (Kind.TEXT, _sku_price),
    "SubAccountId": (Kind.TEXT, lambda c: c.sub_account.client_id),
    "SubAccountName": (Kind.TEXT, lambda c: c.sub_account.name),
    "SubAccountType": (Kind.TEXT, _always("API key")),
    "Tags": (Kind.JSON, lambda c: json.dumps({"environment": c.sub_account.environment})),
}
_OF_1_4: Final[Mapping[str, tuple[Kind, Reader]]] = {
    "HostProviderName": (Kind.TEXT, lambda c: c.item.provider or c.account.issuer),
    "ServiceProviderName": (Kind.TEXT, lambda c: c.item.provider or c.account.issuer),
}
_OF_1_2: Final[Mapping[str, tuple[Kind, Reader]]] = {
    "BillingAccountType": (Kind.TEXT, _always("Organization")),
    "ProviderName": (Kind.TEXT, lambda c: c.item.provider or c.account.issuer),
    "PublisherName": (Kind.TEXT, lambda c: c.item.provider or c.account.issuer),
}
VERSIONS: Final = {"1.4": {**_COMMON, **_OF_1_4}, "1.2": {**_COMMON, **_OF_1_2}}
"""What each version's columns hold, and how it is read of a charge."""
_SUMMED: Final = frozenset({"BilledCost"})


def columns(version: str) -> tuple[Column, ...]:
    """Return the columns of a version, by name."""
    readers = VERSIONS[version]
    return tuple(Column(name, readers[name][0], summed=name in _SUMMED) for name in sorted(readers))


def row(charge: Charge, version: str) -> tuple[Any, ...]:
    """Return a charge's values in the order of the columns."""
    readers = VERSIONS[version]
    return tuple(readers[name][1](charge) for name in sorted(readers))
