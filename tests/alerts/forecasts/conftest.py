"""What tests of forecasts ask for: no memory of partitions that are gone."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from usage import partitions


@pytest.fixture(autouse=True)
def _forget_partitions() -> Iterator[None]:
    # A test's partitions go away with its transaction; what the process remembers of them must, too.
    partitions.forget()
    yield
    partitions.forget()
