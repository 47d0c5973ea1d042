"""LiteLLM's map is read by its grammar, whole."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest

from billing.pricelists import litellm
from billing.pricelists.listing import Listing
from billing.rating import Rate

MAP = Path(__file__).parents[4] / "shared/data/litellm_model_prices.json"
MILLION = 1_000_000


def read(**models: dict[str, Any]) -> Listing:
    return litellm.read(io.BytesIO(json.dumps(models).encode()))


@pytest.mark.parametrize(
    ("key", "place"),
    [
        ("input_cost_per_token", ("standard", "prompt", 0)),
        ("input_cost_per_token_above_200k_tokens", ("standard", "prompt", 200_000)),
        ("output_cost_per_token_batches", ("batch", "completion", 0)),
        ("cache_read_input_token_cost_above_272k_tokens_priority", ("priority", "cachedPrompt", 272_000)),
        ("cache_creation_input_token_cost_above_1hr", ("standard", "cacheWrite1h", 0)),
        (
            "cache_creation_input_token_cost_above_1hr_above_100k_tokens",
            ("standard", "cacheWrite1h", 100_000),
        ),
        ("output_cost_per_token_flex", ("flex", "completion", 0)),
        ("input_cost_per_token_ultrafast", None),
        ("cache_creation_input_token_cost_above_12hr_flex", None),
        ("output_cost_per_second_1080p", None),
        ("search_context_cost_per_query", None),
    ],
)
def test_a_key_says_tier_meter_and_threshold(key: str, place: tuple[str, str, int] | None) -> None:
    assert litellm.place_of(key) == place


def test_a_key_that_is_not_known_is_named() -> None:
    with pytest.raises(ValueError, match="cost_per_smile"):
        litellm.place_of("cost_per_smile")


def test_a_model_has_a_price_for_each_tier_that_falls_back_to_the_standard_one() -> None:
    listing = read(
        **{
            "openai/large": {
                "litellm_provider": "openai",
                "input_cost_per_token": 2.5e-06,
                "output_cost_per_token": 1e-05,
                "cache_read_input_token_cost": 0,
                "input_cost_per_token_batches": 1.25e-06,
            }
        }
    )
    completion, cached = Rate("completion", 10_000_000_000, MILLION), Rate("cachedPrompt", 0, MILLION)
    assert [(each.provider, each.model, each.tier, each.rates) for each in listing.prices] == [
        ("openai", "large", "standard", (Rate("prompt", 2_500_000_000, MILLION), completion, cached)),
        ("openai", "large", "batch", (Rate("prompt", 1_250_000_000, MILLION), completion, cached)),
    ]


def test_amounts_are_read_as_they_are_written() -> None:
    (price,) = read(small={"litellm_provider": "x", "input_cost_per_second": 0.001333333333333}).prices
    assert price.rates == (Rate("seconds", 1_333_333_333_333, MILLION),)


def test_steps_of_use_are_thresholds() -> None:
    steps = [
        {"range": [0, 256000.0], "input_cost_per_token": 5e-08},
        {"range": [256000.0, 1000000.0], "input_cost_per_token": 2.5e-07},
    ]
    (price,) = read(flash={"litellm_provider": "x", "tiered_pricing": steps}).prices
    assert [(rate.amount_nanos, rate.above) for rate in price.rates] == [
        (50_000_000, 0),
        (250_000_000, 256_000),
    ]


def test_what_has_no_price_or_comes_twice_is_skipped_with_the_reason() -> None:
    listing = read(
        sample_spec={"input_cost_per_token": 1},
        free={"litellm_provider": "x", "max_tokens": 5},
        one={"litellm_provider": "x", "input_cost_per_token": 1e-06},
        **{"x/one": {"litellm_provider": "x", "input_cost_per_token": 2e-06}},
        wrong={"litellm_provider": "x", "input_cost_per_token": -1e-06},
    )
    assert [price.model for price in listing.prices] == ["one"]
    assert [(name, reason.split(" -")[0]) for name, reason in listing.skipped] == [
        ("free", "no price of a known meter"),
        ("x/one", "the same model as one"),
        ("wrong", "prompt costs"),
    ]


@pytest.mark.parametrize("content", [b"[]", b'{"a": 1}', b"{"])
def test_what_is_no_map_is_refused(content: bytes) -> None:
    with pytest.raises(ValueError):
        litellm.read(io.BytesIO(content))


@pytest.mark.skipif(not MAP.is_file(), reason="the map is not beside this project")
def test_the_whole_map_is_read() -> None:
    with MAP.open("rb") as file:
        listing = litellm.read(file)
    models = {(price.provider, price.model) for price in listing.prices}
    assert len(models) + len(listing.skipped) == len(json.loads(MAP.read_bytes())) - 1
    assert {reason.partition(" as ")[0] for _, reason in listing.skipped} == {
        "no price of a known meter",
        "the same model",
    }
    assert {price.tier for price in listing.prices} == {"standard", "batch", "priority", "flex"}
