"""Reading the book: its number, the list, and what is an organization's own."""

from datetime import datetime, time
from typing import Any

from django.db import connection

from billing.book.versions import Reduction, Version
from billing.models import Discount
from billing.rating import Rate
from organizations.tenancy import tenant_scope

_PRICES = """
SELECT p.id, p.provider, p.model, p.tier, p.effective_from, p.effective_until, p.daily_from, p.daily_until,
       array_agg(r.meter ORDER BY r.id), array_agg(r.amount_nanos ORDER BY r.id),
       array_agg(r.per ORDER BY r.id), array_agg(r.above ORDER BY r.id)
  FROM billing_price AS p LEFT JOIN billing_rate AS r ON r.price_id = p.id
 WHERE p.organization_id IS NOT DISTINCT FROM %s AND p.currency = %s
 GROUP BY p.id
"""
_DISCOUNT = ("id", "basis_points", "provider", "model", "effective_from", "effective_until")


def version_number() -> int:
    """Return the number of the book's present state."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT version FROM billing_book")
        (number,) = cursor.fetchone() or (0,)
    return int(number)


def listed(organization_id: int, currency: str) -> list[Version]:
    """Return the list in a currency.

    Tenancy: any organization may read it; it is read in the scope of the one that asks.
    """
    with tenant_scope(organization_id):
        return _versions(None, currency)


def own(organization_id: int, currency: str) -> tuple[list[Version], list[Reduction]]:
    """Return an organization's own prices and discounts."""
    with tenant_scope(organization_id):
        discounts = Discount.objects.filter(organization_id=organization_id).values_list(*_DISCOUNT)
        return _versions(organization_id, currency), [Reduction(*each) for each in discounts]


def _versions(organization_id: int | None, currency: str) -> list[Version]:
    with connection.cursor() as cursor:
        cursor.execute(_PRICES, [organization_id, currency])
        return [_version(row, own=organization_id is not None) for row in cursor.fetchall()]


def _version(row: tuple[Any, ...], *, own: bool) -> Version:
    price: tuple[int, str, str, str, datetime, datetime | None, time | None, time | None] = row[:8]
    rates = zip(*row[8:], strict=True) if row[8][0] is not None else ()
    return Version(*price, tuple(Rate(*rate) for rate in rates), own)
