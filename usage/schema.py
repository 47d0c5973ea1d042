"""How records look in the OpenAPI document: as the decoder of the write path has them."""

from typing import Any, Final

import msgspec
from drf_spectacular.extensions import OpenApiSerializerFieldExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import Direction

from core.schema import CURSOR_PARAMETERS, parameter
from usage.dialects.decode import EVENT, EVENTS, JSON, MAX_RECORDS, NDJSON
from usage.dialects.plain import Fields, RecordIn
from usage.links import LINKS

DIMENSIONS: Final = ("type", "endpoint", "capability", "model", "provider")
RECORD_FILTERS: Final = (*DIMENSIONS, "clientId", "status", *LINKS)

MOMENT: Final[dict[str, Any]] = {"type": "string"}
WINDOW_PARAMETERS: Final = [
    parameter("from", "Start of the window, inclusive: ISO 8601 with an offset, or Unix milliseconds."),
    parameter("to", "End of the window, exclusive."),
]
CLIENT_PARAMETER: Final = parameter("clientId", "Only the use of this credential.")
ZONE_PARAMETER: Final = parameter("timezone", "IANA name of the zone whose days and months count.")
META_PARAMETER: Final = parameter(
    "meta",
    "Metadata that a record must have, as meta[key]=value; several may be given.",
    type={"type": "object", "additionalProperties": {"type": "string"}},
    style="deepObject",
    explode=True,
)
RECORD_PARAMETERS: Final = [
    *(parameter(name, f"Only records with this {name}.") for name in RECORD_FILTERS if name != "status"),
    parameter("status", "Only records with this outcome.", enum=["success", "error"]),
    *WINDOW_PARAMETERS,
    META_PARAMETER,
    *CURSOR_PARAMETERS,
]


def _inlined(schema: Any, components: dict[str, Any]) -> Any:
    if isinstance(schema, dict):
        if "$ref" in schema:
            return _inlined(components[schema["$ref"]], components)
        return {name: _inlined(member, components) for name, member in schema.items()}
    if isinstance(schema, list):
        return [_inlined(member, components) for member in schema]
    return schema


def _schema_of(struct: type[msgspec.Struct]) -> dict[str, Any]:
    (schema,), components = msgspec.json.schema_components([struct], ref_template="{name}")
    inlined: dict[str, Any] = _inlined(schema, components)
    return inlined


def _event() -> dict[str, Any]:
    text = {"type": "string", "minLength": 1}
    return {
        "type": "object",
        "required": ["specversion", "id", "source", "type"],
        "properties": {
            "specversion": {"const": "1.0"},
            "id": text,
            "source": text,
            "type": text,
            "time": {"type": "string", "format": "date-time"},
            "subject": text,
            "data": _schema_of(Fields),
        },
        "additionalProperties": {"type": ["string", "integer", "boolean"]},
    }


def _many(schema: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": schema, "maxItems": MAX_RECORDS}


RECORD: Final = _schema_of(RecordIn)
REQUESTS: Final[dict[str, Any]] = {
    JSON: {"oneOf": [RECORD, _many(RECORD)]},
    NDJSON: {"type": "string", "description": "One record a line."},
    EVENT: _event(),
    EVENTS: _many(_event()),
}
"""The bodies of ``POST /records`` by media type."""


class QuantitySchema(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]
    """A quantity is an integer, or a decimal string."""

    target_class = "usage.serializers.QuantityField"

    def map_serializer_field(self, auto_schema: AutoSchema, direction: Direction) -> dict[str, Any]:
        """Return the field's schema."""
        return {"oneOf": [{"type": "integer"}, {"type": "string", "pattern": r"^[0-9]+\.[0-9]+$"}]}


class ScalarSchema(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]
    """A scalar of metadata."""

    target_class = "usage.serializers.ScalarField"

    def map_serializer_field(self, auto_schema: AutoSchema, direction: Direction) -> dict[str, Any]:
        """Return the field's schema."""
        return {"type": ["string", "number", "boolean"]}
