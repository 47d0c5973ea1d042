"""The page `/metrics`: for whoever has the token."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from hmac import compare_digest
from pathlib import Path
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from prometheus_client import Metric
from prometheus_client.multiprocess import MultiProcessCollector

from config.metrics import directory, parts
from core.exposition import exposed
from core.problems import problem_response, unauthorized
from core.telemetry import REGISTRY


def answer(request: HttpRequest) -> HttpResponse:
    """Answer a scraper."""
    if request.method not in {"GET", "HEAD"}:
        return HttpResponseNotAllowed(["GET", "HEAD"])
    if not _is_permitted(request.headers.get("Authorization", "")):
        return problem_response(unauthorized("Send the operator's token: Authorization: Bearer …"))
    return exposed(Everything(), request.headers.get("Accept", ""))


class Everything:
    """All that is known: a part that is away is told as such, and the others are told all the same."""

    def collect(self) -> Iterator[Metric]:
        """Yield the families."""
        shared = directory.shared()
        yield from _counted(shared)
        yield from parts.database()
        yield from parts.redis()
        yield from parts.processes(shared)


def _counted(shared: Path | None) -> Iterable[Metric]:
    if shared is None:
        return REGISTRY.collect()
    everyones: Any = MultiProcessCollector
    found: Iterable[Metric] = everyones(None, str(shared)).collect()
    return found


def _is_permitted(authorization: str) -> bool:
    scheme, _, token = authorization.partition(" ")
    given, wanted = token.strip().encode(), settings.METRICS_TOKEN.encode()
    return scheme.lower() == "bearer" and compare_digest(given, wanted)
