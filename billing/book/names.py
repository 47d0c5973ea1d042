"""What a model is called in the list, whatever a call calls it."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Final

from genai_prices.data_snapshot import find_provider_by_id
from genai_prices.types import ModelInfo, Provider

_REMEMBERED: Final = 16_384
_PROXY: Final = "litellm"


@dataclass(frozen=True, slots=True)
class Canonical:
    """A model of the list.

    ``borrowed`` when the call names another provider, which offers the model without a price of its own.
    """

    provider: str
    model: str
    borrowed: bool


@lru_cache(maxsize=_REMEMBERED)
def canonical(provider: str, model: str) -> Canonical | None:
    """Return which model of the list a call means, if any; an empty provider is any.

    Source: the matching rules of genai-prices.
    """
    reference = model.lower()
    if provider.lower() == _PROXY:
        provider, reference = _behind_proxy(reference)
    house = _provider(provider, reference)
    if house is None:
        return None
    found = house.find_model(reference, all_providers=providers())
    if found is None:
        return None
    owner = next((each for each in _lenders(house) if any(found is known for known in each.models)), house)
    return Canonical(owner.id, found.id, owner is not house)


@cache
def providers() -> list[Provider]:
    """Return the providers that genai-prices knows, with their models."""
    from genai_prices.data import providers as known

    return known


def models() -> Iterator[tuple[Provider, ModelInfo]]:
    """Yield every model that genai-prices knows."""
    for provider in providers():
        for model in provider.models:
            yield provider, model


def _behind_proxy(reference: str) -> tuple[str, str]:
    """Return provider and model of a reference such as ``openai/gpt-4.1``."""
    provider, slash, model = reference.partition("/")
    if slash and find_provider_by_id(providers(), provider):
        return provider, model
    return "", reference


def _provider(provider: str, reference: str) -> Provider | None:
    if provider:
        return find_provider_by_id(providers(), provider)
    matching = (each for each in providers() if each.model_match and each.model_match.is_match(reference))
    return next(matching, None)


def _lenders(house: Provider) -> Iterator[Provider]:
    yield house
    known = {each.id: each for each in providers()}
    for name in house.fallback_model_providers or ():
        if name in known:
            yield known[name]
