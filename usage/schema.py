"""How records look in the OpenAPI document: as the decoder of the write path has them."""

from typing import Any, Final

import msgspec
from drf_spectacular.extensions import OpenApiSerializerFieldExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import Direction

from core.schema import CLIENT_ID, CURSOR_PARAMETERS, MOMENT, NO_NUL, TEXT, ZONE, listing, parameter
from usage.dialects.decode import EVENT, EVENTS, JSON, MAX_RECORDS, NDJSON
from usage.dialects.plain import MAX_META_KEY, MAX_META_TEXT, MAX_QUANTITY, Fields, RecordIn, Tokens
from usage.links import LINKS
from usage.reading import STATUS_CODES
from usage.serializers import SignedQuantityField
from usage.tiers import Tier

DIMENSIONS: Final = ("type", "endpoint", "capability", "model", "provider")
MISSING: Final = {
    **{name: name for name in DIMENSIONS if name != "type"},
    "statusCode": "status_code",
    "errorType": "error_type",
}
"""What a record may leave unsaid, with its column."""
RECORD_FILTERS: Final = (
    *DIMENSIONS, "clientId", "status", "statusCode", "errorType", "missing", "createdAt", *LINKS,
)  # fmt: skip

WINDOW_PARAMETERS: Final = [
    parameter(
        "from", "Start of the window, inclusive: ISO 8601 with an offset, or Unix milliseconds.", type=MOMENT
    ),
    parameter(
        "to",
        "End of the window, exclusive; a window is cut off eleven years after history begins.",
        type=MOMENT,
    ),
]
CLIENT_PARAMETER: Final = parameter("clientId", "Only what this credential did.", type=CLIENT_ID)
ZONE_PARAMETER: Final = parameter("timezone", "IANA name of the zone whose days and months count.", type=ZONE)
META_PARAMETER: Final = parameter(
    "meta",
    "Metadata that a record must have, as meta[key]=value; several may be given.",
    type={
        "type": "object",
        "propertyNames": {"pattern": r"^[^\[\]\x00]+$"},
        "additionalProperties": {"type": "string", "pattern": NO_NUL},
    },
    style="deepObject",
    explode=True,
)
STATUS_CODE: Final = {"type": "integer", "minimum": STATUS_CODES[0], "maximum": STATUS_CODES[-1]}
RECORD_PARAMETERS: Final = [
    *(parameter(name, f"Only records with this {name}.") for name in (*DIMENSIONS, *LINKS)),
    CLIENT_PARAMETER,
    parameter("status", "Only records with this outcome.", enum=["success", "error"]),
    parameter("statusCode", "Only records with this status code.", type=STATUS_CODE),
    parameter("errorType", "Only records with this type of error."),
    parameter(
        "missing", "Only records that say none of these, separated by commas.", type=listing(list(MISSING))
    ),
    parameter("createdAt", "Only records that were stored at this moment, as a batch is.", type=MOMENT),
    *WINDOW_PARAMETERS,
    META_PARAMETER,
    *CURSOR_PARAMETERS,
]


NULL: Final = {"type": "null"}
_QUANTITY: Final = {
    "anyOf": [
        {"type": "number", "minimum": 0, "maximum": MAX_QUANTITY, "description": "With up to nine places."},
        {"type": "string", "pattern": r"^[0-9]{1,15}(\.[0-9]{1,9})?$"},
    ]
}
_COST: Final = {
    "type": "string",
    "pattern": r"^((0|[1-9][0-9]{0,5})(\.[0-9]{1,9})?|1000000(\.0{1,9})?)$",
    "description": "A decimal string, up to a million.",
}
_REFINED: Final[dict[str, dict[str, Any]]] = {
    "clientId": {"anyOf": [CLIENT_ID, NULL]},
    "status": {"enum": ["success", "error", None]},
    "serviceTier": {"enum": [*Tier.values, None]},
    "timestamp": {"anyOf": [*MOMENT["anyOf"], NULL]},
    "cost": {"anyOf": [_COST, NULL]},
}
"""What is looked at more closely than the decoder does it, after it."""


