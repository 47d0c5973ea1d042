"""Questions over ninety days of many records: against a tenth of them, and against a scan by DuckDB."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from benchmarks.columns import Columns
from benchmarks.dataset import Dataset
from benchmarks.figures import COST, Figure, count, milliseconds
from benchmarks.questions import QUESTIONS, Question
from benchmarks.reading import Reader, open_readers
from benchmarks.scale import Scale

GROWTH: Final = (2.0, 1.3)
SCAN: Final = (1.0, 0.33)
PAGE: Final = (3.0, 1.5)
PAGES: Final = {"Overview": "/", "Usage": "/usage/"}


def measure(scale: Scale) -> list[Figure]:
    """Return what each question costs over the larger table, in its costs elsewhere."""
    with open_readers(scale) as (small, large), _columns(scale) as columns:
        for question in QUESTIONS:
            question.check(large, columns)
        return [
            *[_against_tenth(question, small, large, scale) for question in QUESTIONS],
            *[_against_scan(question, large, columns, scale) for question in QUESTIONS],
            *[_against_empty(name, path, large, scale) for name, path in PAGES.items()],
        ]


@contextmanager
def _columns(scale: Scale) -> Iterator[Columns]:
    with Columns(Dataset(scale.datasets[-1], scale.organizations).columnar) as columns:
        yield columns


def _against_tenth(question: Question, small: Reader, large: Reader, scale: Scale) -> Figure:
    ratios, behind = [], ""
    for _ in range(scale.rounds):
        few = small.seconds(question.path(small.manifest), scale.repeats)
        many = large.seconds(question.path(large.manifest), scale.repeats)
        ratios.append(many / few)
        behind = f"{milliseconds(many)} against {milliseconds(few)}"
    sizes = f"{count(large.manifest.rows)} against {count(small.manifest.rows)}"
    return Figure(f"{question.name}: {sizes}", COST, tuple(ratios), *GROWTH, behind)


def _against_scan(question: Question, large: Reader, columns: Columns, scale: Scale) -> Figure:
    ratios, behind = [], ""
    for _ in range(scale.rounds):
        scanned = columns.seconds(question.sql, question.bound(large.manifest), scale.repeats)
        answered = large.seconds(question.path(large.manifest), scale.repeats)
        ratios.append(answered / scanned)
        behind = f"{milliseconds(answered)} over HTTP against {milliseconds(scanned)}"
    name = f"{question.name}, {count(large.manifest.rows)}: against DuckDB"
    return Figure(name, COST, tuple(ratios), *SCAN, behind)


def _against_empty(name: str, path: str, large: Reader, scale: Scale) -> Figure:
    """Hold a page of the portal against the same page of an organization that has no record."""
    full, empty = large.manifest.big_slug, large.manifest.empty_slug
    ratios, behind = [], ""
    for _ in range(scale.rounds):
        nothing = large.page_seconds(path, empty, scale.repeats)
        everything = large.page_seconds(path, full, scale.repeats)
        ratios.append(everything / nothing)
        behind = f"{milliseconds(everything)} against {milliseconds(nothing)}"
    title = f"the page {name}, {count(large.manifest.rows)}: against that of an empty organization"
    return Figure(title, COST, tuple(ratios), *PAGE, behind)
