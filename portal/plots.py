"""Charts on pages: each with what it says in words, its table, and the address of its figures in the API."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from portal.tables import Table


@dataclass(frozen=True, slots=True)
class Plot:
    """A chart; with nothing to draw, ``table.empty`` is said instead. ``size`` is tall, ring or empty."""

    id: str
    title: str
    summary: str
    specification: dict[str, Any]
    table: Table
    api: str = ""
    size: str = ""
    is_empty: bool = False
    note: str = ""

    @property
    def data_id(self) -> str:
        """The id of the element that holds the specification."""
        return f"{self.id}-data"
