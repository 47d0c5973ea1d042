"""The worked tables of docs/rating.md are true."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from billing.book.written import read_rates
from billing.rating import Sheet, Usage, cost, one, units
from core.money import format_money, parse_money

TEXT = (Path(__file__).parents[3] / "docs/rating.md").read_text()
_WORKED = re.compile(
    r"```rates(?: discount=(?P<discount>[0-9]+))?\n(?P<rates>.*?)```\n\n(?P<table>(?:\|[^\n]*\n)+)", re.DOTALL
)


class Case(NamedTuple):
    """One row of a table, with the price above it."""

    sheet: Sheet
    cells: dict[str, str]


def cases() -> Iterator[Case]:
    for worked in _WORKED.finditer(TEXT):
        sheet = Sheet(1, read_rates(worked["rates"]), int(worked["discount"] or 0))
        header, _, *rows = [_cells(line) for line in worked["table"].splitlines()]
        for row in rows:
            yield Case(sheet, {name: cell for name, cell in zip(header, row, strict=True) if name and cell})


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip()[1:-1].split("|")]


CASES = list(cases())
COSTS = [case for case in CASES if "cost" in case.cells]
BUDGETS = [case for case in CASES if "budget" in case.cells]


def used(cells: dict[str, str]) -> Usage:
    quantities: dict[str, int | str] = {}
    for pair in cells.get("quantities", "").split():
        name, _, value = pair.partition("=")
        quantities[name] = int(value) if value.isdecimal() else value
    return Usage(
        int(cells.get("prompt", "0")),
        int(cells.get("completion", "0")),
        cached_prompt_tokens=int(cells.get("cachedPrompt", "0")),
        cache_write_tokens=int(cells.get("cacheWrite", "0")),
        reasoning_tokens=int(cells.get("reasoning", "0")),
        quantities=quantities,
        succeeded=cells.get("succeeded", "yes") == "yes",
    )


@pytest.mark.parametrize("case", COSTS, ids=lambda case: " ".join(map("=".join, case.cells.items())))
def test_a_worked_example_costs_what_it_says(case: Case) -> None:
    assert format_money(cost(used(case.cells), case.sheet)) == case.cells["cost"]


@pytest.mark.parametrize("case", BUDGETS, ids=lambda case: case.cells["budget"])
def test_a_budget_buys_what_it_says(case: Case) -> None:
    bought = units(parse_money(case.cells["budget"]), case.sheet, one(case.cells["meter"]))
    assert bought == int(case.cells["buys"])


def test_every_table_was_read() -> None:
    assert len(_WORKED.findall(TEXT)) == TEXT.count("```rates") == 8
    assert len(COSTS) + len(BUDGETS) == len(CASES) == 25
