"""`/prices`, and why a record costs what it does."""

from __future__ import annotations

from datetime import time, timedelta
from typing import Any

import pytest
import time_machine

from billing.book.services import add_discount
from billing.rating import Rate
from tests.billing.pricing import BEGINNING, MILLION, price
from tests.usage.factories import NOW, Tenant, at, record

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _clock(stopped_clock: time_machine.Traveller) -> None:
    """Everything here happens at `NOW`."""


def ids(tenant: Tenant, **query: Any) -> list[int]:
    answer = tenant.api.get("/prices", **query)
    assert answer.status == 200, answer.body
    return [item["id"] for item in answer.items]


def test_a_price_says_all_that_it_is(acme: Tenant) -> None:
    rates = (Rate("prompt", 2_500_000_000, MILLION), Rate("prompt", 5_000_000_000, MILLION, above=200_000))
    made = price(rates=rates, daily_from=time(22), daily_until=time(6, 30))
    add_discount(organization_id=acme.id, basis_points=1_250)
    answer = acme.api.get("/prices")
    assert answer.body == {
        "at": at(NOW),
        "items": [
            {
                "id": made.pk,
                "own": False,
                "provider": "openai",
                "model": "gpt-4o",
                "tier": "standard",
                "currency": "USD",
                "effectiveFrom": at(BEGINNING),
                "effectiveUntil": None,
                "hours": {"from": "22:00", "to": "06:30"},
                "source": "manual",
                "discountPercent": "12.50",
                "rates": [
                    {"meter": "prompt", "above": 0, "amount": "2.500000000", "per": MILLION},
                    {"meter": "prompt", "above": 200_000, "amount": "5.000000000", "per": MILLION},
                ],
            }
        ],
        "pagination": {"total": 1, "limit": 100, "offset": 0, "hasMore": False},
    }


def test_only_what_holds_is_listed_and_own_prices_stand_for_the_lists(acme: Tenant, globex: Tenant) -> None:
    price()
    newer = price(effective_from=NOW)
    price(effective_from=NOW + timedelta(days=1))
    price(currency="EUR")
    assert ids(acme) == [newer.pk]
    own = price(acme.id)
    assert ids(acme) == [own.pk]
    assert ids(globex) == [newer.pk]


def test_prices_of_another_moment_can_be_asked_for(acme: Tenant) -> None:
    older = price(effective_until=NOW)
    newer = price(effective_from=NOW + timedelta(days=1))
    assert ids(acme) == []
    assert ids(acme, at=at(NOW - timedelta(seconds=1))) == [older.pk]
    assert ids(acme, at=at(NOW + timedelta(days=1))) == [newer.pk]


def test_prices_are_filtered_and_come_in_pages(acme: Tenant) -> None:
    batch = price(tier="batch")
    standard = price()
    other = price(provider="anthropic", model="claude")
    assert ids(acme) == [other.pk, batch.pk, standard.pk]
    assert ids(acme, provider="openai") == ids(acme, model="gpt-4o") == [batch.pk, standard.pk]
    assert ids(acme, tier="batch") == [batch.pk]
    assert ids(acme, limit=1, offset=1) == [batch.pk]
    assert ids(acme, search="GPT-4") == ids(acme, search="openai/gpt") == [batch.pk, standard.pk]
    assert ids(acme, search="a%e") == []
    page = acme.api.get("/prices", limit=1, offset=2)
    assert page.body["pagination"] == {"total": 3, "limit": 1, "offset": 2, "hasMore": False}


def test_prices_stand_in_any_order(acme: Tenant) -> None:
    dear = price(provider="b", prompt=7)
    cheap = price(provider="c", rates=(Rate("prompt", 3, 1), Rate("prompt", 99, 1, above=1000)))
    by_the_million = price(provider="d", tier="batch", rates=(Rate("prompt", 5 * MILLION, MILLION),))
    pages = price(provider="a", rates=(Rate("pages", 1, 1),), effective_from=NOW)
    every = [one.pk for one in (pages, dear, cheap, by_the_million)]
    assert ids(acme, sort="model") == every
    assert ids(acme, order="desc") == every[::-1]
    assert ids(acme, sort="prompt") == [one.pk for one in (cheap, by_the_million, dear, pages)]
    # What has no such rate comes last, whichever way.
    assert ids(acme, sort="prompt", order="desc") == [one.pk for one in (dear, by_the_million, cheap, pages)]
    assert ids(acme, sort="completion", order="desc") == every
    assert ids(acme, sort="tier") == [one.pk for one in (by_the_million, pages, dear, cheap)]
    assert ids(acme, sort="effectiveFrom", order="desc", limit=1) == [pages.pk]
    assert ids(acme, sort="prompt", limit=2, offset=1) == [by_the_million.pk, dear.pk]


