"""Bringing the book up to date with a price list: what changed is superseded, and nothing else."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from fractions import Fraction

from django.db import connection

from billing.book.services import add_prices, rates_of
from billing.book.terms import FIRST, Key, Terms
from billing.models import Price
from billing.pricelists.listing import Listing, rate
from billing.rating import Rate
from core import clock
from organizations.tenancy import Actor, system_scope


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did, in prices: one a model, tier and hours.

    ``gone`` are those that the list no longer has: they stay in the book, since calls may still need them.
    """

    added: int
    changed: int
    kept: int
    gone: int
    listing: Listing


def import_listing(
    listing: Listing,
    *,
    source: str,
    currency: str,
    since: datetime | None = None,
    exchange_rate: Decimal | None = None,
) -> Imported:
    """Put a price list into the book.

    A model that is new to it is priced from its first price on, so that what is there already can be; one
    whose price has changed from now on; with ``since`` both from then on. The amounts are of ``currency``, or
    become so by the ``exchange_rate``. Prices of other sources and of organizations are left alone.
    Concurrency: imports take turns; one that is interrupted has done nothing.
    """
    now = clock.now()
    wanted = _by_key([_converted(terms, currency, exchange_rate) for terms in listing.prices])
    with system_scope(actor=Actor(kind="system", job="import_prices")):
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended('import prices', 0))")
        stored = _by_key(_stored(source, currency))
        new = {key: _starting(versions, since) for key, versions in wanted.items() if key not in stored}
        changed = {
            key: terms
            for key, versions in wanted.items()
            if key in stored and (terms := _changes(stored[key], versions, since or now, now))
        }
        models = {key[:2] for key in wanted}
        missing = [key for key in stored if key not in wanted]
        withdrawn = [key for key in missing if key[:2] in models]
        ended = _end(source, currency, withdrawn, now)
        add_prices([terms for group in (new, changed) for versions in group.values() for terms in versions])
    same = len(wanted) - len(new) - len(changed)
    return Imported(len(new), len(changed) + ended, same, len(missing) - len(withdrawn), listing)


def _by_key(prices: Sequence[Terms]) -> dict[Key, list[Terms]]:
    found: dict[Key, list[Terms]] = defaultdict(list)
    for terms in sorted(prices, key=lambda terms: terms.effective_from):
        found[terms.key].append(terms)
    return dict(found)


def _stored(source: str, currency: str) -> list[Terms]:
    prices = Price.objects.filter(organization=None, source=source, currency=currency).order_by("id")
    known = rates_of(price.pk for price in prices)
    return [
        Terms(
            rates=known.get(price.pk, ()),
            effective_from=price.effective_from,
            provider=price.provider,
            model=price.model,
            tier=price.tier,
            currency=price.currency,
            daily_from=price.daily_from,
            daily_until=price.daily_until,
            effective_until=price.effective_until,
            source=price.source,
        )
        for price in prices
    ]


def _starting(versions: Sequence[Terms], since: datetime | None) -> list[Terms]:
    """Return the versions as they are for a model that is new: from ``since`` on, or from the beginning."""
    if since is None:
        return [replace(versions[0], effective_from=min(FIRST, versions[0].effective_from)), *versions[1:]]
    later = [terms for terms in versions if terms.effective_from > since]
    first = _at(versions, since) or versions[0]
    return [replace(first, effective_from=since), *later]


def _changes(stored: Sequence[Terms], wanted: Sequence[Terms], since: datetime, now: datetime) -> list[Terms]:
    """Return the versions that make the book say what the list does, now and at each change to come."""
    moments = {terms.effective_from for terms in (*stored, *wanted) if terms.effective_from > now} | {since}
    found: list[Terms] = []
    for moment in sorted(moments):
        price = _at(wanted, moment)
        if price is not None and not _same(_at((*stored, *found), moment), price):
            found.append(replace(price, effective_from=moment))
    return found


def _at(versions: Sequence[Terms], moment: datetime) -> Terms | None:
    """Return the last version that holds at a moment; of two that begin together the later in the list."""
    standing = [
        terms
        for terms in versions
        if terms.effective_from <= moment
        and (terms.effective_until is None or moment < terms.effective_until)
    ]
    # A sort keeps the order of those that begin together.
    return sorted(standing, key=lambda terms: terms.effective_from)[-1] if standing else None


def _same(one: Terms | None, other: Terms) -> bool:
    return one is not None and _amounts(one.rates) == _amounts(other.rates)


def _amounts(rates: Sequence[Rate]) -> dict[tuple[str, int], Fraction]:
    return {(each.meter, each.above): Fraction(each.amount_nanos, each.per) for each in rates}


def _end(source: str, currency: str, keys: Sequence[Key], now: datetime) -> int:
    """End the prices of tiers and hours that the list no longer has of models that it has."""
    ended = 0
    for provider, model, tier, daily_from, daily_until in keys:
        ended += Price.objects.filter(
            organization=None,
            source=source,
            currency=currency,
            provider=provider,
            model=model,
            tier=tier,
            daily_from=daily_from,
            daily_until=daily_until,
            effective_from__lt=now,
            effective_until=None,
        ).update(effective_until=now)
    return ended


def _converted(terms: Terms, currency: str, exchange_rate: Decimal | None) -> Terms:
    if exchange_rate is None:
        return replace(terms, currency=currency)
    return replace(terms, currency=currency, rates=tuple(_times(each, exchange_rate) for each in terms.rates))


def _times(each: Rate, exchange_rate: Decimal) -> Rate:
    return rate(each.meter, Decimal(each.amount_nanos).scaleb(-9) * exchange_rate, each.per, each.above)
