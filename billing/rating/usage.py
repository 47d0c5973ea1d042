"""What a call used, taken apart so that each token is in one part alone."""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Final, Protocol

from billing.rating.meters import (
    CACHE_WRITE,
    CACHED_PROMPT,
    CHAINS,
    COMPLETION,
    PROMPT,
    REASONING,
    REQUESTS,
)
from usage.kinds import CACHE_WRITE_1H, CACHED_MODES, COMPLETION_KINDS, PROMPT_MODES, QUANTITIES, QUANTITY_OF


class Used(Protocol):
    """What rating reads of a call: a row on its way, a stored record and `Usage` all have it."""

    @property
    def prompt_tokens(self) -> int | None: ...
    @property
    def completion_tokens(self) -> int | None: ...
    @property
    def cached_prompt_tokens(self) -> int | None: ...
    @property
    def cache_write_tokens(self) -> int | None: ...
    @property
    def reasoning_tokens(self) -> int | None: ...
    @property
    def quantities(self) -> Mapping[str, int | str] | None: ...
    @property
    def succeeded(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class Usage:
    """What a call used: an estimate, or what was read of a record.

    Units: ``prompt_tokens`` includes the cached and the written part, ``completion_tokens`` the reasoning.
    """

    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    cached_prompt_tokens: int | None = None
    cache_write_tokens: int | None = None
    reasoning_tokens: int | None = None
    quantities: Mapping[str, int | str] | None = None
    succeeded: bool = True


def parts(used: Used) -> dict[str, int | Fraction]:
    """Return how much of each meter a call used, no token twice: the rest of a whole is the whole's own.

    The parts must not exceed their wholes; what comes in is refused when they do.
    Shape: meters that were not used may be absent.
    """
    quantities = used.quantities or {}
    cached, written = used.cached_prompt_tokens or 0, used.cache_write_tokens or 0
    reasoning = used.reasoning_tokens or 0
    found: dict[str, int | Fraction] = {
        PROMPT: (used.prompt_tokens or 0) - cached - written,
        CACHED_PROMPT: cached,
        CACHE_WRITE: written,
        COMPLETION: (used.completion_tokens or 0) - reasoning,
        REASONING: reasoning,
        REQUESTS: 1 if used.succeeded else 0,
    }
    if quantities:
        if not QUANTITIES.isdisjoint(quantities):
            _divide(found, quantities)
        found.update((name, amount(value)) for name, value in quantities.items() if name not in _TAKEN)
    return found


def amount(value: int | str) -> int | Fraction:
    """Return a quantity of a record as an exact number."""
    return value if isinstance(value, int) else Fraction(value)


def unit(meter: str) -> dict[str, int]:
    """Return by how much each meter's part changes with a unit of a quantity, the tokens being the same."""
    return {meter: 1, **dict(_WHOLES.get(meter, ()))}


def _divide(found: dict[str, int | Fraction], quantities: Mapping[str, int | str]) -> None:
    """Take the tokens of special kinds out of the wholes that they are part of."""
    for meter, wholes in _WHOLES.items():
        tokens = amount(quantities.get(QUANTITY_OF[meter], 0))
        if tokens:
            found[meter] = found.get(meter, 0) + tokens
            for whole, sign in wholes:
                found[whole] = found.get(whole, 0) + sign * tokens


# Sound that was cached is counted in the sound and in what was cached, and so is twice in the prompt.
_WHOLES: Final = {
    CACHE_WRITE_1H: ((CACHE_WRITE, -1),),
    **dict.fromkeys(PROMPT_MODES, ((PROMPT, -1),)),
    **{
        cached: ((mode, -1), (CACHED_PROMPT, -1), (PROMPT, 1))
        for cached, mode in zip(CACHED_MODES, PROMPT_MODES, strict=True)
    },
    **dict.fromkeys(COMPLETION_KINDS, ((COMPLETION, -1),)),
}
_TAKEN: Final = QUANTITIES | CHAINS.keys() | {REQUESTS}