def _refined(schema: Any) -> Any:
    """Return what the decoder says of itself, with what it leaves to later stages."""
    if isinstance(schema, list):
        return [_refined(member) for member in schema]
    if not isinstance(schema, dict):
        return schema
    if schema.get("format") == "decimal":
        return _QUANTITY
    if schema.get("type") == "string" and "pattern" not in schema:
        return {**schema, "pattern": NO_NUL}
    # Which defaults are null needn't be said: leaving a field out and null are the same everywhere.
    refined = {
        name: _refined(member) for name, member in schema.items() if (name, member) != ("default", None)
    }
    if "propertyNames" in refined and "pattern" not in refined["propertyNames"]:
        refined["propertyNames"] = {**refined["propertyNames"], "pattern": NO_NUL}
    if "properties" in refined:
        refined["properties"].update({n: _REFINED[n] for n in _REFINED.keys() & refined["properties"].keys()})
    return refined


def _components() -> dict[str, Any]:
    structs = {"RecordInput": RecordIn, "EventData": Fields, "TokensInput": Tokens}
    names = {struct.__name__: name for name, struct in structs.items()}
    _, found = msgspec.json.schema_components(list(structs.values()), ref_template="{name}")
    components = {names[name]: _named(_refined(schema), names) for name, schema in found.items()}
    return {
        **{name: {**schema, "title": name} for name, schema in components.items()},
        "EventInput": _event(),
    }


def _named(schema: Any, names: dict[str, str]) -> Any:
    if isinstance(schema, list):
        return [_named(member, names) for member in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return _reference(names[schema["$ref"]])
    return {name: _named(member, names) for name, member in schema.items()}


def _reference(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


def _event() -> dict[str, Any]:
    return {
        "title": "EventInput",
        "description": "A CloudEvent. Its source and id together are the record's id; its data, the record.",
        "type": "object",
        "required": ["specversion", "id", "source", "type"],
        "properties": {
            "specversion": {"const": "1.0"},
            "id": {**TEXT, "maxLength": 253},
            "source": {**TEXT, "maxLength": 253},
            "type": {**TEXT, "maxLength": 200},
            "time": MOMENT,
            "data": {"anyOf": [_reference("EventData"), NULL]},
            "data_base64": {"not": {}},
        },
        "additionalProperties": {
            "anyOf": [
                {"type": "string", "maxLength": MAX_META_TEXT, "pattern": NO_NUL},
                {"type": "integer"},
                {"type": "boolean"},
            ]
        },
        "propertyNames": {"minLength": 1, "maxLength": MAX_META_KEY, "pattern": NO_NUL},
    }


def _many(schema: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": schema, "maxItems": MAX_RECORDS}


_RECORD: Final = _reference("RecordInput")
_EVENT: Final = _reference("EventInput")
CREATE_RECORDS: Final = "createRecords"
REQUESTS: Final[dict[str, Any]] = {
    JSON: {"oneOf": [_RECORD, _many(_RECORD)]},
    NDJSON: {"type": "string", "description": "One record a line."},
    EVENT: _EVENT,
    EVENTS: _many(_EVENT),
}
"""The bodies of ``POST /records`` by media type; `add_record_inputs` adds what they refer to."""


def add_record_inputs(result: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
    """Add the schemas of what the write path reads to the document's components, and that it reads a body."""
    result["components"]["schemas"].update(_components())
    for methods in result["paths"].values():
        for operation in methods.values():
            if operation["operationId"] == CREATE_RECORDS:
                operation["requestBody"]["required"] = True
    return result


class QuantitySchema(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]
    """A quantity is an integer, or a decimal string."""

    target_class = "usage.serializers.QuantityField"
    match_subclasses = True

    def map_serializer_field(self, auto_schema: AutoSchema, direction: Direction) -> dict[str, Any]:
        """Return the field's schema."""
        sign = "-?" if isinstance(self.target, SignedQuantityField) else ""
        return {"oneOf": [{"type": "integer"}, {"type": "string", "pattern": rf"^{sign}[0-9]+\.[0-9]+$"}]}


class ScalarSchema(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]
    """A scalar of metadata."""

    target_class = "usage.serializers.ScalarField"

    def map_serializer_field(self, auto_schema: AutoSchema, direction: Direction) -> dict[str, Any]:
        """Return the field's schema."""
        return {"type": ["string", "number", "boolean"]}
