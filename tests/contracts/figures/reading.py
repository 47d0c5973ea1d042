"""Which figures a page has, and where: cards, tables, facts, charts, gauges, and numbers in any sentence."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any, Final

from tests.contracts.figures.tree import Node, parse

MONTHS: Final = (
    "January|February|March|April|June|July|August|September|October|November|December"
    "|Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec"
)
TIMES: Final = re.compile(
    rf"""
      \d{{4}}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?)?(?:Z|[+-]\d\d:\d\d)?
    | \b(?:\d{{1,2}}(?:\ (?:{MONTHS}))?(?:\ \d{{4}})?\ ?–\ ?)?\d{{1,2}}\ (?:{MONTHS})(?:\ \d{{4}})?(?:,)?
    | \b(?:{MONTHS})\ \d{{4}}
    | \b\d\d:\d\d(?::\d\d)?\b
    | \bUTC[+-]\d\d:\d\d
    """,
    re.VERBOSE,
)
"""Days, moments and zones: when something is, not how much."""

DIGIT: Final = re.compile(r"\d")
SKIPPED: Final = frozenset({"script", "form", "pre"})
LINKS: Final = frozenset({"url", "hour"})
CONTROLS: Final = frozenset({"switch", "tabs", "crumbs"})
SENTENCES: Final = frozenset(
    {"p", "h1", "h2", "h3", "li", "summary", "caption", "label", "a", "span", "article"}
)
BLOCKS: Final = frozenset(
    {"p", "div", "ul", "ol", "dl", "li", "table", "section", "details", "form", "svg", "h3"}
)


@dataclass(frozen=True, slots=True)
class Figure:
    """A number that a page says: as it is written, with what a machine reads and what the pointer shows."""

    text: str
    value: str = ""
    title: str = ""


class Page:
    """The figures of a page by their places.

    ``names`` are what things are called by those who use them: a digit in a name is no figure.
    """

    def __init__(self, response: Any, names: Iterable[str]) -> None:
        assert response.status_code == 200, response.status_code
        root = parse(response.content.decode())
        self.root = next((node for node in root.nodes() if node.get("id") == "content"), root)
        self.figures: dict[str, Figure] = {}
        self.charts: dict[str, Any] = {}
        self._called = re.compile("|".join(map(re.escape, sorted(names, key=len, reverse=True))))
        for place, figure in _walk(self.root, "page"):
            if _counts(figure, self._called):
                self.figures[self._free(place)] = figure
        for node in self.root.nodes():
            if node.get("type") == "application/json":
                drawn = json.loads("".join(map(str, node.children)))
                self.charts[node.get("id").removesuffix("-data")] = drawn.get("datasets", drawn)

    def api(self, name: str) -> str:
        """Return the address at which, as the page says, the API answers the same."""
        found = [node.get("href") for node in self.root.nodes() if node.get("data-api") == name]
        assert found, name
        return found[0]

    def drawn(self) -> dict[str, list[Any]]:
        """Return what charts draw and say: the values of each field that has numbers, by chart and data."""
        found: dict[str, list[Any]] = {}
        for chart, datasets in self.charts.items():
            for name, marks in datasets.items():
                for field in dict.fromkeys(field for mark in marks for field in mark):
                    values = [mark.get(field) for mark in marks]
                    if field not in LINKS and any(map(self._is_number, values)):
                        found[f"{chart} {name} {field}"] = values
        return found

    def _is_number(self, value: Any) -> bool:
        if isinstance(value, str):
            return _counts(Figure(value), self._called)
        return isinstance(value, int | float) and not isinstance(value, bool)

    def _free(self, place: str) -> str:
        """Return a place that no figure has yet: repeated ones are numbered."""
        places = (place if number == 1 else f"{place} {number}" for number in count(1))
        return next(one for one in places if one not in self.figures)


def _counts(figure: Figure, called: re.Pattern[str]) -> bool:
    said = TIMES.sub("", f"{figure.text} {figure.title}")
    return bool(DIGIT.search(called.sub("", said)))


def _walk(node: Node, where: str) -> Iterator[tuple[str, Figure]]:
    for child in node.children:
        if isinstance(child, Node):
            named = child.get("aria-labelledby").removesuffix("-title") or child.get("id")
            yield from _element(child, named or where)


def _element(node: Node, where: str) -> Iterator[tuple[str, Figure]]:
    if node.tag in SKIPPED or node.classes & CONTROLS:
        return
    if "figure" in node.classes:
        yield from _card(node)
    elif node.tag == "table":
        yield from _table(node, node.get("id") or where)
    elif node.tag == "dl":
        yield from _facts(node, where)
    elif node.tag == "progress":
        yield f"{where} progress", Figure(node.get("value"), title=node.get("max"))
    elif node.get("role") == "img":
        marks = [one for one in node.nodes() if one.tag in {"rect", "line"}]
        drawn = ",".join(one.get("width") or one.get("x1") for one in marks)
        yield f"{where} drawn", Figure(node.get("aria-label"), title=drawn)
        yield from _walk(node, where)
    elif node.tag in SENTENCES and not any(one.tag in BLOCKS for one in node.nodes()):
        yield f"{where} {node.tag}", _said(node)
    else:
        yield from _walk(node, where)


def _said(node: Node) -> Figure:
    """Return what an element says, with its own title or those of what is in it."""
    within = [node, *node.nodes()]
    values = [one.get("value") for one in within if one.tag == "data"]
    titles = [one.get("title") for one in within if one.get("title") and one.tag != "abbr"]
    return Figure(node.text, " ".join(values), " ".join(titles))


def _card(node: Node) -> Iterator[tuple[str, Figure]]:
    name = f"card {node.get('id').removeprefix('figure-')}"
    for part in node.nodes():
        if "value" in part.classes:
            short, exact = part.find("span"), part.find("data")
            assert short is not None
            assert exact is not None
            unit = part.find("small")
            yield name, Figure(short.text, exact.get("value"), part.get("title"))
            yield f"{name} in full", Figure(f"{exact.text} {unit.text if unit else ''}".strip())
        elif "change" in part.classes:
            hidden = part.find("span", "visually-hidden")
            text = part.text.removeprefix(hidden.text if hidden else "").strip()
            yield f"{name} change", Figure(text, title=part.get("title"))
        elif "note" in part.classes:
            yield f"{name} note", _said(part)
        elif "spark" in part.classes:
            line = part.find("path")
            yield f"{name} line", Figure(line.get("d") if line else "")


def _table(node: Node, name: str) -> Iterator[tuple[str, Figure]]:
    caption, head = node.find("caption"), node.find("thead")
    if caption is not None:
        yield f"{name} caption", _said(caption)
    columns = [one.text for one in head.nodes() if one.tag == "th"] if head else []
    bodies = [one for one in node.children if isinstance(one, Node) and one.tag in {"tbody", "tfoot"}]
    for row in (row for body in bodies for row in body.nodes() if row.tag == "tr"):
        cells = [one for one in row.children if isinstance(one, Node)]
        key, place = _cell(cells[0]), 0
        for number, cell in enumerate(cells):
            column = columns[place] if place < len(columns) else ""
            place += int(cell.get("colspan") or 1)
            where = f"{name} / {key.value or key.text}"
            if number:
                where = f"{where} / {columns[place - 1] or column}"
            yield where, _cell(cell)
            note = cell.find("small")
            if note is not None:
                yield f"{where} note", _said(note)


def _cell(cell: Node) -> Figure:
    note = cell.find("small")
    text = cell.text.removesuffix(note.text).strip() if note is not None else cell.text
    return Figure(text, cell.get("data-value"), cell.get("title"))


def _facts(node: Node, where: str) -> Iterator[tuple[str, Figure]]:
    for pair in (one for one in node.nodes() if one.tag == "div"):
        label, told = pair.find("dt"), pair.find("dd")
        if label is not None and told is not None:
            yield f"{where} / {label.text}", _said(told)
