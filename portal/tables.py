"""Tables of pages: columns that sort by a link, rows that lead further, pages."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, Generic, TypeVar

from core.params import Params
from portal import numbers
from portal.measures import Measure
from usage.queries.rollups import Group

PAGE_SIZE: Final = 25
PARAMETERS: Final = ("sort", "order", "page")
Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Column:
    """A column; ``sorted`` is ascending or descending where the rows stand in its order."""

    label: str
    is_number: bool = False
    meaning: str = ""
    url: str = ""
    sorted: str = ""


@dataclass(frozen=True, slots=True)
class Cell:
    """What stands at one place: short, with the exact value at hand, and where it leads.

    ``value`` is what a machine reads; ``share`` draws a bar of so many hundredths.
    """

    text: str
    exact: str = ""
    value: str = ""
    url: str = ""
    note: str = ""
    share: str = ""
    tone: str = ""
    is_number: bool = False
    is_code: bool = False


@dataclass(frozen=True, slots=True)
class Pages:
    """Where a page is among all: its number, of how many, and the ways to the next ones."""

    number: int
    count: int
    total: int
    previous: str = ""
    next: str = ""

    @property
    def said(self) -> str:
        """Where the page is, in words."""
        number, count, total = (numbers.exact(one) for one in (self.number, self.count, self.total))
        return f"Page {number} of {count} ({total} total)"


@dataclass(frozen=True, slots=True)
class Turned(Generic[Row]):
    """The rows of a page, how many there are in all, and which page it turned out to be."""

    rows: Sequence[Row]
    total: int
    number: int
    pages: Pages | None


@dataclass(frozen=True, slots=True)
class Table:
    """A table; ``caption`` says what its rows are, ``empty`` what there is without any.

    Where it ``stacks``, a narrow screen shows each row as a list of its figures with their names.
    """

    id: str
    caption: str
    columns: list[Column]
    rows: list[list[Cell]]
    empty: str = "No data in this period."
    pages: Pages | None = None
    file: str = ""
    stacks: bool = False

    @property
    def lines(self) -> list[list[tuple[Cell, str]]]:
        """The rows, with each cell the name that it needs where they are stacked."""
        labels = [column.label if self.stacks else "" for column in self.columns]
        return [list(zip(row, labels, strict=True)) for row in self.rows]


def cell(measure: Measure, group: Group, currency: str = "", **more: Any) -> Cell:
    """Return the cell of a measure."""
    exact = measure.exact(group)
    return Cell(
        measure.short(group),
        exact=measure.with_unit(group, currency).strip(),
        value=exact.replace(",", "").removesuffix(" ms"),
        is_number=True,
        **more,
    )


def exact_cell(measure: Measure, group: Group, **more: Any) -> Cell:
    """Return the cell of a measure that shows its value in full."""
    exact = measure.exact(group)
    return Cell(exact, value=exact.replace(",", "").removesuffix(" ms"), is_number=True, **more)


@dataclass(frozen=True, slots=True)
class Sorting:
    """By which column rows stand, and on which page one is."""

    by: str
    descending: bool
    page: int


def sorting(params: Params, names: Sequence[str], default: str, *, rising: Iterable[str] = ()) -> Sorting:
    """Read ``sort``, ``order`` and ``page``; columns in ``rising`` begin with the smallest.

    Raises: `Problem` 400.
    """
    by = params.choice("sort", names, default)
    order = params.choice("order", ("asc", "desc"), "asc" if by in rising else "desc")
    return Sorting(by, order == "desc", page_number(params))


def page_number(params: Params, name: str = "page") -> int:
    """Read the number of a page.

    Raises: `Problem` 400.
    """
    return params.integer(name, 1, minimum=1, maximum=100_000)


def sortable(
    label: str,
    name: str,
    now: Sorting,
    to: Callable[..., str],
    *,
    rising: bool = False,
    **more: Any,
) -> Column:
    """Return a column whose heading sorts by it, the other way round when it does so already."""
    is_sorted = now.by == name
    descending = not now.descending if is_sorted else not rising
    return Column(
        label,
        is_number=more.pop("is_number", not rising),
        url=to(sort=name, order="desc" if descending else "asc"),
        sorted=("descending" if now.descending else "ascending") if is_sorted else "",
        **more,
    )


def turned(
    read: Callable[[int], tuple[Sequence[Row], int]],
    number: int,
    to: Callable[..., str],
    *,
    size: int = PAGE_SIZE,
) -> Turned[Row]:
    """Return the page of that number, or the last one where there are not so many.

    ``read`` takes how many rows to leave out, and returns those of a page and how many there are in all.
    """
    rows, total = read((number - 1) * size)
    last = _count(total, size)
    if number > last:
        number = last
        rows, total = read((number - 1) * size)
    return Turned(rows, total, number, _pages(number, total, to, size))


def turned_in_order(
    read: Callable[..., tuple[Sequence[Row], int]], now: Sorting, to: Callable[..., str]
) -> Turned[Row]:
    """Return a page of what ``read`` sorts: by ``order`` and ``descending``, so many from an offset."""
    return turned(
        lambda offset: read(limit=PAGE_SIZE, offset=offset, order=now.by, descending=now.descending),
        now.page,
        ordered(now, to),
    )


def ranked(rows: Sequence[Row], figure: Callable[[Row], Any], *, descending: bool) -> list[Row]:
    """Return rows by a figure of theirs; those that have none come last, whichever way."""
    known = [row for row in rows if figure(row) is not None]
    rest = [row for row in rows if figure(row) is None]
    return sorted(known, key=figure, reverse=descending) + rest


def paged(rows: Sequence[Row], now: Sorting, to: Callable[..., str]) -> tuple[Sequence[Row], Pages | None]:
    """Return the rows of the page, and the ways to the others where there are any."""
    found = turned(lambda offset: (rows[offset : offset + PAGE_SIZE], len(rows)), now.page, ordered(now, to))
    return found.rows, found.pages


def _count(total: int, size: int) -> int:
    return max(-(-total // size), 1)


def _pages(number: int, total: int, to: Callable[..., str], size: int) -> Pages | None:
    """Return where a page is; None where there is only one."""
    count = _count(total, size)
    if count == 1:
        return None
    return Pages(
        number,
        count,
        total,
        previous=to(page=str(number - 1)) if number > 1 else "",
        next=to(page=str(number + 1)) if number < count else "",
    )


def ordered(now: Sorting, to: Callable[..., str]) -> Callable[..., str]:
    """Return the addresses of a page whose rows stay in their order."""
    return partial(to, sort=now.by, order="desc" if now.descending else "asc")
