"""Sheets and uses of every kind, for hypothesis."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from billing.rating import Rate, Sheet, Usage

METERS = (
    "prompt",
    "cachedPrompt",
    "cacheWrite",
    "cacheWrite1h",
    "audioPrompt",
    "cachedAudioPrompt",
    "completion",
    "reasoning",
    "audioCompletion",
    "requests",
    "pages",
)


@st.composite
def sheets(draw: DrawFn) -> Sheet:
    """Prices with some meters, some thresholds, and sometimes a discount."""
    keys = st.tuples(st.sampled_from(METERS), st.sampled_from((0, 0, 50, 200_000)))
    rates = tuple(
        Rate(meter, draw(st.integers(0, 10**11)), draw(st.sampled_from((1, 7, 1_000, 3_600, 10**6))), above)
        for meter, above in draw(st.lists(keys, min_size=1, max_size=8, unique=True))
    )
    return Sheet(1, rates, draw(st.sampled_from((0, 0, 1, 1_250, 9_999, 10_000))))


@st.composite
def usages(draw: DrawFn) -> Usage:
    """Uses whose parts never exceed their wholes."""
    sizes = st.sampled_from((0, 1, 3, 40, 199_990)) | st.integers(0, 300_000)
    text, cached, written, hour, sound, cached_sound = (draw(sizes) for _ in range(6))
    spoken, thought, plain = (draw(sizes) for _ in range(3))
    pages: int | str = draw(st.integers(0, 9) | st.sampled_from(("2.5", "0.000000001")))
    quantities: dict[str, int | str] = {
        "cacheWrite1hTokens": hour,
        "audioPromptTokens": sound + cached_sound,
        "cachedAudioPromptTokens": cached_sound,
        "audioCompletionTokens": spoken,
        "pages": pages,
    }
    return Usage(
        text + cached + written + hour + sound + cached_sound,
        spoken + thought + plain,
        cached_prompt_tokens=cached + cached_sound,
        cache_write_tokens=written + hour,
        reasoning_tokens=thought,
        quantities=draw(st.none() | st.just(quantities)),
        succeeded=draw(st.booleans()),
    )
