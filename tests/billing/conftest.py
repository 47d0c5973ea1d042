"""What tests of billing ask for: tenants, a stopped clock, no memory of partitions that are gone."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import time_machine

from tests.usage.factories import NOW, Api, Tenant, make_tenant
from usage import partitions


@pytest.fixture(autouse=True)
def _forget_partitions() -> Iterator[None]:
    # A test's partitions go away with its transaction; what the process remembers of them must, too.
    partitions.forget()
    yield
    partitions.forget()


@pytest.fixture
def stopped_clock() -> Iterator[time_machine.Traveller]:
    """A clock that stands at `NOW` until the test moves it."""
    with time_machine.travel(NOW, tick=False) as clock:
        yield clock


@pytest.fixture
def acme(db: None) -> Tenant:
    """An organization whose plan has spend limits, in UTC."""
    return make_tenant("Acme", plan="pay-as-you-go")


@pytest.fixture
def api(acme: Tenant) -> Api:
    """A client with Acme's key."""
    return acme.api


@pytest.fixture
def globex(db: None) -> Tenant:
    """Another organization of the same kind."""
    return make_tenant("Globex")
