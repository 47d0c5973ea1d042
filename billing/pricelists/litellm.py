"""LiteLLM's map of model prices, whose keys follow a grammar.

``{base}[_above_1hr|_above_12hr][_above_{N}k_tokens][_{tier}]``: what is measured, for how long a cache keeps
it, beyond how many prompt tokens, in which tier. Amounts are for one unit.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any, BinaryIO, Final

from billing.book.terms import FIRST, STANDARD, Terms
from billing.pricelists.listing import Listing, Unusable, per_token
from billing.rating import Rate

SOURCE: Final = "litellm"
CURRENCY: Final = "USD"
METERS: Final = {
    "input_cost_per_token": "prompt",
    "cache_read_input_token_cost": "cachedPrompt",
    "input_cost_per_token_cache_hit": "cachedPrompt",
    "cache_creation_input_token_cost": "cacheWrite",
    "cache_creation_input_token_cost_above_1hr": "cacheWrite1h",
    "input_cost_per_audio_token": "audioPrompt",
    "input_cost_per_image_token": "imagePrompt",
    "input_cost_per_video_token": "videoPrompt",
    "cache_read_input_audio_token_cost": "cachedAudioPrompt",
    "cache_read_input_image_token_cost": "cachedImagePrompt",
    "output_cost_per_token": "completion",
    "output_cost_per_reasoning_token": "reasoning",
    "citation_cost_per_token": "citation",
    "output_cost_per_audio_token": "audioCompletion",
    "output_cost_per_image_token": "imageCompletion",
    "output_cost_per_video_token": "videoCompletion",
    "input_cost_per_character": "characters",
    "output_cost_per_character": "outputCharacters",
    "input_cost_per_image": "inputImages",
    "output_cost_per_image": "images",
    "input_cost_per_pixel": "pixels",
    "output_cost_per_pixel": "outputPixels",
    "input_cost_per_second": "seconds",
    "cost_per_second": "seconds",
    "output_cost_per_second": "outputSeconds",
    "input_cost_per_audio_per_second": "audioSeconds",
    "input_cost_per_video_per_second": "videoSeconds",
    "output_cost_per_video_per_second": "outputVideoSeconds",
    "ocr_cost_per_page": "pages",
    "ocr_cost_per_credit": "ocrCredits",
    "input_cost_per_query": "queries",
    "input_cost_per_request": "requests",
    "input_cost_per_text_message": "textMessages",
    "google_maps_grounding_cost_per_query": "mapsSearches",
    "code_interpreter_cost_per_session": "codeSessions",
    "guardrail_cost_per_unit": "guardrailUnits",
}
TIERS: Final = {"": STANDARD, "batches": "batch", "priority": "priority", "flex": "flex"}
LEFT_OUT: Final = {
    "search_context_cost_per_query": "depends on the size of what is searched",
    "off_peak_pricing": "depends on the day of the week",
    "explicit_cache_read_input_token_cost": "depends on how the cache was asked for",
    "cache_creation_input_audio_token_cost": "has no meter",
    "annotation_cost_per_page": "does not say whether it comes on top of the page",
    "cache_creation_input_token_cost_above_12hr": "has no meter",
    "regional_endpoint_uplift_multiplier": "depends on the region",
}
"""What a price may say that the book has no word for; any other key that names a cost can't be read."""

_KEY: Final = re.compile(
    r"(?P<base>.+?)(?:_above_(?P<above>[0-9]+)k_tokens)?"
    r"(?:_(?P<tier>batches|priority|flex|balanced|ultrafast|decisions))?"
)
_SPECIFIC: Final = re.compile(
    r".*(_above_12hr|_dbu_cost_per_token|_interval|_[0-9]+p|_[0-9]+k|_[0-9.]+K|_image_[0-9]+|_per_1k_(tokens|calls)"
    r"|_per_gb_per_day)$"
)
_SPECIMEN: Final = "sample_spec"


def read(file: BinaryIO) -> Listing:
    """Return the list of a file.

    Raises: ValueError when it isn't a map of models.
    """
    listing, seen = Listing(), dict[tuple[str, str], str]()
    models = json.load(file, parse_float=Decimal)
    if not isinstance(models, dict) or not all(isinstance(entry, dict) for entry in models.values()):
        raise ValueError("the file is not a map of models with their prices")
    for name, entry in models.items():
        if name == _SPECIMEN:
            continue
        provider = str(entry.get("litellm_provider") or "")
        model = name.removeprefix(f"{provider}/")
        if (provider, model) in seen:
            listing.skipped.append((name, f"the same model as {seen[provider, model]}"))
            continue
        seen[provider, model] = name
        _add(listing, name, Terms(rates=(), effective_from=FIRST, provider=provider, model=model), entry)
    return listing


def _add(listing: Listing, name: str, terms: Terms, entry: Mapping[str, Any]) -> None:
    try:
        tiers = _tiers(listing, entry)
    except Unusable as error:
        listing.skipped.append((name, str(error)))
        return
    standard = tiers.pop(STANDARD, {})
    if not standard and not tiers:
        listing.skipped.append((name, "no price of a known meter"))
    if standard:
        listing.prices.append(replace(terms, rates=tuple(standard.values()), source=SOURCE))
    for tier, rates in tiers.items():
        # What the tier doesn't say is as in the standard one.
        merged = tuple({**standard, **rates}.values())
        listing.prices.append(replace(terms, tier=tier, rates=merged, source=SOURCE))


_Rates = dict[tuple[str, int], Rate]


def _tiers(listing: Listing, entry: Mapping[str, Any]) -> dict[str, _Rates]:
    tiers: dict[str, _Rates] = {}
    for tier, meter, above, amount in _amounts(listing, entry):
        tiers.setdefault(tier, {}).setdefault((meter, above), per_token(meter, amount, above))
    return tiers


def _amounts(listing: Listing, entry: Mapping[str, Any]) -> Iterator[tuple[str, str, int, Decimal]]:
    for key, value in entry.items():
        if value is None or not names_cost(key):
            continue
        place = place_of(key)
        if place is None or not isinstance(value, int | Decimal):
            listing.left_out[key] += 1
            continue
        yield (*place, Decimal(value))
    for step in entry.get("tiered_pricing") or ():
        above = int(step["range"][0]) if "range" in step else 0
        for key, value in step.items():
            if names_cost(key) and (place := place_of(key)) is not None:
                yield place[0], place[1], above, Decimal(value)


def names_cost(key: str) -> bool:
    """Tell whether a key of the map says what something costs."""
    return "cost" in key or key == "off_peak_pricing"


def place_of(key: str) -> tuple[str, str, int] | None:
    """Return tier, meter and threshold of a key, or None for what is left out.

    Raises: ValueError for a key that the grammar does not know.
    """
    match = _KEY.fullmatch(key)
    base, above, tier = match.group("base", "above", "tier") if match else (key, None, None)
    if base in METERS and (tier or "") in TIERS:
        return TIERS[tier or ""], METERS[base], int(above or 0) * 1000
    if base in METERS or base in LEFT_OUT or _SPECIFIC.match(base):
        return None
    raise ValueError(f"the price list has a key that is not known: {key}")
