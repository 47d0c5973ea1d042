"""Every price of genai-prices, against genai-prices' own calculation.

What differs is listed in `DIFFERENCES`, with reasons; docs/rating.md explains them.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final

import pytest
from genai_prices.types import ModelInfo, ModelPrice, Provider
from genai_prices.types import Usage as TheirUsage

from billing.book.names import models, providers
from billing.book.versions import Version, latest
from billing.pricelists import genai
from billing.pricelists.genai import CONTEXTS, METERS
from billing.rating import Usage, cost
from core.money import NANOS
from usage.kinds import COMPLETION_KINDS, QUANTITY_OF

ROUNDS: Final = 12
NOTHING: Final = "a list that names no price is not a price of zero"
LEAST: Final = "their calculation bills at least ten seconds a call"
DIFFERENCES: Final[dict[str, str]] = {
    "groq/whisper-large-v3": LEAST,
    "groq/whisper-large-v3-turbo": LEAST,
}
"""Models that cost otherwise here, with the reasons."""

WHOLES: Final = {
    "cacheWrite1h": "cache_write_1h_tokens",
    "audioPrompt": "input_audio_tokens",
    "imagePrompt": "input_image_tokens",
    "videoPrompt": "input_video_tokens",
    "cachedAudioPrompt": "cache_audio_read_tokens",
    "cachedImagePrompt": "cache_image_read_tokens",
    "citation": "output_citation_tokens",
    "audioCompletion": "output_audio_tokens",
    "imageCompletion": "output_image_tokens",
    "videoCompletion": "output_video_tokens",
}
"""Their names of what our quantities say."""
COUNTS: Final = {
    "characters": "input_characters",
    "textMessages": "input_text_messages",
    "audioSeconds": "audio_seconds",
    "pages": "input_document_pages",
    "annotatedPages": "input_annotated_document_pages",
    "webSearches": "web_searches",
    "storageSearches": "storage_searches",
    "socialSearches": "social_searches",
    "codeExecutions": "code_executions",
    "rerankSearches": "rerank_searches",
}


def versions() -> dict[tuple[str, str, str], list[Version]]:
    """Return what the list says, by provider, model and tier, as the book would have it."""
    found: dict[tuple[str, str, str], list[Version]] = {}
    for number, terms in enumerate(genai.read().prices):
        key = (terms.provider, terms.model, terms.tier)
        version = Version(
            number, *key, terms.effective_from, None, terms.daily_from, terms.daily_until, terms.rates
        )
        found.setdefault(key, []).append(version)
    return found


BOOK: Final = versions()


def priced(model: ModelInfo) -> set[str]:
    """Return the names of everything that a model has ever had a price for."""
    listed = (
        [model.prices] if isinstance(model.prices, ModelPrice) else [each.prices for each in model.prices]
    )
    listed += [variant.prices for variant in model.price_variants or ()]
    return {name for price in listed for name, value in price.__dict__.items() if value is not None}


def use(names: set[str], chance: random.Random) -> tuple[Usage, dict[str, Any]]:
    """Return the same random use in our words and in theirs, of what a model has prices for."""

    def tokens(meter: str) -> int:
        size = chance.choice((0, 1, chance.randrange(3_000), chance.randrange(150_000)))
        return size if any(METERS[name][0] == meter for name in names & METERS.keys()) else 0

    kinds = {kind: tokens(kind) for kind in WHOLES}
    cached_kinds = kinds["cachedAudioPrompt"] + kinds["cachedImagePrompt"]
    kinds["audioPrompt"] += kinds["cachedAudioPrompt"]
    kinds["imagePrompt"] += kinds["cachedImagePrompt"]
    cached = tokens("cachedPrompt") + cached_kinds
    written = tokens("cacheWrite") + kinds["cacheWrite1h"]
    modes = sum(kinds[f"{mode}Prompt"] for mode in ("audio", "image", "video"))
    prompt = tokens("prompt") + cached + written + modes - cached_kinds
    reasoning = tokens("reasoning")
    special = [kinds[kind] for kind in COMPLETION_KINDS]
    completion = tokens("completion") + reasoning + sum(special)
    counts = {name: tokens(name) % 5_000 for name in COUNTS}
    counts["pages"] += counts["annotatedPages"]
    quantities: dict[str, int | str] = {QUANTITY_OF[kind]: number for kind, number in kinds.items()}
    ours = Usage(prompt, completion, cached, written, reasoning, {**quantities, **counts})
    theirs = {
        "input_tokens": prompt,
        "output_tokens": completion,
        "cache_read_tokens": cached,
        "cache_write_tokens": written,
        "output_reasoning_tokens": reasoning,
        **{WHOLES[kind]: number for kind, number in kinds.items()},
        **{COUNTS[name]: number for name, number in counts.items()},
        "input_audio_seconds": counts["audioSeconds"],
    }
    return ours, theirs


def moments(chance: random.Random) -> Iterator[datetime]:
    for _ in range(ROUNDS):
        yield datetime(2024, 1, 1, tzinfo=UTC) + timedelta(seconds=chance.randrange(4 * 365 * 86_400))


def ours_at(provider: Provider, model: ModelInfo, tier: str, moment: datetime) -> Version | None:
    own = latest(BOOK.get((provider.id, model.id, tier), ()), moment)
    return own or latest(BOOK.get((provider.id, model.id, "standard"), ()), moment)


def differences(provider: Provider, model: ModelInfo) -> Iterator[str]:
    """Yield how a model's costs differ on random uses at random moments in every tier."""
    name = f"{provider.id}/{model.id}"
    chance = random.Random(name)
    contexts: Mapping[str, Mapping[str, str] | None] = {"standard": None, **CONTEXTS}
    for moment in moments(chance):
        for tier, context in contexts.items():
            mine, their = use(priced(model), chance)
            version = ours_at(provider, model, tier, moment)
            assert version is not None
            said = model.calc_price(
                TheirUsage(**their), provider, genai_request_timestamp=moment, price_context=context
            )
            paid = cost(mine, version.sheet(0))
            if abs(paid - exact(said.total_price)) > Fraction(1, 2):
                yield f"{name} {tier} {moment:%Y-%m-%d %H:%M}: {paid} here, {said.total_price * NANOS} there"


