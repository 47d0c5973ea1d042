"""Quantities that say how many of a call's tokens are of a special kind: parts of its ``tokens``."""

from collections.abc import Mapping
from typing import Final

from usage.dialects.errors import Fault
from usage.dialects.plain import Tokens

MODES: Final = ("audio", "image", "video")
PROMPT_MODES: Final = tuple(f"{mode}Prompt" for mode in MODES)
CACHED_MODES: Final = tuple(f"cached{mode.title()}Prompt" for mode in MODES)
CACHE_WRITE_1H: Final = "cacheWrite1h"
COMPLETION_KINDS: Final = ("citation", *(f"{mode}Completion" for mode in MODES))

QUANTITY_OF: Final = {
    kind: f"{kind}Tokens" for kind in (CACHE_WRITE_1H, *PROMPT_MODES, *CACHED_MODES, *COMPLETION_KINDS)
}
QUANTITIES: Final = frozenset(QUANTITY_OF.values())


def check(tokens: Tokens | None, quantities: Mapping[str, int | str]) -> None:
    """See that no kind has more tokens than the whole it is part of.

    Raises: `Fault` naming the quantity.
    """
    given = {kind: _whole(name, quantities.get(name, 0)) for kind, name in QUANTITY_OF.items()}
    whole = tokens or Tokens()
    cached, written = whole.cached_prompt or 0, whole.cache_write or 0
    _within(given, (CACHE_WRITE_1H,), written, "tokens.cacheWrite")
    for mode, cached_mode in zip(PROMPT_MODES, CACHED_MODES, strict=True):
        _within(given, (cached_mode,), given[mode], QUANTITY_OF[mode])
    _within(given, CACHED_MODES, cached, "tokens.cachedPrompt")
    # What is of a mode and cached is in both; it must leave the prompt room once.
    twice = sum(given[kind] for kind in CACHED_MODES)
    _within(
        given, PROMPT_MODES, (whole.prompt or 0) - cached - written + twice, "what tokens.prompt has left"
    )
    spoken = (whole.completion or 0) - (whole.reasoning or 0)
    _within(given, COMPLETION_KINDS, spoken, "what tokens.completion has left")


def _whole(name: str, value: int | str) -> int:
    if isinstance(value, str):
        raise Fault(f"/quantities/{name}", "invalid", f"{name} must be a whole number of tokens.")
    return value


def _within(given: Mapping[str, int], kinds: tuple[str, ...], most: int, where: str) -> None:
    if sum(given[kind] for kind in kinds) > most:
        name = next(QUANTITY_OF[kind] for kind in kinds if given[kind])
        raise Fault(
            f"/quantities/{name}", "invalid", f"{name} is part of {where}, which has {max(0, most)} tokens."
        )
