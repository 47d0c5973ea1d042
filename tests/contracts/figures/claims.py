"""What a figure has to be: a value of the API, written as pages write its kind."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from portal import kinds, measures, numbers
from tests.contracts.figures.reading import TIMES, Figure, Page

NONE: Final = "–"
UNITS: Final = re.compile(r",| ms$|%$| [A-Z]{3}$|^Previously: ")


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of figure: as a number, and in little room."""

    number: Callable[[Any], Decimal]
    short: Callable[[Any], str]


def _decimal(value: Any) -> Decimal:
    return Decimal(str(value))


def nanos(value: Any) -> int:
    """Return an amount of the API in nanos."""
    return int(_decimal(value).scaleb(9))


COUNT: Final = Kind(_decimal, lambda value: numbers.short(_decimal(value)))
MONEY: Final = Kind(_decimal, lambda value: numbers.short_money(nanos(value)))
PERCENT: Final = Kind(lambda value: _decimal(value) * 100, measures.PERCENT.short)
MILLISECONDS: Final = Kind(_decimal, measures.MILLISECONDS.short)
RATE: Final = Kind(_decimal, kinds.RATE.short)

METRICS: Final[Mapping[str, Kind]] = {
    "cost": MONEY,
    "costPerMillionTokens": MONEY,
    "errorRate": PERCENT,
    "successRate": PERCENT,
    "averageRpm": RATE,
    "averageTpm": RATE,
    **{f"latency.{name}": MILLISECONDS for name in ("average", "p50", "p95", "p99")},
}
"""The metrics that are no counts."""


def kind_of(metric: str) -> Kind:
    """Return how a metric is written."""
    return METRICS.get(metric, COUNT)


def bare(text: str) -> str:
    """Return a figure without its unit, its sign as a machine writes it."""
    left = text.replace("−", "-").removeprefix("+")
    while (shorter := UNITS.sub("", left)) != left:
        left = shorter
    return left


def parse(text: str) -> Decimal | None:
    """Return the number that a text is, without its unit; None for anything else."""
    try:
        return Decimal(bare(text))
    except InvalidOperation:
        return None


@dataclass(frozen=True, slots=True)
class Is:
    """The figure is this value: exactly where it can be, else as shortened."""

    kind: Kind
    value: Any

    @property
    def is_told(self) -> bool:
        """Whether there is anything to say."""
        return self.value is not None

    def fits(self, figure: Figure) -> bool:
        """Tell whether the figure, what a machine reads and what the pointer shows are the value."""
        exact = self.kind.number(self.value)
        machines = {exact, _decimal(self.value)}
        shown, short = (bare(text) for text in (figure.text, self.kind.short(self.value)))
        is_shown = shown == short or parse(figure.text) == exact
        is_titled = not figure.title or parse(figure.title) == exact
        return is_shown and is_titled and (not figure.value or parse(figure.value) in machines)


@dataclass(frozen=True, slots=True)
class Moved:
    """The figure is how a value moved from what it was before.

    ``by`` are what both are rates of, where the rates are rounded too far to tell.
    """

    kind: Kind
    now: Any
    before: Any
    is_arrow: bool = False
    by: tuple[Any, Any] | None = None

    @property
    def is_told(self) -> bool:
        """Whether it is said, and with a number."""
        return self.now is not None and self.before is not None

    @property
    def change(self) -> numbers.Change:
        """How the value moved."""
        now, before = self.by or (self.now, self.before)
        return numbers.change(_decimal(now), _decimal(before))

    def fits(self, figure: Figure) -> bool:
        """Tell whether the change is right, and what was before."""
        change = self.change
        arrow = {"up": "▲ ", "down": "▼ "}.get(change.direction, "") if self.is_arrow else ""
        before = parse(figure.title) if figure.title else self.kind.number(self.before)
        return figure.text == f"{arrow}{change.text}" and before == self.kind.number(self.before)


@dataclass(frozen=True, slots=True)
class Says:
    """The figure is this text: a name with digits in it, or a drawn line."""

    text: str
    is_told: bool = False

    def fits(self, figure: Figure) -> bool:
        """Tell whether the page has it so."""
        return self.text in {figure.text, figure.value}


@dataclass(frozen=True, slots=True)
class Tells:
    """A sentence with these numbers, in their order, whatever its words are."""

    numbers: tuple[str, ...]
    title: tuple[str, ...] | None = None
    value: str = ""

    @property
    def is_told(self) -> bool:
        """Whether there is a number to tell."""
        return bool(self.numbers)

    def fits(self, figure: Figure) -> bool:
        """Tell whether the sentence, and what the pointer shows, has just these numbers."""
        is_right = _same(numbers_in(figure.text), self.numbers)
        is_titled = self.title is None or _same(numbers_in(figure.title), self.title)
        return is_right and is_titled and (not self.value or figure.value == self.value)


