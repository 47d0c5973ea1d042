"""What tests of rules ask for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import pytest
import time_machine

from tests.alerts.rules.ruling import only
from tests.usage.factories import NOW, Tenant, make_tenant
from usage import partitions


@pytest.fixture(autouse=True)
def stopped(db: None) -> Iterator[time_machine.Traveller]:
    """A clock that stands at `NOW` until the test moves it."""
    partitions.forget()
    with time_machine.travel(NOW, tick=False) as clock:
        yield clock
    partitions.forget()


@pytest.fixture
def acme(db: None, stopped: Any) -> Tenant:
    """An organization in which only the rule about spend limits is switched on."""
    tenant = make_tenant("Acme")
    only(tenant, "spend_limit")
    return tenant


@pytest.fixture
def go_to(stopped: time_machine.Traveller) -> Callable[[datetime], None]:
    """A function that sets the clock."""
    return stopped.move_to
