"""What usage can be grouped and filtered by, and which cubes know it. No database."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from usage.rollups.cubes import Dimension


class Facet(StrEnum):
    """Something a record is about, by its name on the wire."""

    CLIENT = "clientId"
    ENDPOINT = "endpoint"
    CAPABILITY = "capability"
    MODEL = "model"
    PROVIDER = "provider"
    TYPE = "type"
    STATUS = "status"
    STATUS_CODE = "statusCode"
    ERROR_TYPE = "errorType"


@dataclass(frozen=True, slots=True)
class _CubeView:
    """The dimensions of cube rows that together hold every record once, and what their columns mean."""

    dimensions: tuple[Dimension, ...]
    columns: dict[Facet, str]


_STATUS_SQL: Final = f"CASE WHEN dimension = {Dimension.ERROR.value} THEN 'error' ELSE 'success' END"
_VIEWS: Final = (
    _CubeView((Dimension.TOTAL,), {}),
    _CubeView((Dimension.CAPABILITY,), {Facet.CAPABILITY: "value"}),
    _CubeView((Dimension.ENDPOINT,), {Facet.ENDPOINT: "value"}),
    _CubeView((Dimension.MODEL,), {Facet.MODEL: "value", Facet.PROVIDER: "qualifier"}),
    _CubeView((Dimension.TYPE,), {Facet.TYPE: "value"}),
    _CubeView(
        (Dimension.SUCCESS, Dimension.ERROR),
        {Facet.STATUS: _STATUS_SQL, Facet.STATUS_CODE: "value", Facet.ERROR_TYPE: "qualifier"},
    ),
)

RECORD_COLUMNS: Final = {
    Facet.CLIENT: "credential_id",
    Facet.ENDPOINT: "coalesce(endpoint, '')",
    Facet.CAPABILITY: "coalesce(capability, '')",
    Facet.MODEL: "coalesce(model, '')",
    Facet.PROVIDER: "coalesce(provider, '')",
    Facet.TYPE: "type",
    Facet.STATUS: "CASE WHEN succeeded THEN 'success' ELSE 'error' END",
    Facet.STATUS_CODE: "coalesce(status_code::text, '')",
    Facet.ERROR_TYPE: "coalesce(error_type, '')",
}
"""How records, and what is pending of them, spell each facet."""


@dataclass(frozen=True, slots=True)
class CubeChoice:
    """The cube rows that can tell some facets apart."""

    dimensions: tuple[Dimension, ...]
    columns: dict[Facet, str]

    @property
    def is_total(self) -> bool:
        """Whether only the credential is told apart."""
        return self.dimensions == (Dimension.TOTAL,)


def cube_for(facets: Iterable[Facet]) -> CubeChoice | None:
    """Return the cube rows that know all these facets, or None when only the records do."""
    wanted = set(facets) - {Facet.CLIENT}
    for view in _VIEWS:
        if wanted <= view.columns.keys():
            return CubeChoice(view.dimensions, {Facet.CLIENT: "credential_id", **view.columns})
    return None
