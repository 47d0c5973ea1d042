"""Pages of records under every filter, rare and frequent, held against the plain first page."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, urlencode

from benchmarks.dataset import Manifest
from benchmarks.figures import COST, Figure, count, milliseconds
from benchmarks.reading import Reader, open_readers
from benchmarks.scale import Scale
from benchmarks.values import ELSEWHERE
from usage.links import LINKS

PATH: Final = "/api/v1/records"
LEAST: Final = 5.0
BEYOND: Final = 2.0
FREQUENT: Final = {
    "type": "conversation.completion",
    "endpoint": "/v1/chat",
    "capability": "chat",
    "model": "gpt-4o",
    "provider": "openai",
    "status": "success",
    "statusCode": "200",
    "meta[region]": "eu-west-1",
    "meta[level]": "2",
}
RARE: Final = {
    "type": "rare.type",
    "endpoint": "/v1/rare",
    "capability": "rare",
    "model": "rare-model",
    "provider": "rare-provider",
    "status": "error",
    "statusCode": "500",
    "meta[region]": "rare-region",
    "meta[level]": "77",
}
"""Eight of the large organization's records have these, over ninety days; errors are rare only there."""


@dataclass(frozen=True)
class Question:
    """What is asked for: one page, or several alike, of which the slowest counts."""

    name: str
    paths: tuple[str, ...]

    @classmethod
    def of(cls, name: str, *parameters: dict[str, str]) -> Question:
        """Return the question for pages with these parameters."""
        return cls(name, tuple(f"{PATH}?{urlencode(one, quote_via=quote)}" for one in parameters))


def measure(scale: Scale) -> list[Figure]:
    """Return what each page costs, in plain first pages."""
    with open_readers(scale) as readers:
        return [figure for reader in readers for figure in _pages(reader, scale)]


def _pages(reader: Reader, scale: Scale) -> list[Figure]:
    questions = list(_questions(reader.manifest))
    costs: dict[str, list[float]] = {question.name: [] for question in questions}
    behind: dict[str, str] = {}
    for _ in range(scale.rounds):
        plain = reader.seconds(PATH, scale.repeats)
        for question in questions:
            slowest = max(reader.seconds(path, scale.repeats) for path in question.paths)
            costs[question.name].append(slowest / plain)
            behind[question.name] = f"{milliseconds(slowest)} of {milliseconds(plain)}"
    size = count(reader.manifest.rows)
    return [
        Figure(f"{size}: {name}", COST, tuple(found), LEAST, BEYOND, behind[name])
        for name, found in costs.items()
    ]


def _questions(manifest: Manifest) -> Iterator[Question]:
    day = manifest.window(days_ago=45, days=1)
    for kind, values, client in (
        ("frequent", FREQUENT, manifest.main_client),
        ("rare", RARE, manifest.rare_client),
    ):
        yield Question.of(f"clientId, {kind}", {"clientId": client})
        for name, value in values.items():
            yield Question.of(f"{name}, {kind}", {name: value})
        links = [{name: f"{'hot' if kind == 'frequent' else kind}_{name}"} for name in LINKS]
        yield Question.of(f"resource ids, {kind} (the slowest of {len(links)})", *links)
    yield Question.of("model, rare here and frequent elsewhere", {"model": ELSEWHERE})
    yield Question.of("model, of no record", {"model": "no such model"})
    yield Question.of("errorType, of no record", {"errorType": "no such error"})
    yield Question.of("two frequent filters", {"model": "gpt-4o", "meta[region]": "eu-west-1"})
    yield Question.of("a rare and a frequent filter", {"botId": "rare_botId", "model": "rare-model"})
    yield Question.of("oldest first", {"order": "asc"})
    yield Question.of("oldest first, model, rare", {"order": "asc", "model": "rare-model"})
    yield Question.of("a window of one day", day)
    yield Question.of("a window of one day, model, frequent", {**day, "model": "gpt-4o"})