@dataclass(frozen=True, slots=True)
class Share:
    """The figure is a part of a whole, in percent to one place."""

    value: Decimal
    is_told: bool = True

    def fits(self, figure: Figure) -> bool:
        """Tell whether the share is right."""
        text = "<0.1%" if 0 < self.value < Decimal("0.0005") else f"{self.value:.1%}"
        is_read = not figure.value or figure.value == f"{self.value:.6f}"
        return figure.text in {text, f"{self.value:.1%}"} and is_read


def _same(found: Sequence[str], wanted: Sequence[str]) -> bool:
    return [parse(one) or one for one in found] == [parse(one) or one for one in wanted]


Claim = Is | Moved | Says | Tells | Share
NUMBERS: Final = re.compile(r"(?<![\w.-])\d[\d,]*(?:\.\d+)?[KMBT]?(?!\w)")


def numbers_in(text: str) -> list[str]:
    """Return the numbers of a sentence; days and times are none."""
    return [one.rstrip(",") for one in NUMBERS.findall(TIMES.sub(" ", text))]


class Claims:
    """Which figure has to be what; those of charts are lists, a value for each mark."""

    def __init__(self) -> None:
        self.of: dict[str, Claim] = {}
        self.drawn: dict[str, list[Any]] = {}
        self._counted: dict[str, int] = {}

    def add(self, place: str, claim: Claim) -> None:
        """Claim a place; figures that the page hides for want of a number are none."""
        self.of[place] = claim

    def is_(self, place: str, kind: Kind, value: Any) -> None:
        """Claim that a figure is a value."""
        self.add(place, Is(kind, value))

    def says(self, place: str, text: str) -> None:
        """Claim that something is just this text."""
        self.add(place, Says(text))

    def tells(self, place: str, *told: Any, title: Iterable[Any] | None = None) -> None:
        """Claim that a sentence has these numbers."""
        self.add(place, Tells(tuple(map(str, told)), None if title is None else tuple(map(str, title))))

    def sentence(self, place: str, text: str) -> None:
        """Claim that something has the numbers of a sentence of the API."""
        self.tells(place, *numbers_in(text))

    def card(self, name: str, kind: Kind, value: Any, moved: Moved | None = None) -> None:
        """Claim a card, with its change where there is one."""
        self.is_(f"card {name}", kind, value)
        self.is_(f"card {name} in full", kind, value)
        if moved is not None:
            self.add(f"card {name} change", moved)

    def rows(self, table: str, rows: Iterable[tuple[str, Mapping[str, Claim]]]) -> None:
        """Claim the rows of a table: by what they are called, what stands in which column."""
        seen: dict[str, int] = {}
        for key, cells in rows:
            # Rows of one name follow each other: the page counts each of their figures that it has.
            self.says(_numbered(f"{table} / {key}", seen), key)
            for column, claim in cells.items():
                place = f"{table} / {key} / {column}"
                self.add(_numbered(place, seen) if claim.is_told else f"{place} untold {len(self.of)}", claim)


def _numbered(place: str, seen: dict[str, int]) -> str:
    seen[place] = seen.get(place, 0) + 1
    return place if seen[place] == 1 else f"{place} {seen[place]}"


def faults(page: Page, claims: Claims) -> Iterator[str]:
    """Yield what no claim has, what a claim misses, and what is otherwise than claimed."""
    for place, figure in page.figures.items():
        claim = claims.of.get(place)
        if claim is None:
            yield f"nobody claims {place}: {figure}"
        elif not (_has_value(claim) and claim.fits(figure)):
            yield f"{place} is {figure}, not {claim}"
    for place, claim in claims.of.items():
        if place not in page.figures and claim.is_told and not _is_silent(claim):
            yield f"{place} is missing: {claim}"
    yield from _drawn_otherwise(page.drawn(), claims.drawn)


def _drawn_otherwise(drawn: Mapping[str, list[Any]], claimed: Mapping[str, list[Any]]) -> Iterator[str]:
    for place, values in drawn.items():
        if place not in claimed:
            yield f"nobody claims {place}: {values[:3]}"
        elif not _alike(values, claimed[place]):
            yield f"{place} is {values}, not {claimed[place]}"
    yield from (f"{place} is not drawn" for place in claimed.keys() - drawn.keys())


def _has_value(claim: Claim) -> bool:
    """Tell whether there is something to compare with: without a value, the page may not tell one."""
    return claim.is_told or not isinstance(claim, Is | Moved)


def _is_silent(claim: Claim) -> bool:
    """Tell whether a change has no number to show."""
    return isinstance(claim, Moved) and claim.change.direction in {"same", "new"}


def _alike(found: Sequence[Any], wanted: Sequence[Any]) -> bool:
    if len(found) != len(wanted):
        return False
    return all(
        abs(one - float(other)) <= 1e-9 * max(1.0, abs(one)) if isinstance(one, int | float) else one == other
        for one, other in zip(found, wanted, strict=True)
    )
