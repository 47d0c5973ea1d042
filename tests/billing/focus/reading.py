"""FOCUS files, read back."""

from __future__ import annotations

import csv
import io

from tests.usage.exports.support import ask, download, write
from tests.usage.factories import Tenant

Rows = list[dict[str, str]]


def focus(tenant: Tenant, dataset: str = "focus", **window: str) -> tuple[bytes, Rows]:
    """Return a FOCUS file as CSV, and its rows."""
    done = write(tenant, ask(tenant, dataset, "csv", **window))
    assert done["state"] == "done", done
    content = download(tenant, done).body
    return content, list(csv.DictReader(io.StringIO(content.decode(), newline="")))
