"""Of what a cost is made up."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given

from billing.rating import Line, Rate, Sheet, Usage, cost, lines
from tests.billing.rating.strategies import sheets, usages


def test_each_rate_that_billed_has_a_line_in_the_order_of_the_price() -> None:
    prompt, cached = Rate("prompt", 3_000, 1), Rate("cachedPrompt", 300, 1)
    completion, pages = Rate("completion", 15_000, 1), Rate("pages", 4_000, 1_000)
    used = Usage(10, 2, cached_prompt_tokens=4, cache_write_tokens=3, quantities={"pages": "2.5"})
    assert lines(used, Sheet(1, (completion, pages, cached, prompt))) == (
        Line(completion, 2, 30_000),
        Line(pages, Decimal("2.5"), 10),
        Line(cached, 4, 1_200),
        Line(prompt, 6, 18_000),
    )


def test_a_line_names_the_threshold_whose_rate_holds() -> None:
    near, far = Rate("prompt", 1, 1), Rate("prompt", 2, 1, above=5)
    (line,) = lines(Usage(6), Sheet(1, (near, far)))
    assert (line.meter, line.above, line.quantity, line.cost_nanos) == ("prompt", 5, 6, 12)


def test_what_rounding_leaves_goes_to_the_largest_remainder() -> None:
    rates = (Rate("prompt", 1, 10), Rate("completion", 1, 10))
    # 1.4 + 2.3 = 3.7, which is 4: the line of 1.4 has the larger remainder, and the line of 2.3 keeps 2.
    made = lines(Usage(14, 23), Sheet(1, rates))
    assert [line.cost_nanos for line in made] == [2, 2]


def test_a_line_is_what_is_paid_after_the_discount() -> None:
    (line,) = lines(Usage(100), Sheet(1, (Rate("prompt", 1_000, 1),), discount_bp=1_500))
    assert (line.rate.amount_nanos, line.cost_nanos) == (1_000, 85_000)


def test_what_a_price_does_not_name_has_no_line() -> None:
    assert lines(Usage(5, 5), Sheet(1, (Rate("pages", 1, 1),))) == ()


@given(sheets(), usages())
def test_lines_add_up_to_the_cost(prices: Sheet, used: Usage) -> None:
    made = lines(used, prices)
    assert sum(line.cost_nanos for line in made) == cost(used, prices)
    assert all(line.cost_nanos >= 0 for line in made)


@given(sheets(), usages())
def test_no_line_is_a_nano_or_more_from_its_exact_share(prices: Sheet, used: Usage) -> None:
    for line in lines(used, prices):
        share = Decimal(line.quantity) * line.rate.amount_nanos * (10_000 - prices.discount_bp)
        assert abs(line.cost_nanos * 10_000 * line.rate.per - share) < 10_000 * line.rate.per
