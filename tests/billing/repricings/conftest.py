"""What tests of repricings ask for: ears for what workers are told, and no beat that they did not ask for."""

from __future__ import annotations

from uuid import UUID

import pytest

from billing.repricings import run, services, sweep
from tests.billing.repricings.support import Told


@pytest.fixture(autouse=True)
def told(monkeypatch: pytest.MonkeyPatch) -> Told:
    """What workers were told, instead of telling any."""
    heard: Told = []

    def hear(repricing_id: UUID) -> bool:
        heard.append(repricing_id)
        return True

    monkeypatch.setattr(services, "enqueue", hear)
    monkeypatch.setattr(sweep, "enqueue", hear)
    return heard


@pytest.fixture(autouse=True)
def _no_beat(monkeypatch: pytest.MonkeyPatch) -> None:
    # On another connection, which sees nothing of a test that is one transaction.
    monkeypatch.setattr(run, "EVERY_SECONDS", 3600.0)
