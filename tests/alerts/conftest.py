"""What tests of alerts ask for: tenants, a receiver, a mail server, a stopped clock."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_network
from typing import Any

import pytest
import time_machine

from tests.alerts.posting import Post, posting
from tests.alerts.receivers import Receiver, receiving
from tests.usage.factories import NOW, Tenant, make_tenant


@pytest.fixture
def acme(db: None) -> Tenant:
    """An organization."""
    return make_tenant("Acme")


@pytest.fixture
def globex(db: None) -> Tenant:
    """Another organization."""
    return make_tenant("Globex")


@pytest.fixture
def stopped_clock() -> Iterator[time_machine.Traveller]:
    """A clock that stands at `NOW` until the test moves it."""
    with time_machine.travel(NOW, tick=False) as clock:
        yield clock


@pytest.fixture
def this_machine(settings: Any) -> None:
    """The operator allows requests to this machine."""
    settings.ALERT_ALLOWED_NETWORKS = [ip_network("127.0.0.0/8")]


@pytest.fixture
def receiver(this_machine: None) -> Iterator[Receiver]:
    """A receiver of webhooks that accepts everything, on a machine where it is allowed."""
    with receiving() as running:
        yield running


@pytest.fixture
def post(settings: Any) -> Iterator[Post]:
    """A mail server that the settings name."""
    with posting(settings) as running:
        yield running


@pytest.fixture(autouse=True)
def _nobody_told(monkeypatch: pytest.MonkeyPatch) -> None:
    # No worker listens in the tests, and none needs to be told: turns are taken by hand.
    monkeypatch.setattr("alerts.deliveries.writing.tell", lambda *args, **options: True)
