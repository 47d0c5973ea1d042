"""What tests of the ledger ask for."""

from __future__ import annotations

import pytest

from tests.usage.factories import Tenant, make_tenant


@pytest.fixture
def acme(db: None) -> Tenant:
    """An organization on the Enterprise plan, in UTC."""
    return make_tenant("Acme")


@pytest.fixture
def globex(db: None) -> Tenant:
    """Another organization of the same kind."""
    return make_tenant("Globex")
