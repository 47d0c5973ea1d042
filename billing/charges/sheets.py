"""The sheets that records were rated with, found again by their prices."""

from datetime import datetime

from billing.book.services import rates_of
from billing.book.versions import Reduction, Version, deepest
from billing.models import Discount, Price
from billing.rating import Sheet

_DISCOUNT = ("id", "basis_points", "provider", "model", "effective_from", "effective_until")


class Sheets:
    """Sheets by price and moment, for one organization.

    Tenancy: make and use it in the tenant's scope.
    """

    def __init__(self, organization_id: int) -> None:
        discounts = Discount.objects.filter(organization_id=organization_id).values_list(*_DISCOUNT)
        self._reductions = [Reduction(*each) for each in discounts]
        self._versions: dict[int, Version | None] = {}

    def sheet(self, price_id: int | None, at: datetime) -> Sheet | None:
        """Return what a price said of calls at a moment; None without a price."""
        if price_id is None:
            return None
        if price_id not in self._versions:
            self._versions[price_id] = _version(price_id)
        version = self._versions[price_id]
        if version is None:
            return None
        reduction = None if version.own else deepest(self._reductions, version, at)
        return version.sheet(reduction.basis_points if reduction else 0)


def _version(price_id: int) -> Version | None:
    price = Price.objects.filter(pk=price_id).first()
    if price is None:
        return None
    return Version(
        price.pk,
        price.provider,
        price.model,
        price.tier,
        price.effective_from,
        price.effective_until,
        price.daily_from,
        price.daily_until,
        rates_of([price_id]).get(price_id, ()),
        price.organization_id is not None,
    )
