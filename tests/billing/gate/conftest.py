"""What tests of the gate ask for: a process that remembers nobody."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from billing import book
from billing.gate import clients, decide
from organizations import door


@pytest.fixture(autouse=True)
def _forget_everybody() -> Iterator[None]:
    door._entries.clear()
    clients.forget()
    decide.forget()
    book.forget()
    yield
    book.forget()
