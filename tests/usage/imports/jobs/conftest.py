"""What tests of imports in the background ask for: a directory, and ears for what workers are told."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from tests.usage.imports.jobs.support import Told
from usage.imports.jobs import services, sweep


@pytest.fixture(autouse=True)
def place(tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory of the test's own for files, also those of the processes that it starts."""
    place = tmp_path / "imports"
    monkeypatch.setenv("IMPORT_DIR", str(place))
    settings.IMPORT_DIR = place
    settings.IMPORT_WORK_DIR = place / "unfinished"
    storage = settings.STORAGES["imports"]
    options = {**storage["OPTIONS"], "location": place}
    settings.STORAGES = {**settings.STORAGES, "imports": {**storage, "OPTIONS": options}}
    return place


@pytest.fixture(autouse=True)
def told(monkeypatch: pytest.MonkeyPatch) -> Told:
    """What workers were told, instead of telling any."""
    heard: Told = []

    def hear(import_id: UUID, organization_id: int) -> bool:
        heard.append((import_id, organization_id))
        return True

    monkeypatch.setattr(services, "enqueue", hear)
    monkeypatch.setattr(sweep, "enqueue", hear)
    return heard
