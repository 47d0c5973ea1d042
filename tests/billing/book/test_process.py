"""Which price a call has."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Any, Final

import pytest

from billing import book
from billing.book.names import Canonical, canonical
from billing.book.services import add_discount, end_price
from core import clock
from organizations.tenancy import tenant_scope
from tests.billing.pricing import BEGINNING, price
from tests.usage.factories import NOW, Tenant

pytestmark = pytest.mark.django_db

DAY: Final = datetime(2026, 7, 15, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _clock(stopped_clock: Any) -> None:
    """Everything here happens at `NOW`."""


def found(
    tenant: Tenant,
    provider: str | None = "openai",
    model: str | None = "gpt-4o",
    tier: str | None = None,
    at: datetime = NOW,
) -> int | None:
    """Return the price of such a call, by the book as it is now."""
    book.forget()
    sheet = book.sheet(tenant.id, tenant.organization.currency, provider, model, tier, at)
    return None if sheet is None else sheet.price_id


def test_what_the_book_does_not_know_has_no_price(acme: Tenant) -> None:
    price()
    assert found(acme, model="gpt-9") is None
    assert found(acme, provider="nobody") is None
    assert found(acme, model=None) is None


def test_the_latest_version_that_has_begun_holds_from_its_first_moment(acme: Tenant) -> None:
    first = price()
    second = price(effective_from=NOW)
    assert found(acme, at=NOW - timedelta(microseconds=1)) == first.pk
    assert found(acme, at=NOW) == second.pk
    assert found(acme, at=BEGINNING - timedelta(microseconds=1)) is None


def test_of_two_that_begin_together_the_one_made_last_holds(acme: Tenant) -> None:
    price()
    second = price()
    assert found(acme) == second.pk


def test_a_version_that_has_ended_gives_way_to_the_one_before(acme: Tenant) -> None:
    first = price()
    second = price(effective_from=NOW, effective_until=NOW + timedelta(hours=1))
    assert found(acme, at=NOW + timedelta(minutes=59)) == second.pk
    assert found(acme, at=NOW + timedelta(hours=1)) == first.pk
    end_price(price_id=first.pk, at=NOW + timedelta(hours=2))
    assert found(acme, at=NOW + timedelta(hours=2)) is None


def test_an_organizations_own_price_goes_before_the_list_however_new_that_is(acme: Tenant) -> None:
    own = price(acme.id)
    price(effective_from=NOW)
    assert found(acme) == own.pk


def test_an_organizations_own_price_is_nobody_elses(acme: Tenant, globex: Tenant) -> None:
    price(acme.id)
    assert found(globex) is None


def test_a_tier_has_its_own_price_and_falls_back_to_the_standard_one(acme: Tenant) -> None:
    standard, batch = price(), price(tier="batch")
    assert found(acme, tier="batch") == batch.pk
    assert found(acme, tier="priority") == standard.pk
    assert found(acme, tier=None) == found(acme, tier="standard") == standard.pk


def test_a_price_for_the_tier_in_the_list_goes_before_an_own_one_of_another_tier(acme: Tenant) -> None:
    price(acme.id)
    batch = price(tier="batch")
    assert found(acme, tier="batch") == batch.pk


@pytest.mark.parametrize(
    ("provider", "model"),
    [
        ("openai", "gpt-4o"),
        (None, "gpt-4o"),
        (None, "GPT-4o"),
        ("openai", "gpt-4o-2024-08-06"),
        ("OpenAI", "gpt-4o"),
        ("litellm", "openai/gpt-4o"),
    ],
)
def test_a_model_is_found_under_the_names_it_goes_by(acme: Tenant, provider: str | None, model: str) -> None:
    listed = price()
    assert found(acme, provider, model) == listed.pk


def test_the_names_as_they_are_go_before_what_they_may_mean(acme: Tenant) -> None:
    price()
    dated = price(model="gpt-4o-2024-08-06")
    assert found(acme, model="gpt-4o-2024-08-06") == dated.pk


def test_a_price_without_a_provider_is_for_whoever_provides_the_model(acme: Tenant) -> None:
    anyone = price(provider="", model="house-model")
    assert found(acme, "somebody", "house-model") == found(acme, None, "house-model") == anyone.pk


def test_a_price_without_a_model_is_for_calls_that_name_none(acme: Tenant) -> None:
    plain = price(provider="", model="")
    assert found(acme, None, None) == plain.pk
    assert found(acme, None, "gpt-4o") is None


def test_another_providers_tiers_say_nothing_of_a_model_it_lends(acme: Tenant) -> None:
    standard = price(model="gpt-4.1")
    batch = price(model="gpt-4.1", tier="batch")
    assert canonical("azure", "gpt-4.1") == Canonical("openai", "gpt-4.1", borrowed=True)
    assert found(acme, "azure", "gpt-4.1", "batch") == standard.pk
    assert found(acme, "openai", "gpt-4.1", "batch") == batch.pk


def test_a_price_is_for_organizations_of_its_currency(acme: Tenant) -> None:
    price(currency="EUR")
    assert found(acme) is None


def test_a_price_of_the_hour_goes_before_one_of_the_day(acme: Tenant) -> None:
    day = price()
    night = price(daily_from=time(22), daily_until=time(6))
    noon = price(daily_from=time(12), daily_until=time(13))
    assert [found(acme, at=DAY + timedelta(hours=hour)) for hour in (0, 5, 6, 12, 13, 21, 22)] == [
        night.pk,
        night.pk,
        day.pk,
        noon.pk,
        day.pk,
        day.pk,
        night.pk,
    ]


def test_one_entry_answers_for_every_hour_it_is_asked_about(acme: Tenant) -> None:
    day, night = price(), price(daily_from=time(22), daily_until=time(6))
    book.forget()
    entry = book.current().tenant(acme.id, "USD").entry(("openai", "gpt-4o", None))
    for midnight in (DAY + timedelta(days=3), DAY):
        asked = [entry.at(midnight + timedelta(hours=hour)).price_id for hour in (1, 7, 23)]
        assert asked == [night.pk, day.pk, night.pk]


def discount_of(tenant: Tenant, at: datetime = NOW) -> int:
    book.forget()
    sheet = book.sheet(tenant.id, "USD", "openai", "gpt-4o", None, at)
    assert sheet is not None
    return sheet.discount_bp


def test_a_discount_is_off_the_list_from_when_it_begins_until_it_ends(acme: Tenant, globex: Tenant) -> None:
    price()
    until = NOW + timedelta(days=1)
    add_discount(organization_id=acme.id, basis_points=1_250, effective_until=until)
    assert discount_of(acme, NOW - timedelta(microseconds=1)) == 0
    assert discount_of(acme) == discount_of(acme, until - timedelta(microseconds=1)) == 1_250
    assert discount_of(acme, until) == 0
    assert discount_of(globex) == 0


def test_the_most_particular_discount_counts_alone(acme: Tenant) -> None:
    price()
    add_discount(organization_id=acme.id, basis_points=1_000, model="gpt-4o")
    add_discount(organization_id=acme.id, basis_points=2_000, provider="openai")
    add_discount(organization_id=acme.id, basis_points=3_000)
    add_discount(organization_id=acme.id, basis_points=4_000, model="another")
    assert discount_of(acme) == 1_000


def test_an_own_price_is_not_discounted(acme: Tenant) -> None:
    price(acme.id)
    add_discount(organization_id=acme.id, basis_points=1_000)
    assert discount_of(acme) == 0


def test_the_book_is_read_once_and_again_after_two_seconds_when_it_has_changed(
    acme: Tenant, django_assert_num_queries: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = price()
    assert found(acme) == first.pk

    def ask() -> int | None:
        sheet = book.sheet(acme.id, "USD", "openai", "gpt-4o", None, clock.now())
        return None if sheet is None else sheet.price_id

    with django_assert_num_queries(0):
        assert ask() == first.pk
    second = price(effective_from=NOW)
    assert ask() == first.pk
    book.current().confirmed_at -= 3
    assert ask() == second.pk
    book.current().confirmed_at -= 3
    with django_assert_num_queries(1):
        assert ask() == second.pk


def test_the_list_is_shown_to_a_tenant_and_rates_of_others_are_not(acme: Tenant, globex: Tenant) -> None:
    from billing.models import Price, PriceRate

    listed, theirs = price(), price(globex.id)
    with tenant_scope(acme.id):
        assert set(Price.objects.values_list("pk", flat=True)) == {listed.pk}
        assert set(PriceRate.objects.values_list("price_id", flat=True)) == {listed.pk}
    with tenant_scope(globex.id):
        assert set(PriceRate.objects.values_list("price_id", flat=True)) == {listed.pk, theirs.pk}
    assert not Price.objects.exists()
