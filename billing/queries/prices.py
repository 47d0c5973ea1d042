"""Reading prices: those that hold at a moment, and why a record costs what it does."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time
from enum import StrEnum
from typing import Any, Final

from django.db import connection

from billing.book.services import rates_of
from billing.book.versions import Reduction, Version, deepest
from billing.models import Discount, Price
from billing.rating import Line, Rate, Usage, cost, lines
from billing.rating.meters import CACHED_PROMPT, COMPLETION, PROMPT
from usage.queries.records import StoredRecord

_HOLDING: Final = """
SELECT DISTINCT ON (provider, model, tier, daily_from, daily_until)
       id, provider, model, tier, daily_from, daily_until, effective_from FROM billing_price
 WHERE (organization_id = %(organization)s OR organization_id IS NULL) AND currency = %(currency)s
   AND effective_from <= %(at)s AND (effective_until IS NULL OR effective_until > %(at)s){filters}
 ORDER BY provider, model, tier, daily_from NULLS FIRST, daily_until, organization_id NULLS LAST,
       effective_from DESC, id DESC
"""
_PAGE: Final = (
    "WITH holding AS ({holding}) SELECT (SELECT count(*) FROM holding),"
    " ARRAY(SELECT holding.id FROM holding LEFT JOIN billing_rate AS rate"
    " ON rate.price_id = holding.id AND rate.meter = %(sort)s AND rate.above = 0"
    " ORDER BY {order} provider, model, tier, daily_from NULLS FIRST, daily_until"
    " LIMIT %(limit)s OFFSET %(offset)s)"
)
_RATE: Final = ("rate.amount_nanos::numeric / rate.per",)
_SORTS: Final = {
    "model": ("provider", "model"),
    "tier": ("tier",),
    PROMPT: _RATE,
    CACHED_PROMPT: _RATE,
    COMPLETION: _RATE,
    "effectiveFrom": ("effective_from",),
}
SORTS: Final = tuple(_SORTS)
"""What prices can stand in order of; what is equal, by their names."""

_MODELS: Final = (
    "SELECT DISTINCT provider, model FROM billing_price"
    " WHERE (organization_id = %(organization)s OR organization_id IS NULL) AND currency = %(currency)s"
    " AND effective_from <= %(at)s AND (effective_until IS NULL OR effective_until > %(at)s) AND model <> ''"
    " ORDER BY provider, model"
)


@dataclass(frozen=True, slots=True)
class PriceQuery:
    """The prices that hold for an organization at a moment, in its currency; filters are exact.

    ``search`` is looked for in names, whatever the case; ``own`` leaves out what is the list's. ``sort`` is
    one of `SORTS`; a price without such a rate comes last.
    """

    organization_id: int
    currency: str
    at: datetime
    limit: int
    offset: int
    provider: str | None = None
    model: str | None = None
    tier: str | None = None
    search: str | None = None
    own: bool = False
    sort: str = "model"
    descending: bool = False


@dataclass(frozen=True, slots=True)
class PriceTerms:
    """A price with its rates, and the discount that its organization has on it.

    Units: ``discount_bp`` hundredths of a percent.
    """

    id: int
    own: bool
    provider: str
    model: str
    tier: str
    currency: str
    effective_from: datetime
    effective_until: datetime | None
    daily_from: time | None
    daily_until: time | None
    source: str
    rates: tuple[Rate, ...]
    discount_bp: int


class Basis(StrEnum):
    """What a record's cost comes from."""

    REPORTED = "reported"
    PRICE = "price"
    ADJUSTMENT = "adjustment"
    UNPRICED = "unpriced"


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a record costs what it does: the price and, by its rates, the lines that add up to the cost."""

    basis: Basis
    cost_nanos: int | None
    price: PriceTerms | None = None
    lines: tuple[Line, ...] = ()


def find_prices(query: PriceQuery) -> tuple[list[PriceTerms], int]:
    """Return a page of the prices that hold, and how many there are.

    Tenancy: call in the tenant's scope.
    """
    given = {"provider": query.provider, "model": query.model, "tier": query.tier}
    filters = "".join(f" AND {name} = %({name})s" for name, value in given.items() if value is not None)
    if query.search is not None:
        filters += " AND position(lower(%(search)s) IN lower(provider || '/' || model)) > 0"
    if query.own:
        filters += " AND organization_id IS NOT NULL"
    params = {
        **given,
        "search": query.search,
        "organization": query.organization_id,
        "currency": query.currency,
        "at": query.at,
        "limit": query.limit,
        "offset": query.offset,
        "sort": query.sort,
    }
    page = _PAGE.format(holding=_HOLDING.format(filters=filters), order=_order(query))
    with connection.cursor() as cursor:
        cursor.execute(page, params)
        total, ids = cursor.fetchone() or (0, [])
    found = Price.objects.in_bulk(ids)
    reductions = _reductions(query.organization_id, before=None)
    rates = rates_of(ids)
    return [_terms(found[pk], rates.get(pk, ()), reductions, query.at) for pk in ids], int(total)


def _order(query: PriceQuery) -> str:
    """Return what prices stand in order of before all else."""
    direction = "DESC" if query.descending else "ASC"
    return "".join(f"{term} {direction} NULLS LAST, " for term in _SORTS[query.sort])


def priced_models(organization_id: int, currency: str, at: datetime) -> list[tuple[str, str]]:
    """Return the providers and models that have a price at a moment, by name.

    Tenancy: call in the tenant's scope.
    """
    params: dict[str, Any] = {"organization": organization_id, "currency": currency, "at": at}
    with connection.cursor() as cursor:
        cursor.execute(_MODELS, params)
        return [(provider, model) for provider, model in cursor.fetchall()]


def explain(organization_id: int, record: StoredRecord) -> Explanation:
    """Return why a record costs what it does.

    Tenancy: call in the tenant's scope.
    """
    adjusted = record.adjusted_created_at is not None
    cost_nanos = record.adjusted_cost_nanos if adjusted else record.cost_nanos
    price_id = record.adjusted_price_id if adjusted else record.price_id
    if cost_nanos is None:
        return Explanation(Basis.UNPRICED, None)
    price = None if price_id is None else Price.objects.filter(pk=price_id).first()
    if price is None:
        return Explanation(Basis.REPORTED, cost_nanos)
    used = _used(record)
    rated_at = record.adjusted_created_at if adjusted else record.created_at
    reductions = _reductions(organization_id, before=rated_at)
    terms = _terms(price, rates_of([price.pk]).get(price.pk, ()), reductions, record.occurred_at)
    sheet = _version(terms).sheet(terms.discount_bp)
    basis = Basis.ADJUSTMENT if adjusted else Basis.PRICE
    billed = lines(used, sheet) if cost(used, sheet) == cost_nanos else ()
    return Explanation(basis, cost_nanos, terms, billed)


def _used(record: StoredRecord) -> Usage:
    return Usage(
        record.prompt_tokens,
        record.completion_tokens,
        record.cached_prompt_tokens,
        record.cache_write_tokens,
        record.reasoning_tokens,
        record.quantities,
        record.succeeded,
    )


def _reductions(organization_id: int, *, before: datetime | None) -> list[Reduction]:
    found: Any = Discount.objects.filter(organization_id=organization_id)
    if before is not None:
        found = found.filter(created_at__lte=before)
    columns = ("id", "basis_points", "provider", "model", "effective_from", "effective_until")
    return [Reduction(*values) for values in found.values_list(*columns)]


def _terms(
    price: Price, rates: tuple[Rate, ...], reductions: Sequence[Reduction], at: datetime
) -> PriceTerms:
    terms = PriceTerms(
        id=price.pk,
        own=price.organization_id is not None,
        provider=price.provider,
        model=price.model,
        tier=price.tier,
        currency=price.currency,
        effective_from=price.effective_from,
        effective_until=price.effective_until,
        daily_from=price.daily_from,
        daily_until=price.daily_until,
        source=price.source,
        rates=rates,
        discount_bp=0,
    )
    reduction = None if terms.own else deepest(reductions, _version(terms), at)
    if reduction is None:
        return terms
    return replace(terms, discount_bp=reduction.basis_points)


def _version(terms: PriceTerms) -> Version:
    return Version(
        terms.id,
        terms.provider,
        terms.model,
        terms.tier,
        terms.effective_from,
        terms.effective_until,
        terms.daily_from,
        terms.daily_until,
        terms.rates,
        terms.own,
    )
