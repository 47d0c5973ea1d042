"""Pages of records under every filter, rare and frequent, held against the plain first page."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final
from urllib.parse import quote, urlencode

from benchmarks.dataset import Manifest
from benchmarks.figures import COST, Figure, milliseconds
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
    "meta[region]": "eu-west-1",
    "meta[level]": "2",
    **{name: f"hot_{name}" for name in LINKS},
}
RARE: Final = {
    "type": "rare.type",
    "endpoint": "/v1/rare",
    "capability": "rare",
    "model": "rare-model",
    "provider": "rare-provider",
    "status": "error",
    "meta[region]": "rare-region",
    "meta[level]": "77",
    **{name: f"rare_{name}" for name in LINKS},
}
"""Eight of the large organization's records have these, over ninety days; errors are rare only there."""


def measure(scale: Scale) -> list[Figure]:
    """Return what each page costs, in plain first pages."""
    with open_readers(scale) as readers:
        return [figure for reader in readers for figure in _pages(reader, scale)]


def _pages(reader: Reader, scale: Scale) -> list[Figure]:
    questions = dict(_questions(reader.manifest))
    costs: dict[str, list[float]] = {name: [] for name in questions}
    seconds: dict[str, float] = {}
    for _ in range(scale.rounds):
        plain = reader.seconds(PATH, scale.repeats)
        for name, path in questions.items():
            seconds[name] = reader.seconds(path, scale.repeats)
            costs[name].append(seconds[name] / plain)
    rows = f"{reader.manifest.rows // 1000:,}k records"
    behind = f"of {milliseconds(plain)}"
    return [
        Figure(
            f"{rows}: {name}", COST, tuple(found), LEAST, BEYOND, f"{milliseconds(seconds[name])} {behind}"
        )
        for name, found in costs.items()
    ]


def _questions(manifest: Manifest) -> Iterator[tuple[str, str]]:
    frequent = {"clientId": manifest.main_client, **FREQUENT}
    rare = {"clientId": manifest.rare_client, **RARE}
    for name, value in frequent.items():
        yield f"{name}, frequent", _path({name: value})
        yield f"{name}, rare", _path({name: rare[name]})
    yield "model, rare here and frequent elsewhere", _path({"model": ELSEWHERE})
    yield "model, of no record", _path({"model": "no such model"})
    yield "two frequent filters", _path({"model": "gpt-4o", "meta[region]": "eu-west-1"})
    yield "a rare and a frequent filter", _path({"botId": "rare_botId", "model": "rare-model"})
    yield "oldest first", _path({"order": "asc"})
    yield "oldest first, model, rare", _path({"order": "asc", "model": "rare-model"})
    yield "a window of one day", _path(manifest.window(days_ago=45, days=1))
    yield (
        "a window of one day, model, frequent",
        _path({**manifest.window(days_ago=45, days=1), "model": "gpt-4o"}),
    )


def _path(parameters: dict[str, str]) -> str:
    return f"{PATH}?{urlencode(parameters, quote_via=quote)}"
