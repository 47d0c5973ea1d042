"""What tests of the pages ask for: a tenant with members, a stopped clock, somebody who is signed in."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import time_machine
from django.core.cache import cache
from django.test import Client

from tests.portal.pages import sign_in
from tests.usage.factories import NOW, Tenant, make_tenant
from usage import partitions


@pytest.fixture(autouse=True)
def _forget_partitions() -> Iterator[None]:
    partitions.forget()
    yield
    partitions.forget()


@pytest.fixture(autouse=True)
def _quick_passwords(settings: Any) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture(autouse=True)
def _no_attempts_yet() -> None:
    """Attempts to sign in are counted in the cache."""
    cache.clear()


@pytest.fixture
def stopped_clock() -> Iterator[time_machine.Traveller]:
    """A clock that stands at `NOW` until the test moves it."""
    with time_machine.travel(NOW, tick=False) as clock:
        yield clock


@pytest.fixture
def acme(db: None, stopped_clock: time_machine.Traveller) -> Tenant:
    """An organization in Berlin, on the Enterprise plan."""
    return make_tenant("Acme", timezone="Europe/Berlin", currency="EUR")


@pytest.fixture
def member(acme: Tenant) -> Client:
    """A client of somebody signed in as Acme's owner."""
    return sign_in(acme)
