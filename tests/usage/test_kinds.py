"""Kinds of tokens are parts of the tokens, and never more."""

from __future__ import annotations

from typing import Any

import pytest

from usage.dialects.errors import Fault
from usage.dialects.plain import Tokens
from usage.kinds import check

TOKENS = Tokens(prompt=100, completion=50, cached_prompt=30, cache_write=20, reasoning=10)


@pytest.mark.parametrize(
    "quantities",
    [
        {},
        {"pages": "2.5"},
        {"cacheWrite1hTokens": 20},
        {"audioPromptTokens": 50},
        {"audioPromptTokens": 30, "imagePromptTokens": 20},
        {"audioPromptTokens": 80, "cachedAudioPromptTokens": 30},
        {"audioCompletionTokens": 30, "citationTokens": 10},
    ],
)
def test_what_fits_is_accepted(quantities: dict[str, Any]) -> None:
    check(TOKENS, quantities)


@pytest.mark.parametrize(
    ("quantities", "named"),
    [
        ({"cacheWrite1hTokens": 21}, "cacheWrite1hTokens"),
        ({"audioPromptTokens": 51}, "audioPromptTokens"),
        ({"audioPromptTokens": 30, "imagePromptTokens": 21}, "audioPromptTokens"),
        ({"cachedAudioPromptTokens": 1}, "cachedAudioPromptTokens"),
        ({"audioPromptTokens": 31, "cachedAudioPromptTokens": 31}, "cachedAudioPromptTokens"),
        ({"audioPromptTokens": 81, "cachedAudioPromptTokens": 30}, "audioPromptTokens"),
        ({"audioCompletionTokens": 41}, "audioCompletionTokens"),
        ({"citationTokens": 20, "videoCompletionTokens": 21}, "citationTokens"),
        ({"audioPromptTokens": "1.5"}, "audioPromptTokens"),
    ],
)
def test_what_exceeds_its_whole_is_refused_by_name(quantities: dict[str, Any], named: str) -> None:
    with pytest.raises(Fault) as refused:
        check(TOKENS, quantities)
    assert refused.value.pointer == f"/quantities/{named}"
    assert named in refused.value.detail


def test_without_tokens_there_are_none_of_any_kind() -> None:
    check(None, {"audioPromptTokens": 0})
    with pytest.raises(Fault, match="0 tokens"):
        check(None, {"audioPromptTokens": 1})
