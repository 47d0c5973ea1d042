"""How much to hold for a call, so that it is rarely less than the call will cost. No database, no clock."""

from dataclasses import dataclass
from typing import Final

from billing.gate.policy import Policy, Unpriced
from billing.gate.question import Question, estimated_nanos
from billing.rating import Sheet
from billing.rating.formula import rounded
from billing.rating.meters import CHAINS, PROMPT, REQUESTS


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
    band = sheet.band(prompt_tokens)
    prompt = max(band.coefficient(meter) for meter in _PROMPTS)
    completion = max(band.coefficient(meter) for meter in _COMPLETIONS)
    total = band.coefficient(REQUESTS) + prompt * prompt_tokens + completion * completion_tokens
    return rounded(total, sheet.denominator)


_PROMPTS: Final = tuple(meter for meter, chain in CHAINS.items() if PROMPT in chain)
"""What a token of a prompt can be billed as."""
_COMPLETIONS: Final = tuple(meter for meter, chain in CHAINS.items() if PROMPT not in chain)
"""What a token of a completion can be billed as."""


def _without_price(policy: Policy) -> Estimate:
    if policy.unpriced is Unpriced.DENY:
        return Estimate(policy.hold_without_estimate, unpriced=True)
    if policy.unpriced is Unpriced.HOLD:
        return Estimate(policy.unpriced_hold)
    return Estimate(policy.hold_without_estimate)
