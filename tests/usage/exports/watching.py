"""Watching exports while they are written, and meddling with whoever writes them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import pytest
import time_machine
from django.db import connections

from core import clock
from organizations.tenancy import system_scope
from tests.usage.factories import Tenant
from usage.exports.formats.delimited import CsvWriter
from usage.models import Export

RECORDS: Final = 60
Told = list[tuple[UUID, int]]


def stored(asked: dict[str, Any]) -> Export:
    """Return an export as it is kept."""
    with system_scope():
        return Export.objects.get(pk=asked["id"])


def shown(tenant: Tenant, asked: dict[str, Any]) -> dict[str, Any]:
    """Return an export as the API shows it."""
    body: dict[str, Any] = tenant.api.get(f"/exports/{asked['id']}").body
    return body


def left(place: Path) -> list[str]:
    """Return what lies where exports are written and kept."""
    return sorted(str(path.relative_to(place)) for path in place.rglob("*") if path.is_file())


@contextmanager
def later(passed: timedelta) -> Iterator[None]:
    """Be so much later."""
    with time_machine.travel(clock.now() + passed):
        yield


def elsewhere(work: Callable[[], Any]) -> Any:
    """Do something on connections of its own."""

    def done() -> Any:
        try:
            return work()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(done).result()


def on_each_batch(monkeypatch: pytest.MonkeyPatch, act: Callable[[int], None]) -> list[int]:
    """Have something happen before each batch is written; returns the numbers of those that came."""
    original = CsvWriter.write
    seen: list[int] = []

    def write_batch(self: CsvWriter, batch: Any) -> None:
        seen.append(len(seen))
        act(seen[-1])
        original(self, batch)

    monkeypatch.setattr(CsvWriter, "write", write_batch)
    return seen
