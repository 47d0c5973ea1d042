"""What is spent is looked at at once, by telling the workers of it every two seconds at most."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from alerts.rules import wake
from tests.usage.factories import Tenant, record

pytestmark = pytest.mark.django_db


class Clockwork(threading.Timer):
    """A timer that waits for the test."""

    made: list[Clockwork] = []

    def start(self) -> None:
        self.made.append(self)


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What the workers are told."""
    said: list[Any] = []
    monkeypatch.setattr(wake, "tell", lambda task, ids, expires: said.append((task, ids)))
    monkeypatch.setattr("alerts.rules.wake.threading.Timer", Clockwork)
    Clockwork.made = []
    return said


def test_several_are_told_of_together_and_not_twice(told: list[Any]) -> None:
    noted = wake.Noted()
    for organization in (7, 3, 7):
        noted.add(organization)
    (timer,) = Clockwork.made
    assert timer.interval < 0.1
    noted.flush()
    noted.flush()
    assert told == [("alerts.tasks.evaluate_spend", [3, 7])]


def test_what_comes_after_is_told_two_seconds_later(told: list[Any]) -> None:
    noted = wake.Noted()
    noted.add(1)
    noted.flush()
    noted.add(2)
    assert 1.5 < Clockwork.made[1].interval <= 2
    noted.flush()
    assert [ids for _, ids in told] == [[1], [2]]


def test_only_batches_that_cost_something_are_noted(
    acme: Tenant, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    seen: list[int] = []
    monkeypatch.setattr(wake.NOTED, "add", seen.append)
    with django_capture_on_commit_callbacks(execute=True):
        acme.api.keep(record("free"), record("nothing", cost="0"))
    assert seen == []
    with django_capture_on_commit_callbacks(execute=True):
        acme.api.keep(record("dear", cost="0.01"))
    assert seen == [acme.id]
