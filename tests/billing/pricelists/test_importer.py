"""A price list comes into the book, again and again."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine

from billing.book.services import add_price
from billing.book.terms import FIRST, Terms
from billing.models import Price, PriceRate
from billing.pricelists.importer import Imported, import_listing
from billing.pricelists.listing import Listing, Unusable, rate
from billing.rating import Rate
from organizations.tenancy import system_scope
from tests.usage.factories import NOW, Tenant

pytestmark = pytest.mark.django_db
SOURCE = "genai-prices"


@pytest.fixture(autouse=True)
def _clock(stopped_clock: time_machine.Traveller) -> time_machine.Traveller:
    """Everything here begins at `NOW`."""
    return stopped_clock


def terms(prompt: int = 1, *, since: datetime = FIRST, **fields: Any) -> Terms:
    named: dict[str, Any] = {"provider": "openai", "model": "large", "source": SOURCE, **fields}
    return Terms(rates=(Rate("prompt", prompt, 1),), effective_from=since, **named)


def bring(*prices: Terms, **options: Any) -> tuple[int, int, int, int]:
    done: Imported = import_listing(Listing(list(prices)), source=SOURCE, currency="USD", **options)
    return done.added, done.changed, done.kept, done.gone


def book() -> list[tuple[str, str, datetime, int]]:
    with system_scope():
        rates = PriceRate.objects.select_related("price").order_by("price_id")
        return [
            (rate.price.model, rate.price.tier, rate.price.effective_from, rate.amount_nanos)
            for rate in rates
        ]


def test_a_new_model_is_priced_from_the_beginning_and_a_second_run_changes_nothing() -> None:
    later = NOW - timedelta(days=30)
    wanted = (terms(1), terms(2, since=later), terms(3, model="small", since=later))
    assert bring(*wanted) == (2, 0, 0, 0)
    kept = [("large", "standard", FIRST, 1), ("large", "standard", later, 2), ("small", "standard", FIRST, 3)]
    assert book() == kept
    assert bring(*wanted) == (0, 0, 2, 0)
    assert book() == kept


def test_a_changed_price_holds_from_now_on(stopped_clock: time_machine.Traveller) -> None:
    bring(terms(1), terms(7, model="small"))
    stopped_clock.move_to(NOW + timedelta(days=1))
    assert bring(terms(2), terms(7, model="small")) == (0, 1, 1, 0)
    assert book()[-1] == ("large", "standard", NOW + timedelta(days=1), 2)
    assert len(book()) == 3


def test_a_price_that_is_written_otherwise_is_the_same() -> None:
    bring(terms(1))
    same = replace(terms(), rates=(Rate("prompt", 10, 10),))
    assert bring(same) == (0, 0, 1, 0)


def test_a_change_to_come_is_taken_over_and_taken_back() -> None:
    ahead = NOW + timedelta(days=10)
    bring(terms(1))
    assert bring(terms(1), terms(2, since=ahead)) == (0, 1, 0, 0)
    assert bring(terms(1), terms(2, since=ahead)) == (0, 0, 1, 0)
    assert bring(terms(1)) == (0, 1, 0, 0)
    assert book() == [
        ("large", "standard", FIRST, 1),
        ("large", "standard", ahead, 2),
        ("large", "standard", ahead, 1),
    ]
    assert bring(terms(1)) == (0, 0, 1, 0)


def test_a_model_that_is_no_longer_listed_keeps_its_price() -> None:
    bring(terms(1), terms(2, model="small"))
    assert bring(terms(1)) == (0, 0, 1, 1)
    assert len(book()) == 2


def test_a_tier_or_hours_that_a_listed_model_no_longer_has_end_now(
    stopped_clock: time_machine.Traveller,
) -> None:
    night = terms(3, daily_from=time(1), daily_until=time(4))
    bring(terms(1), terms(2, tier="batch"), night)
    stopped_clock.move_to(NOW + timedelta(days=1))
    assert bring(terms(1)) == (0, 2, 1, 0)
    with system_scope():
        ended = Price.objects.exclude(effective_until=None)
        assert {(price.tier, price.effective_until) for price in ended} == {
            ("batch", NOW + timedelta(days=1)),
            ("standard", NOW + timedelta(days=1)),
        }


def test_prices_begin_when_they_are_told_to() -> None:
    since = NOW - timedelta(days=5)
    assert bring(terms(1), terms(2, since=NOW - timedelta(days=9)), since=since) == (1, 0, 0, 0)
    assert book() == [("large", "standard", since, 2)]


def test_prices_of_other_sources_and_of_organizations_are_left_alone(acme: Tenant) -> None:
    own = add_price(terms(5, source="manual"), organization_id=acme.id)
    manual = add_price(terms(6, source="manual"))
    bring(terms(1))
    bring(terms(2))
    with system_scope():
        assert set(Price.objects.filter(effective_until=None, source="manual")) == {own, manual}
    assert len(book()) == 4


def test_amounts_become_the_currencys_exactly() -> None:
    done = import_listing(Listing([terms(3)]), source=SOURCE, currency="EUR", exchange_rate=Decimal("0.9237"))
    assert done.added == 1
    with system_scope():
        (made,) = PriceRate.objects.select_related("price")
    assert (made.price.currency, made.amount_nanos, made.per) == ("EUR", 27711, 10_000)


@pytest.mark.parametrize(
    ("amount", "per", "expected"),
    [
        ("2.5", 1_000_000, Rate("prompt", 2_500_000_000, 1_000_000)),
        ("0.00000000015", 1, Rate("prompt", 15, 100)),
        ("0", 3_600, Rate("prompt", 0, 3_600)),
    ],
)
def test_a_rate_is_exact_whatever_its_decimals(amount: str, per: int, expected: Rate) -> None:
    assert rate("prompt", Decimal(amount), per) == expected


@pytest.mark.parametrize("amount", ["-1", "NaN", "Infinity", "1e11"])
def test_what_no_rate_can_cost_is_refused(amount: str) -> None:
    with pytest.raises(Unusable):
        rate("prompt", Decimal(amount), 1)
