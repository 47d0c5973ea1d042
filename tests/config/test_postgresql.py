"""The database backend checks an idle connection once a request, and never within a transaction."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from django.db import connection, transaction

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _begin_a_request() -> Iterator[None]:
    connection.ensure_connection()
    connection.close_if_unusable_or_obsolete()
    yield
    connection.close()


def leave_idle(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    now = time.monotonic() + seconds
    monkeypatch.setattr("config.postgresql.base.time.monotonic", lambda: now)


def checks(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Count the checks that are made."""
    made: list[bool] = []

    def is_usable() -> bool:
        made.append(True)
        return True

    monkeypatch.setattr(connection, "is_usable", is_usable)
    return made


def ask() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def test_a_connection_in_use_is_not_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    ask()
    made = checks(monkeypatch)
    ask()
    assert made == []


def test_one_that_was_idle_is_checked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    made = checks(monkeypatch)
    leave_idle(monkeypatch, 5)
    ask()
    ask()
    assert made == [True]


def test_one_that_broke_while_idle_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    ask()
    connection.connection.close()
    connection.close_if_unusable_or_obsolete()
    leave_idle(monkeypatch, 5)
    ask()


def test_a_request_that_takes_long_commits_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    with transaction.atomic():
        ask()
        leave_idle(monkeypatch, 5)
        ask()
    assert connection.get_autocommit()
    ask()
