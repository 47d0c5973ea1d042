"""The list that genai-prices brings along: what models cost, since when, at which hours, in which tiers.

Source: genai_prices.types (`ModelInfo.get_prices` and `TieredPrices` say what conditions and tiers mean).
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, time
from decimal import Decimal
from typing import Any, Final

from genai_prices.types import ConditionalPrice, ModelInfo, ModelPrice, TieredPrices, TimeOfDateConstraint

from billing.book.names import models
from billing.book.terms import FIRST, Terms
from billing.pricelists.listing import Listing, Unusable, rate
from billing.rating import Rate

SOURCE: Final = "genai-prices"
CURRENCY: Final = "USD"
CONTEXTS: Final[dict[str, dict[str, str]]] = {
    "batch": {"processing": "batch"},
    "priority": {"service_tier": "priority"},
    "flex": {"service_tier": "flex"},
}
"""How genai-prices is asked for the price of a tier."""

METERS: Final[dict[str, tuple[str, int]]] = {
    "input_mtok": ("prompt", 1_000_000),
    "cache_read_mtok": ("cachedPrompt", 1_000_000),
    "cache_write_mtok": ("cacheWrite", 1_000_000),
    "cache_write_1h_mtok": ("cacheWrite1h", 1_000_000),
    "input_audio_mtok": ("audioPrompt", 1_000_000),
    "input_image_mtok": ("imagePrompt", 1_000_000),
    "input_video_mtok": ("videoPrompt", 1_000_000),
    "cache_audio_read_mtok": ("cachedAudioPrompt", 1_000_000),
    "cache_image_read_mtok": ("cachedImagePrompt", 1_000_000),
    "output_mtok": ("completion", 1_000_000),
    "output_reasoning_mtok": ("reasoning", 1_000_000),
    "output_citation_mtok": ("citation", 1_000_000),
    "output_audio_mtok": ("audioCompletion", 1_000_000),
    "output_image_mtok": ("imageCompletion", 1_000_000),
    "output_video_mtok": ("videoCompletion", 1_000_000),
    "input_mchars": ("characters", 1_000_000),
    "input_text_messages_kcount": ("textMessages", 1_000),
    "audio_hours": ("audioSeconds", 3_600),
    "input_document_kpages": ("pages", 1_000),
    "input_annotated_document_kpages": ("annotatedPages", 1_000),
    "web_searches_kcount": ("webSearches", 1_000),
    "storage_searches_kcount": ("storageSearches", 1_000),
    "social_searches_kcount": ("socialSearches", 1_000),
    "code_executions_kcount": ("codeExecutions", 1_000),
    "rerank_searches_kcount": ("rerankSearches", 1_000),
    "requests_kcount": ("requests", 1_000),
}
# Sound that is heard is part of all sound, and costs the same wherever it has a price.
_PART_OF: Final = {"input_audio_hours": "audio_hours"}
_ANNOTATED, _PAGES = "input_annotated_document_kpages", "input_document_kpages"


def read() -> Listing:
    """Return the list."""
    listing = Listing()
    for provider, model in models():
        name = f"{provider.id}/{model.id}"
        try:
            prices = list(_prices(provider.id, model, listing))
        except Unusable as error:
            listing.skipped.append((name, str(error)))
            continue
        if prices:
            listing.prices += prices
        else:
            listing.skipped.append((name, "no price of a known meter"))
    return listing


def _prices(provider: str, model: ModelInfo, listing: Listing) -> Iterator[Terms]:
    terms = Terms(rates=(), effective_from=FIRST, provider=provider, model=model.id, source=SOURCE)
    by_day = replace(model, prices=_without_hours(model))
    standard = _versions(by_day, None, listing)
    yield from (replace(terms, effective_from=start, rates=rates) for start, rates in standard)
    for opens, closes, price in _hours(model):
        yield replace(terms, rates=_rates(price, listing), daily_from=opens, daily_until=closes)
    for tier, context in CONTEXTS.items():
        if any(variant.when == context for variant in model.price_variants or ()):
            for start, rates in _beyond(standard, _versions(by_day, context, listing)):
                yield replace(terms, tier=tier, effective_from=start, rates=rates)
    for variant in model.price_variants or ():
        if variant.when not in (*CONTEXTS.values(), {"service_tier": "default"}):
            listing.left_out[" ".join(f"{name} {value}" for name, value in variant.when.items())] += 1


def _versions(
    model: ModelInfo, context: Mapping[str, str] | None, listing: Listing
) -> list[tuple[datetime, tuple[Rate, ...]]]:
    """Return what a model costs from each day on which that changes."""
    found: list[tuple[datetime, tuple[Rate, ...]]] = []
    for start in sorted({FIRST, *_days(model)}):
        rates = _rates(model.get_prices(start, context), listing)
        if rates and (not found or found[-1][1] != rates):
            found.append((start, rates))
    return found


def _beyond(
    standard: list[tuple[datetime, tuple[Rate, ...]]], tier: list[tuple[datetime, tuple[Rate, ...]]]
) -> list[tuple[datetime, tuple[Rate, ...]]]:
    """Return a tier's prices from the first that isn't the standard one."""
    first = next((start for start, rates in tier if (start, rates) not in standard), None)
    return [] if first is None else [(start, rates) for start, rates in tier if start >= first]


def _days(model: ModelInfo) -> Iterator[datetime]:
    conditions = [each.constraint for each in (*_conditional(model), *(model.price_variants or ()))]
    for condition in conditions:
        day = getattr(condition, "start_date", None)
        if day is not None:
            yield datetime.combine(day, time(), UTC)


def _conditional(model: ModelInfo) -> list[ConditionalPrice]:
    return [] if isinstance(model.prices, ModelPrice) else list(model.prices)


def _without_hours(model: ModelInfo) -> Any:
    if isinstance(model.prices, ModelPrice):
        return model.prices
    return [each for each in model.prices if not isinstance(each.constraint, TimeOfDateConstraint)]


def _hours(model: ModelInfo) -> Iterator[tuple[time, time, ModelPrice]]:
    for each in _conditional(model):
        if isinstance(each.constraint, TimeOfDateConstraint):
            yield _utc(each.constraint.start_time), _utc(each.constraint.end_time), each.prices


def _utc(value: time) -> time:
    if value.tzinfo is None:
        return value
    return datetime.combine(FIRST, value).astimezone(UTC).time()


def _rates(price: ModelPrice, listing: Listing) -> tuple[Rate, ...]:
    amounts = {name: value for name, value in price.__dict__.items() if value is not None}
    rates: list[Rate] = []
    for name, value in amounts.items():
        if name in METERS:
            rates += _steps(name, value, amounts)
        elif amounts.get(_PART_OF.get(name, "")) != value:
            listing.left_out[name] += 1
    return tuple(rates)


def _steps(name: str, value: Decimal | TieredPrices, amounts: Mapping[str, Any]) -> Iterator[Rate]:
    meter, per = METERS[name]
    if isinstance(value, TieredPrices):
        yield rate(meter, value.base, per)
        for tier in value.tiers:
            yield rate(meter, tier.price, per, tier.start)
    elif name == _ANNOTATED:
        # An annotated page is a page as well: what it costs more.
        yield rate(meter, value - amounts.get(_PAGES, Decimal(0)), per)
    else:
        yield rate(meter, value, per)
