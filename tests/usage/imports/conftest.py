"""What tests of imports ask for: an organization of the smallest plan, and a file read into it."""

from pathlib import Path
from typing import Any

import pytest

from organizations.services import CreatedOrganization, create_organization
from tests.usage.imports.support import Run, call


@pytest.fixture
def made(db: None) -> CreatedOrganization:
    """Acme on the Free plan, with its first key."""
    return create_organization(name="Acme", plan="free", owner_email="owner@example.com")


@pytest.fixture
def run(made: CreatedOrganization, tmp_path: Path) -> Run:
    """A function that imports what a file would hold, and returns the figures and what was said."""

    def run_(content: str | bytes, **options: Any) -> tuple[dict[str, int], str]:
        path = tmp_path / "usage"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return call(str(path), **options)

    return run_
