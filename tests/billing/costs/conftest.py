"""The organization that the oracle knows, for what it cost."""

from __future__ import annotations

from typing import Any

import pytest

from tests.usage.queries.conftest import world

__all__ = ["world"]


@pytest.fixture(autouse=True)
def foreseen(settings: Any) -> None:
    """Foresee always the same: the oracle knows the past."""
    settings.BILLING_FORECAST = "tests.billing.costs.test_costs.foresee"
