"""What tests of the life of exports ask for: records, a directory, and ears for what workers are told."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from tests.usage.exports.watching import RECORDS, Told
from tests.usage.factories import Tenant, make_tenant, record
from usage.exports import services, stream, sweep


@pytest.fixture
def busy(transactional_db: None) -> Tenant:
    """An organization with records for several batches."""
    tenant = make_tenant("Acme")
    tenant.api.keep(*(record(f"r{number}", cost="0.5") for number in range(RECORDS)))
    return tenant


@pytest.fixture(autouse=True)
def place(tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory of the test's own for files, also those of the processes that it starts."""
    place = tmp_path / "exports"
    monkeypatch.setenv("EXPORT_DIR", str(place))
    settings.EXPORT_DIR = place
    settings.EXPORT_WORK_DIR = place / "unfinished"
    storage = settings.STORAGES["exports"]
    options = {**storage["OPTIONS"], "location": place}
    settings.STORAGES = {**settings.STORAGES, "exports": {**storage, "OPTIONS": options}}
    return place


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Batches of ten rows."""
    monkeypatch.setattr(stream, "ROWS", 10)


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Told:
    """What workers were told, instead of telling any."""
    heard: Told = []

    def hear(export_id: UUID, organization_id: int) -> bool:
        heard.append((export_id, organization_id))
        return True

    monkeypatch.setattr(services, "enqueue", hear)
    monkeypatch.setattr(sweep, "enqueue", hear)
    return heard
