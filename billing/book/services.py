"""Making prices and discounts, and ending them; nothing else of them ever changes."""

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from datetime import datetime, time

from billing.book.terms import Terms
from billing.models import Discount, Price, PriceRate
from billing.rating import Rate, Sheet
from core import clock
from core.problems import conflict, invalid_field, not_found
from organizations.models import Organization
from organizations.tenancy import Actor, system_scope, tenant_scope


def add_price(terms: Terms, *, organization_id: int | None = None, actor: Actor | None = None) -> Price:
    """Add a price to the list, or to an organization's own; it supersedes earlier ones from when it begins.

    Raises: `Problem` 422 without a rate, with two for the same meter and threshold, or in another currency
    than the organization's.
    """
    check_price(terms, organization_id=organization_id)
    with _scope(organization_id, actor):
        (price,) = add_prices([terms], organization_id=organization_id)
    return price


def check_price(terms: Terms, *, organization_id: int | None = None) -> None:
    """See that a price can be added.

    Raises: as `add_price`.
    """
    _check(terms)
    if organization_id is not None:
        with tenant_scope(organization_id):
            _check_currency(organization_id, terms.currency)


def add_prices(many: Sequence[Terms], *, organization_id: int | None = None) -> list[Price]:
    """Add prices that were checked.

    Tenancy: call in the scope of the organization, or of the system for the list.
    """
    now = clock.now()
    prices = Price.objects.bulk_create(
        [
            Price(
                organization_id=organization_id,
                provider=terms.provider,
                model=terms.model,
                tier=terms.tier,
                currency=terms.currency,
                effective_from=terms.effective_from,
                effective_until=terms.effective_until,
                daily_from=terms.daily_from,
                daily_until=terms.daily_until,
                source=terms.source,
                created_at=now,
            )
            for terms in many
        ],
        batch_size=1000,
    )
    rates = [
        PriceRate(
            price=price, meter=rate.meter, amount_nanos=rate.amount_nanos, per=rate.per, above=rate.above
        )
        for price, terms in zip(prices, many, strict=True)
        for rate in terms.rates
    ]
    PriceRate.objects.bulk_create(rates, batch_size=5000)
    return prices


def end_price(
    *,
    price_id: int,
    at: datetime | None = None,
    organization_id: int | None = None,
    actor: Actor | None = None,
) -> Price:
    """Let a price end, now unless another moment is given; what it superseded then holds again.

    Raises: `Problem` 404, 422 for a moment that is past, 409 for a price that has ended.
    """
    with _scope(organization_id, actor):
        price = Price.objects.select_for_update().filter(pk=price_id).first()
        if price is None or price.organization_id != organization_id:
            raise not_found(f"There is no price {price_id}.")
        _end(price, at)
        price.save(update_fields=["effective_until"])
    return price


def add_discount(
    *,
    organization_id: int,
    basis_points: int,
    provider: str = "",
    model: str = "",
    effective_from: datetime | None = None,
    effective_until: datetime | None = None,
    actor: Actor | None = None,
) -> Discount:
    """Give an organization a discount on the list, from now or later on.

    Units: ``basis_points`` hundredths of a percent.
    Raises: `Problem` 422.
    """
    now = clock.now()
    begins = effective_from or now
    if begins < now:
        raise invalid_field(
            "/effectiveFrom", "invalid", "A discount begins now or later: what was rated stays as it is."
        )
    if effective_until is not None and effective_until <= begins:
        raise invalid_field("/effectiveUntil", "invalid", "A discount ends after it begins.")
    if not 0 < basis_points <= 10_000:
        raise invalid_field(
            "/basisPoints", "invalid", "A discount is from 1 to 10000 hundredths of a percent."
        )
    with tenant_scope(organization_id, actor=actor):
        return Discount.objects.create(
            organization_id=organization_id,
            basis_points=basis_points,
            provider=provider,
            model=model,
            effective_from=begins,
            effective_until=effective_until,
            created_at=now,
        )


def end_discount(
    *, organization_id: int, discount_id: int, at: datetime | None = None, actor: Actor | None = None
) -> Discount:
    """Let a discount end, now unless another moment is given.

    Raises: `Problem` 404, 422 for a moment that is past, 409 for a discount that has ended.
    """
    with tenant_scope(organization_id, actor=actor):
        found = Discount.objects.select_for_update().filter(organization_id=organization_id, pk=discount_id)
        discount = found.first()
        if discount is None:
            raise not_found(f"There is no discount {discount_id}.")
        _end(discount, at)
        discount.save(update_fields=["effective_until"])
    return discount


def _end(what: Price | Discount, moment: datetime | None) -> None:
    now = clock.now()
    at = moment or now
    if what.effective_until is not None and what.effective_until <= now:
        raise conflict("It has ended.", code="price_ended")
    if at < now or at <= what.effective_from:
        raise invalid_field(
            "/effectiveUntil", "invalid", "It can end now or later, and not before it has begun."
        )
    what.effective_until = at


def _check(terms: Terms) -> None:
    if not terms.rates:
        raise invalid_field("/rates", "invalid", "A price needs a rate.")
    try:
        Sheet(0, terms.rates)
    except ValueError as error:
        raise invalid_field("/rates", "invalid", f"{error}.") from error
    check_end(terms.effective_from, terms.effective_until)
    check_hours(terms.daily_from, terms.daily_until)


def check_end(effective_from: datetime, effective_until: datetime | None) -> None:
    """See that a price holds for some time.

    Raises: `Problem` 422.
    """
    if effective_until is not None and effective_until <= effective_from:
        raise invalid_field("/effectiveUntil", "invalid", "A price ends after it begins.")


def check_hours(daily_from: time | None, daily_until: time | None) -> None:
    """See that a price's hours of the day, if it has any, are some; they may go across midnight.

    Raises: `Problem` 422.
    """
    if (daily_from is None) != (daily_until is None):
        raise invalid_field(
            "/dailyUntil", "invalid", "Hours of the day have a beginning and an end, or neither."
        )
    if daily_from is not None and daily_from == daily_until:
        raise invalid_field("/dailyUntil", "invalid", "Hours of the day end at another time than they begin.")


def _check_currency(organization_id: int, currency: str) -> None:
    own = Organization.objects.values_list("currency", flat=True).get(pk=organization_id)
    if own != currency:
        raise invalid_field(
            "/currency", "invalid", f"The organization pays in {own}; a price in {currency} never applies."
        )


def _scope(organization_id: int | None, actor: Actor | None) -> AbstractContextManager[None]:
    if organization_id is None:
        return system_scope(actor=actor)
    return tenant_scope(organization_id, actor=actor)


def rates_of(price_ids: Iterable[int]) -> dict[int, tuple[Rate, ...]]:
    """Return the rates of prices, by price."""
    found: dict[int, list[Rate]] = {}
    for each in PriceRate.objects.filter(price_id__in=list(price_ids)).order_by("id"):
        found.setdefault(each.price_id, []).append(Rate(each.meter, each.amount_nanos, each.per, each.above))
    return {price_id: tuple(rates) for price_id, rates in found.items()}
