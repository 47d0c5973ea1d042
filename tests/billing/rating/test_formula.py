"""What a call costs under a price."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given

from billing.rating import Rate, Sheet, Usage, cost
from tests.billing.rating.strategies import sheets, usages

MILLION = 1_000_000
BASE = (
    Rate("prompt", 3_000_000_000, MILLION),
    Rate("cachedPrompt", 300_000_000, MILLION),
    Rate("cacheWrite", 3_750_000_000, MILLION),
    Rate("completion", 15_000_000_000, MILLION),
)


def sheet(*rates: Rate, discount_bp: int = 0) -> Sheet:
    return Sheet(1, rates, discount_bp)


def test_each_token_is_billed_once_by_its_most_special_meter() -> None:
    used = Usage(10_000, 500, cached_prompt_tokens=6_000, cache_write_tokens=1_000)
    # 3,000 × 3 + 6,000 × 0.30 + 1,000 × 3.75 + 500 × 15, in millionths of the unit
    assert cost(used, sheet(*BASE)) == 9_000_000 + 1_800_000 + 3_750_000 + 7_500_000


def test_a_missing_cache_rate_is_the_rate_of_the_prompt() -> None:
    used = Usage(10_000, 0, cached_prompt_tokens=6_000, cache_write_tokens=1_000)
    assert cost(used, sheet(Rate("prompt", 3_000_000_000, MILLION))) == 30_000_000


def test_a_rate_of_zero_is_a_price() -> None:
    free = Rate("cachedPrompt", 0, MILLION)
    used = Usage(10_000, 0, cached_prompt_tokens=10_000)
    assert cost(used, sheet(Rate("prompt", 3_000_000_000, MILLION), free)) == 0


def test_reasoning_costs_what_completion_does_unless_it_has_a_rate() -> None:
    completion = Rate("completion", 8_000_000_000, MILLION)
    used = Usage(0, 1_000, reasoning_tokens=400)
    assert cost(used, sheet(completion)) == 8_000_000
    assert cost(used, sheet(completion, Rate("reasoning", 3_000_000_000, MILLION))) == 4_800_000 + 1_200_000


def test_a_threshold_is_crossed_by_one_token_more_and_reprices_all() -> None:
    prices = sheet(
        Rate("prompt", 1_000_000_000, MILLION),
        Rate("prompt", 2_000_000_000, MILLION, above=200_000),
        Rate("completion", 10_000_000_000, MILLION),
        Rate("completion", 15_000_000_000, MILLION, above=200_000),
    )
    assert cost(Usage(200_000, 100), prices) == 200_000_000 + 1_000_000
    assert cost(Usage(200_001, 100), prices) == 400_002_000 + 1_500_000


def test_a_meter_without_a_rate_beyond_the_threshold_keeps_the_one_it_has() -> None:
    prices = sheet(
        Rate("prompt", 1_000_000_000, MILLION),
        Rate("cachedPrompt", 100_000_000, MILLION),
        Rate("prompt", 2_000_000_000, MILLION, above=100),
    )
    assert cost(Usage(200, 0, cached_prompt_tokens=150), prices) == 50 * 2_000 + 150 * 100


def test_each_threshold_has_its_own_rates() -> None:
    prices = sheet(*(Rate("prompt", amount, 1, above) for amount, above in ((1, 0), (10, 100), (100, 200))))
    assert [cost(Usage(tokens), prices) for tokens in (100, 101, 200, 201)] == [100, 1_010, 2_000, 20_100]


def test_writes_for_an_hour_are_part_of_what_was_written() -> None:
    hour = Rate("cacheWrite1h", 6_000_000_000, MILLION)
    used = Usage(3_000, cache_write_tokens=2_000, quantities={"cacheWrite1hTokens": 500})
    assert cost(used, sheet(*BASE, hour)) == 1_000 * 3_000 + 1_500 * 3_750 + 500 * 6_000
    assert cost(used, sheet(*BASE)) == 1_000 * 3_000 + 2_000 * 3_750


def test_sound_is_billed_as_sound_whether_it_is_cached_or_not() -> None:
    text, cached = Rate("prompt", 1, 1), Rate("cachedPrompt", 2, 1)
    audio, cached_audio = Rate("audioPrompt", 10, 1), Rate("cachedAudioPrompt", 20, 1)
    used = Usage(
        100,
        cached_prompt_tokens=30,
        quantities={"audioPromptTokens": 50, "cachedAudioPromptTokens": 10},
    )
    # 50 of text, 20 of them cached; 50 of sound, 10 of them cached
    assert cost(used, sheet(text, cached, audio, cached_audio)) == 30 + 20 * 2 + 40 * 10 + 10 * 20
    assert cost(used, sheet(text, cached, audio)) == 30 + 20 * 2 + 50 * 10
    assert cost(used, sheet(text, cached)) == 70 + 30 * 2


def test_completions_in_sound_and_pictures_have_rates_of_their_own() -> None:
    prices = sheet(Rate("completion", 1, 1), Rate("audioCompletion", 10, 1), Rate("imageCompletion", 100, 1))
    used = Usage(
        0, 100, reasoning_tokens=20, quantities={"audioCompletionTokens": 30, "imageCompletionTokens": 5}
    )
    assert cost(used, prices) == 45 + 20 + 300 + 500


def test_quantities_are_billed_by_their_names_to_the_last_decimal() -> None:
    prices = sheet(Rate("pages", 4_000_000_000, 1_000), Rate("seconds", 111_000_000, 3_600))
    assert cost(Usage(quantities={"pages": 3, "messages": 9}), prices) == 12_000_000
    # 0.111 × 12.345678901 / 3600 = 0.000380658432780…
    assert cost(Usage(quantities={"seconds": "12.345678901"}), prices) == 380_658
    assert cost(Usage(quantities={"seconds": "0.000000001"}), prices) == 0


def test_a_request_is_paid_for_when_it_succeeded() -> None:
    prices = sheet(Rate("requests", 12_000_000_000, 1_000), Rate("prompt", 1, 1))
    assert cost(Usage(7), prices) == 12_000_007
    assert cost(Usage(7, succeeded=False), prices) == 7


def test_a_discount_is_taken_before_the_one_rounding() -> None:
    prices = sheet(Rate("prompt", 15, 10), discount_bp=1_000)
    assert [cost(Usage(tokens), prices) for tokens in (1, 2, 3)] == [1, 3, 4]  # 1.35, 2.7, 4.05
    assert cost(Usage(7), sheet(Rate("prompt", 15, 10), discount_bp=10_000)) == 0


@pytest.mark.parametrize(("tokens", "nanos"), [(1, 0), (2, 1), (3, 2), (4, 2), (5, 2), (6, 3), (7, 4)])
def test_half_a_nano_goes_to_the_even_neighbour(tokens: int, nanos: int) -> None:
    assert cost(Usage(tokens), sheet(Rate("prompt", 1, 2))) == nanos


def test_what_a_price_does_not_name_costs_nothing() -> None:
    assert cost(Usage(5, 5, quantities={"images": 3}), sheet(Rate("pages", 1, 1))) == 0


@pytest.mark.parametrize(
    "rate", [("", 1, 1, 0), ("prompt", -1, 1, 0), ("prompt", 1, 0, 0), ("prompt", 1, 1, -1)]
)
def test_what_can_not_be_a_rate_is_refused(rate: tuple[str, int, int, int]) -> None:
    with pytest.raises(ValueError, match="not a rate"):
        Rate(*rate)


def test_a_meter_has_one_rate_for_a_threshold() -> None:
    with pytest.raises(ValueError, match="two rates"):
        sheet(Rate("prompt", 1, 1), Rate("prompt", 2, 1))


@pytest.mark.parametrize("discount", [-1, 10_001])
def test_a_discount_is_at_most_all_of_it(discount: int) -> None:
    with pytest.raises(ValueError, match="basis points"):
        sheet(discount_bp=discount)


@given(sheets(), usages())
def test_a_cost_is_the_exact_sum_rounded_once(prices: Sheet, used: Usage) -> None:
    """Against a sum of fractions, each token looked up by itself."""
    assert cost(used, prices) == round(naive(prices, used))


def naive(prices: Sheet, used: Usage) -> Fraction:
    from billing.rating.meters import CHAINS
    from billing.rating.usage import parts

    tokens = used.prompt_tokens or 0
    total = Fraction(0)
    for meter, amount in parts(used).items():
        for each in CHAINS.get(meter, (meter,)):
            standing = [rate for rate in prices.rates if rate.meter == each]
            standing = [rate for rate in standing if rate.above == 0 or tokens > rate.above]
            if standing:
                rate = max(standing, key=lambda rate: rate.above)
                total += Fraction(rate.amount_nanos, rate.per) * Fraction(amount)
                break
    return total * (10_000 - prices.discount_bp) / 10_000
