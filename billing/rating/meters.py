"""What can be measured of a call, and which rate a token falls back to when its own has none."""

from typing import Final

from usage.kinds import CACHE_WRITE_1H, CACHED_MODES, COMPLETION_KINDS, PROMPT_MODES

PROMPT: Final = "prompt"
CACHED_PROMPT: Final = "cachedPrompt"
CACHE_WRITE: Final = "cacheWrite"
COMPLETION: Final = "completion"
REASONING: Final = "reasoning"
REQUESTS: Final = "requests"

Chain = tuple[str, ...]
"""Meters, the most special first: a token is billed by the first of them that has a rate."""

CHAINS: Final[dict[str, Chain]] = {
    PROMPT: (PROMPT,),
    CACHED_PROMPT: (CACHED_PROMPT, PROMPT),
    CACHE_WRITE: (CACHE_WRITE, PROMPT),
    CACHE_WRITE_1H: (CACHE_WRITE_1H, CACHE_WRITE, PROMPT),
    **{mode: (mode, PROMPT) for mode in PROMPT_MODES},
    # Without a rate of its own, what is cached costs what it would cost uncached: sound stays sound.
    **{
        cached: (cached, mode, CACHED_PROMPT, PROMPT)
        for cached, mode in zip(CACHED_MODES, PROMPT_MODES, strict=True)
    },
    COMPLETION: (COMPLETION,),
    REASONING: (REASONING, COMPLETION),
    **{kind: (kind, COMPLETION) for kind in COMPLETION_KINDS},
}
"""The meters of tokens; any other meter but ``requests`` is a quantity of the record, by its own name."""
