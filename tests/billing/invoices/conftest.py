"""What tests of invoices ask for."""

from __future__ import annotations

import pytest
import time_machine

from tests.usage.factories import Tenant, make_tenant


@pytest.fixture
def acme(db: None, stopped_clock: time_machine.Traveller) -> Tenant:
    """An organization in Berlin whose plan has invoices."""
    return make_tenant("Acme", timezone="Europe/Berlin", currency="EUR")
