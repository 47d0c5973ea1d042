"""What tests of FOCUS ask for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import time_machine

from tests.usage.factories import Tenant, make_tenant


@pytest.fixture(autouse=True)
def _files(tmp_path: Path, settings: Any) -> None:
    settings.EXPORT_DIR = tmp_path
    settings.EXPORT_WORK_DIR = tmp_path / "unfinished"
    storage = settings.STORAGES["exports"]
    options = {**storage["OPTIONS"], "location": tmp_path}
    settings.STORAGES = {**settings.STORAGES, "exports": {**storage, "OPTIONS": options}}


@pytest.fixture
def acme(db: None, stopped_clock: time_machine.Traveller) -> Tenant:
    """An organization in Berlin whose plan has invoices."""
    return make_tenant("Acme", timezone="Europe/Berlin", currency="EUR")
