"""Places for servers that the tests of this room start themselves."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def place() -> Iterator[Path]:
    """A directory that PostgreSQL's own user may pass through.

    pytest's `tmp_path` isn't one for long: every run that begins closes it to all other users again.
    """
    directory = Path(tempfile.mkdtemp(prefix="headroom-place-"))
    yield directory
    shutil.rmtree(directory, ignore_errors=True)
