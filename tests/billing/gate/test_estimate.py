"""How much is held for so many tokens."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given

from billing.gate.estimate import dearest
from billing.rating import Rate, Sheet, Usage, cost
from tests.billing.rating.strategies import sheets, usages


@given(sheets(), usages())
def test_no_call_of_so_many_tokens_costs_more_than_is_held(sheet: Sheet, used: Usage) -> None:
    quantities = {name: value for name, value in (used.quantities or {}).items() if name != "pages"}
    used = replace(used, quantities=quantities)
    assert cost(used, sheet) <= dearest(sheet, used.prompt_tokens or 0, used.completion_tokens or 0)


def test_what_is_held_is_what_the_dearest_call_costs() -> None:
    amounts = {"prompt": 2, "cachedPrompt": 3, "completion": 5, "requests": 7}
    sheet = Sheet(1, tuple(Rate(meter, nanos, 1) for meter, nanos in amounts.items()))
    call = Usage(10, 4, cached_prompt_tokens=10)
    assert dearest(sheet, 10, 4) == cost(call, sheet) == 10 * 3 + 4 * 5 + 7
