"""How much a budget buys."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.rating import Rate, Sheet, Usage, calls, cost, one, units
from billing.rating.meters import CHAINS
from tests.billing.rating.strategies import METERS, sheets

TIERED = Sheet(
    1,
    (
        Rate("prompt", 2_000, 1),
        Rate("prompt", 4_000, 1, above=200_000),
        Rate("completion", 10_000, 1),
    ),
)


def times(unit: Usage, number: int) -> Usage:
    """Return one call of so many units."""
    return Usage(
        (unit.prompt_tokens or 0) * number,
        (unit.completion_tokens or 0) * number,
        (unit.cached_prompt_tokens or 0) * number,
        (unit.cache_write_tokens or 0) * number,
        (unit.reasoning_tokens or 0) * number,
        {name: int(value) * number for name, value in (unit.quantities or {}).items()},
    )


def test_a_budget_buys_the_most_that_does_not_cost_more() -> None:
    assert units(1_000_000, TIERED, one("completion")) == 100
    assert units(1_009_999, TIERED, one("completion")) == 100
    assert units(0, TIERED, one("completion")) == 0


def test_what_a_threshold_makes_dearer_is_bought_up_to_it() -> None:
    assert units(400_000_000, TIERED, one("prompt")) == 200_000
    # 200,001 tokens cost 800,004,000 nanos, twice as much each.
    assert units(800_003_999, TIERED, one("prompt")) == 200_000
    assert units(800_004_000, TIERED, one("prompt")) == 200_001


def test_what_a_threshold_makes_cheaper_is_bought_beyond_it() -> None:
    falling = Sheet(1, (Rate("prompt", 10, 1), Rate("prompt", 1, 1, above=100)))
    assert units(100, falling, one("prompt")) == 10
    assert units(101, falling, one("prompt")) == 101


def test_half_a_nano_is_still_in_an_even_budget() -> None:
    half = Sheet(1, (Rate("prompt", 1, 2),))
    assert [units(budget, half, one("prompt")) for budget in (0, 1, 2, 3)] == [1, 2, 5, 6]


def test_a_mix_is_bought_as_a_whole() -> None:
    assert units(120_000, TIERED, Usage(prompt_tokens=5, completion_tokens=1)) == 6


def test_what_costs_nothing_has_no_end() -> None:
    assert units(5, TIERED, one("pages")) is None
    assert calls(5, TIERED, Usage()) is None


def test_the_fee_of_a_request_is_paid_once_for_a_call_and_each_time_for_calls() -> None:
    fee = Sheet(1, (Rate("requests", 50, 1), Rate("completion", 10, 1)))
    assert units(100, fee, Usage(completion_tokens=1)) == 5
    assert units(49, fee, Usage(completion_tokens=1)) == 0
    assert calls(200, fee, Usage(completion_tokens=1)) == 3
    with pytest.raises(ValueError, match="one request"):
        one("requests")


def test_a_budget_below_zero_buys_nothing() -> None:
    assert units(-1, TIERED, one("completion")) == 0
    assert calls(-1, TIERED, Usage(1)) == 0


@pytest.mark.parametrize("meter", [*CHAINS, "pages"])
def test_one_unit_of_a_meter_is_billed_by_its_own_rate_alone(meter: str) -> None:
    own = [Rate(each, 7 if each == meter else 1_000, 1) for each in (*CHAINS, "pages")]
    assert cost(one(meter), Sheet(1, tuple(own))) == 7


@given(
    sheets(),
    st.sampled_from([meter for meter in METERS if meter != "requests"]),
    st.integers(0, 10**14) | st.integers(0, 100),
    st.sampled_from((1, 3)),
)
def test_a_budget_buys_exactly_what_the_price_says(prices: Sheet, meter: str, budget: int, size: int) -> None:
    """At the number that is returned the cost is within the budget, at the next it is beyond."""
    unit = times(one(meter), size)
    most = units(budget, prices, unit)
    if most is None:
        assert cost(times(unit, 10**9), prices) == cost(times(unit, 2 * 10**9), prices) <= budget
    else:
        assert most == 0 or cost(times(unit, most), prices) <= budget
        assert cost(times(unit, most + 1), prices) > budget


@given(sheets(), st.integers(0, 300_000))
def test_the_price_of_units_buys_at_least_these(prices: Sheet, number: int) -> None:
    spent = cost(times(one("prompt"), number), prices)
    bought = units(spent, prices, one("prompt"))
    assert bought is None or bought >= number
