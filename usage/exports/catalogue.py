"""What a dataset is, and which there are.

The settings list them by dotted path (``EXPORT_DATASETS``), so that a room further right can add its own.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol

from django.conf import settings
from django.utils.module_loading import import_string

from core.periods import Period
from usage.exports.columns import Batch, Column


@dataclass(frozen=True, slots=True)
class Source:
    """Whose rows of which window are exported.

    ``timezone`` is the zone whose days are told apart, ``rollup_timezone`` that of the daily rollups.
    """

    organization_id: int
    timezone: str
    rollup_timezone: str
    currency: str
    period: Period


class Dataset(Protocol):
    """Something to export: its columns, and where its rows come from."""

    @property
    def name(self) -> str:
        """The name on the wire."""
        ...

    @property
    def scope(self) -> str:
        """The scope that it takes to export it."""
        ...

    @property
    def row_name(self) -> str:
        """What one row is, where the number of rows is among the sums; else empty."""
        ...

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns, in their order."""
        ...

    def size(self, source: Source) -> int | None:
        """Return how many rows there are, or None where that is known only in the end.

        Tenancy: call in the tenant's scope, in the snapshot that `batches` reads.
        """
        ...

    def batches(self, source: Source) -> Iterator[Batch]:
        """Yield the rows in a stable order, a bounded number at a time.

        Tenancy: call in the tenant's scope, in a snapshot.
        """
        ...


@lru_cache(maxsize=1)
def datasets() -> Mapping[str, Dataset]:
    """Return the datasets that the settings list, by name."""
    found: list[Any] = [import_string(path) for path in settings.EXPORT_DATASETS]
    return {dataset.name: dataset for dataset in found}
