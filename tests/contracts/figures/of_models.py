"""The figures of the Models page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Final

from tests.contracts.figures import charts
from tests.contracts.figures.asking import Api, Row, called, chosen_of
from tests.contracts.figures.claims import (
    COUNT,
    Claims,
    Is,
    Share,
    Tells,
    kind_of,
)
from tests.contracts.figures.of_use import LABELS, granularity_of, priced, priced_cells
from tests.contracts.figures.reading import Page

_BOARD: Final = ("requests", "errorRate", "latency.average", "tokens", "cost", "costPerMillionTokens")


def models(page: Page, api: Api, chosen: Mapping[str, str]) -> Claims:
    """Claim the Models page."""
    claims, asked, view = Claims(), chosen_of(page, "leaderboard"), chosen.get("view", "requests")
    found = api.rows(asked, (*_BOARD, "unpriced"), by="model")
    board = sorted(found, key=lambda row: (-row["requests"], row["model"] or ""))
    claims.rows("leaderboard", _with_ranks(board))
    groups = sorted(found, key=lambda row: (-float(row[view]), row["model"] or ""))
    if not groups:
        return claims
    granularity = granularity_of(api, asked)
    points = api.rows(asked, (view,), granularity, "model")
    lines = [[row for row in points if row["model"] == one["model"]] for one in groups]
    unit = api.currency if view == "cost" else ""
    names = [called(one["model"]) for one in groups]
    heads = [f"{name}, {unit}" if unit else name for name in names]
    claims.rows(
        "trends-table",
        (
            (
                api.wall(lines[0][place]["timestamp"]),
                {head: Is(kind_of(view), line[place][view]) for head, line in zip(heads, lines, strict=True)},
            )
            for place in reversed(range(len(lines[0])))
        ),
    )
    charts.series(
        claims, "trends", [[row[view] for row in line] for line in lines], view, unit, stacked=False
    )
    _shares(claims, groups, names, view, unit)
    return claims


def _with_ranks(board: Sequence[Row]) -> Sequence[tuple[str, dict[str, Is | Tells]]]:
    return [
        (called(row["model"]), {"Rank": Is(COUNT, rank), **priced_cells(row, _BOARD)})
        for rank, row in enumerate(board, start=1)
    ]


def _shares(claims: Claims, groups: Sequence[Row], names: Sequence[str], view: str, unit: str) -> None:
    whole = sum(Decimal(one[view]) for one in groups)
    shares = [Decimal(one[view]) / whole if whole else Decimal(0) for one in groups]
    label = LABELS[view].partition(",")[0]
    said = [f"{share:.1%}" for share in shares]
    head = f"{label}, {unit}" if unit else label
    claims.rows(
        "shares-table",
        (
            (name, {head: Is(kind_of(view), priced(one)[view]), "Share": Share(share)})
            for name, one, share in zip(names, groups, shares, strict=True)
        ),
    )
    claims.tells("shares drawn", *(share.rstrip("%") for share in said[:3]))
    claims.drawn |= {
        "shares slices value": [one[view] for one in groups],
        "shares slices exact": [charts.exact(view, priced(one)[view], unit) for one in groups],
        "shares slices share": said,
        "shares slices place": list(range(len(groups))),
    }
