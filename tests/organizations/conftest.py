"""Two organizations that must never see each other."""

from typing import Any

import pytest

from organizations.services import CreatedOrganization
from tests.organizations.cast import make_organization


@pytest.fixture(autouse=True)
def _quick_passwords(settings: Any) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def acme(db: Any) -> CreatedOrganization:
    """An organization."""
    return make_organization("Acme")


@pytest.fixture
def globex(db: Any) -> CreatedOrganization:
    """Another organization."""
    return make_organization("Globex")