def exact(amount: Decimal) -> Fraction:
    # Their sums are of 28 digits; ours have no last digit.
    return Fraction(round(amount, 20)) * NANOS


def listed() -> list[tuple[Provider, ModelInfo]]:
    return [(provider, model) for provider, model in models() if (provider.id, model.id, "standard") in BOOK]


@pytest.mark.parametrize("provider_id", [provider.id for provider in providers()])
def test_every_price_of_a_provider_costs_what_genai_prices_says(provider_id: str) -> None:
    found = {
        f"{provider.id}/{model.id}": list(differences(provider, model))
        for provider, model in listed()
        if provider.id == provider_id
    }
    differing = {name: said[:3] for name, said in found.items() if said}
    assert {name: said for name, said in differing.items() if name not in DIFFERENCES} == {}


def test_every_difference_that_is_listed_is_one() -> None:
    by_name = {f"{provider.id}/{model.id}": (provider, model) for provider, model in listed()}
    assert all(list(differences(*by_name[name])) for name in DIFFERENCES)


def test_models_are_left_out_only_where_nothing_has_a_price() -> None:
    left_out = {(provider.id, model.id) for provider, model in models()} - {key[:2] for key in BOOK}
    assert left_out, NOTHING
    by_name = {(provider.id, model.id): model for provider, model in models()}
    assert {name for name in left_out if priced(by_name[name])} == set()
    assert genai.read().left_out.keys() == {
        "service_tier fast",
        "speed fast",
        "route mistral/eu",
        "search_type fast",
        "search_type web",
    }


def test_thousands_of_prices_were_compared() -> None:
    assert len(listed()) > 2_000
    assert sum(len(found) for found in BOOK.values()) > 2_500
