"""The organization that every test here asks about, made once and undone at the end."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import time_machine
from django.db import transaction

from tests.usage.queries.dataset import NOW
from tests.usage.queries.world import World, make_world
from usage import partitions


@pytest.fixture(scope="package")
def world(django_db_setup: None, django_db_blocker: Any) -> Iterator[World]:
    """An organization with five thousand records, at `NOW`; nothing of it is ever committed."""
    with django_db_blocker.unblock(), time_machine.travel(NOW, tick=False), transaction.atomic():
        partitions.forget()
        yield make_world()
        transaction.set_rollback(True)
    partitions.forget()