def test_an_organization_s_own_prices_can_be_asked_for_alone(acme: Tenant, globex: Tenant) -> None:
    own = price(acme.id)
    price(model="gpt-5")
    price(globex.id, model="gpt-6")
    assert ids(acme, own="true") == [own.pk]
    assert len(ids(acme, own="false")) == 2


@pytest.mark.parametrize(
    "query",
    [
        {"tier": "gold"},
        {"own": "mine"},
        {"at": "yesterday"},
        {"sort": "discount"},
        {"order": "up"},
        {"limit": "0"},
        {"price": "1"},
    ],
)
def test_what_can_not_be_asked_is_refused_by_name(acme: Tenant, query: dict[str, str]) -> None:
    answer = acme.api.get("/prices", **query)
    assert answer.status == 400
    assert next(iter(query)) in answer.body["detail"]


def test_the_reasons_of_a_cost_add_up_to_it(acme: Tenant) -> None:
    made = price(
        rates=(
            Rate("prompt", 3_000_000_000, MILLION),
            Rate("cachedPrompt", 300_000_000, MILLION),
            Rate("completion", 15_000_000_000, MILLION),
        )
    )
    add_discount(organization_id=acme.id, basis_points=1_000)
    tokens = {"prompt": 1_000, "cachedPrompt": 400, "completion": 10}
    acme.api.keep(record("a/b", model="gpt-4o", provider="openai", tokens=tokens))
    why = acme.api.get("/costs/records/a/b").body
    assert why.pop("price")["id"] == made.pk
    assert why == {
        "id": "a/b",
        "timestamp": at(NOW),
        "provider": "openai",
        "model": "gpt-4o",
        "serviceTier": "standard",
        "basis": "price",
        "cost": "0.001863000",
        "currency": "USD",
        "lines": [
            {
                "meter": "prompt",
                "above": 0,
                "amount": "3.000000000",
                "per": MILLION,
                "quantity": 600,
                "cost": "0.001620000",
            },
            {
                "meter": "cachedPrompt",
                "above": 0,
                "amount": "0.300000000",
                "per": MILLION,
                "quantity": 400,
                "cost": "0.000108000",
            },
            {
                "meter": "completion",
                "above": 0,
                "amount": "15.000000000",
                "per": MILLION,
                "quantity": 10,
                "cost": "0.000135000",
            },
        ],
    }


def test_the_reasons_stay_what_they_were_when_prices_and_discounts_change(acme: Tenant) -> None:
    made = price(prompt=100)
    acme.api.keep(record("a", model="gpt-4o", tokens={"prompt": 10}))
    before = acme.api.get("/costs/records/a").body
    price(prompt=7)
    price(acme.id, prompt=9)
    with time_machine.travel(NOW + timedelta(days=900), tick=False):
        add_discount(organization_id=acme.id, basis_points=5_000)
    assert acme.api.get("/costs/records/a").body == before
    assert (before["price"]["id"], before["cost"]) == (made.pk, "0.000001000")


def test_a_reported_cost_and_a_missing_one_are_told_apart(acme: Tenant) -> None:
    acme.api.keep(record("told", cost="0.5"), record("open", model="unheard-of"))
    told, left = (acme.api.get(f"/costs/records/{name}").body for name in ("told", "open"))
    assert (told["basis"], told["cost"]) == ("reported", "0.500000000")
    assert (left["basis"], left["cost"]) == ("unpriced", None)
    assert (told["price"], told["lines"]) == (left["price"], left["lines"]) == (None, [])


def test_a_record_of_another_organization_has_no_reasons(acme: Tenant, globex: Tenant) -> None:
    globex.api.keep(record("theirs"))
    assert acme.api.get("/costs/records/theirs").status == 404
    reader = acme.another_credential(scopes=["usage:read"])
    assert reader.api.get("/prices").status == 403
