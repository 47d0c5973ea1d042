"""Records are priced on their way in."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction

from billing import book
from billing.book.services import add_discount
from billing.models import Price
from billing.rating import Rate
from organizations.tenancy import system_scope
from tests.billing.pricing import price
from tests.usage.factories import NOW, Tenant, at, record

pytestmark = pytest.mark.django_db

CALL: dict[str, Any] = {"model": "gpt-4o", "provider": "openai", "tokens": {"prompt": 1000, "completion": 10}}


@pytest.fixture(autouse=True)
def _clock(stopped_clock: Any) -> None:
    """Everything here happens at `NOW`."""


def kept(tenant: Tenant, **fields: Any) -> tuple[str | None, int | None]:
    """Send a call, and return what it cost by which price."""
    number = tenant.api.get("/usage").body["requests"]["total"]
    tenant.api.keep(record(f"r-{number}", **{**CALL, **fields}))
    body = tenant.api.get(f"/records/r-{number}").body
    return body["cost"], body["priceId"]


def test_a_record_keeps_its_cost_and_its_price(acme: Tenant) -> None:
    rates = (Rate("prompt", 2_500_000_000, 1_000_000), Rate("completion", 10_000_000_000, 1_000_000))
    listed = price(rates=rates)
    assert kept(acme) == ("0.002600000", listed.pk)
    assert acme.api.get("/usage").body["cost"] == "0.002600000"


def test_a_cost_that_was_sent_wins(acme: Tenant) -> None:
    price()
    assert kept(acme, cost="0.5") == ("0.500000000", None)
    assert kept(acme, cost="0") == ("0.000000000", None)


def test_a_model_without_a_price_is_not_free(acme: Tenant) -> None:
    price()
    assert kept(acme, model="unheard-of") == (None, None)
    totals = acme.api.get("/usage").body
    assert (totals["cost"], totals["unpricedRecords"]) == ("0.000000000", 1)


def test_a_record_is_priced_as_of_when_it_happened(acme: Tenant) -> None:
    before = price(prompt=1)
    price(prompt=2, effective_from=NOW)
    earlier = at(NOW - timedelta(seconds=1))
    assert kept(acme, timestamp=earlier) == ("0.000001000", before.pk)
    assert kept(acme)[0] == "0.000002000"


def test_a_price_that_was_changed_elsewhere_is_never_missed(acme: Tenant) -> None:
    before = price(prompt=1)
    assert kept(acme) == ("0.000001000", before.pk)
    after = price(prompt=2, effective_from=NOW)
    assert (
        book.current().tenant(acme.id, "USD").entry(("openai", "gpt-4o", None)).at(NOW).price_id == before.pk
    )
    assert kept(acme) == ("0.000002000", after.pk)


def test_a_model_that_got_its_price_elsewhere_is_priced_at_once(acme: Tenant) -> None:
    assert kept(acme) == (None, None)
    listed = price()
    assert kept(acme) == ("0.000001000", listed.pk)


def test_the_tier_that_served_a_call_prices_it(acme: Tenant) -> None:
    price(prompt=2)
    batch = price(prompt=1, tier="batch")
    assert kept(acme, serviceTier="batch") == ("0.000001000", batch.pk)
    assert kept(acme, serviceTier="flex")[0] == "0.000002000"


def test_a_discount_makes_it_cheaper(acme: Tenant) -> None:
    price(prompt=2)
    add_discount(organization_id=acme.id, basis_points=2_500)
    assert kept(acme)[0] == "0.000001500"


def test_what_no_record_may_cost_is_left_without_a_cost(acme: Tenant) -> None:
    price(rates=(Rate("pages", 10**9, 1),))
    assert kept(acme, quantities={"pages": 1_000_001}) == (None, None)
    assert kept(acme, quantities={"pages": 1_000_000})[0] == "1000000.000000000"


def test_kinds_of_tokens_are_priced_by_their_quantities(acme: Tenant) -> None:
    price(rates=(Rate("prompt", 1, 1), Rate("audioPrompt", 100, 1)))
    assert kept(acme, quantities={"audioPromptTokens": 400})[0] == "0.000040600"


def test_many_records_of_one_batch_are_priced_each_by_itself(acme: Tenant) -> None:
    listed = price()
    acme.api.keep(
        record("a", **CALL),
        record("b", **{**CALL, "model": "gpt-4o-2024-11-20"}),
        record("c", **{**CALL, "model": "other"}),
        record("d", **{**CALL, "cost": "1"}),
    )
    items = {item["id"]: (item["cost"], item["priceId"]) for item in acme.api.get("/records").items}
    assert items == {
        "a": ("0.000001000", listed.pk),
        "b": ("0.000001000", listed.pk),
        "c": (None, None),
        "d": ("1.000000000", None),
    }


def refused(statement: str, *params: Any) -> bool:
    try:
        with system_scope(), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement, params)
    except DatabaseError as error:
        return "immutable" in str(error) or "permission denied" in str(error)
    return False


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE billing_price SET model = 'x'",
        "UPDATE billing_price SET effective_from = effective_from - interval '1 day'",
        "UPDATE billing_rate SET amount_nanos = 7",
        "DELETE FROM billing_rate",
        "DELETE FROM billing_price",
        "DELETE FROM billing_discount",
        "UPDATE billing_discount SET basis_points = 7",
        "TRUNCATE billing_rate",
        "DELETE FROM billing_book",
    ],
)
def test_a_price_never_changes(acme: Tenant, statement: str) -> None:
    price()
    add_discount(organization_id=acme.id, basis_points=100)
    assert refused(statement)


@pytest.mark.django_db(transaction=True)
def test_a_price_gets_no_rate_later(acme: Tenant) -> None:
    made = price()
    columns = "price_id, meter, amount_nanos, per, above"
    assert refused(f"INSERT INTO billing_rate ({columns}) VALUES (%s, 'pages', 1, 1, 0)", made.pk)


def test_every_change_of_the_book_has_a_number(acme: Tenant) -> None:
    numbers = [_number()]
    price()
    numbers.append(_number())
    add_discount(organization_id=acme.id, basis_points=100)
    numbers.append(_number())
    with system_scope():
        Price.objects.update(effective_until=NOW + timedelta(days=1))
    numbers.append(_number())
    assert numbers == sorted(set(numbers))


def _number() -> int:
    book.forget()
    return book.current().version
