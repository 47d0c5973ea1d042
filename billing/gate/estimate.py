"""How much to hold for a call, so that it is rarely less than the call will cost. No database, no clock."""

from dataclasses import dataclass
from typing import Final

from billing.gate.policy import Policy, Unpriced
from billing.gate.question import Question, estimated_nanos
from billing.rating import Sheet, Usage, cost
from usage.kinds import CACHE_WRITE_1H, COMPLETION_KINDS, PROMPT_MODES, QUANTITY_OF


@dataclass(frozen=True, slots=True)
class Estimate:
    """What to hold, and whether the call's model lacks a price that a limit would need.

    Units: nanos.
    """

    nanos: int
    unpriced: bool = False


def estimate(question: Question, sheet: Sheet | None, policy: Policy) -> Estimate:
    """Return what to hold for a call; the sheet is its model's price, where one is named and has one.

    The caller's own figure is taken as it is. Tokens are priced at the dearest that each of them can cost.
    What says less than that is held at the floor of the settings, or at what is known if that is more.
    Raises: `Problem` 422.
    """
    own = estimated_nanos(question)
    if own is not None:
        return Estimate(own)
    if question.model is not None and sheet is None:
        return _without_price(policy)
    if sheet is None or not question.tells_tokens:
        return Estimate(policy.hold_without_estimate)
    nanos = dearest(sheet, question.prompt_tokens or 0, question.max_completion_tokens or 0)
    if question.prompt_tokens is None or question.max_completion_tokens is None:
        nanos = max(nanos, policy.hold_without_estimate)
    return Estimate(nanos)


def dearest(sheet: Sheet, prompt_tokens: int, completion_tokens: int) -> int:
    """Return the most that so many tokens can cost: each side all of the kind that costs most.

    Units: nanos.
    """
    return max(
        cost(
            Usage(
                prompt_tokens,
                completion_tokens,
                cache_write_tokens=prompt_tokens if written else None,
                reasoning_tokens=completion_tokens if reasoned else None,
                quantities={
                    **dict.fromkeys(prompt_kind, prompt_tokens),
                    **dict.fromkeys(completion_kind, completion_tokens),
                },
            ),
            sheet,
        )
        for written, prompt_kind in _PROMPTS
        for reasoned, completion_kind in _COMPLETIONS
    )


_PROMPTS: Final = (
    (False, ()),
    (True, ()),
    (True, (QUANTITY_OF[CACHE_WRITE_1H],)),
    *((False, (QUANTITY_OF[mode],)) for mode in PROMPT_MODES),
)
"""What all tokens of a prompt can be: whether they are written to the cache, and their kind."""
_COMPLETIONS: Final = (
    (False, ()),
    (True, ()),
    *((False, (QUANTITY_OF[kind],)) for kind in COMPLETION_KINDS),
)
"""What all tokens of a completion can be: whether they are reasoning, and their kind."""


def _without_price(policy: Policy) -> Estimate:
    if policy.unpriced is Unpriced.DENY:
        return Estimate(policy.hold_without_estimate, unpriced=True)
    if policy.unpriced is Unpriced.HOLD:
        return Estimate(policy.unpriced_hold)
    return Estimate(policy.hold_without_estimate)
