"""How the shared ground's fields and problems look in the OpenAPI document."""

from collections.abc import Iterable
from typing import Any, Final

from drf_spectacular.extensions import OpenApiSerializerExtension, OpenApiSerializerFieldExtension
from drf_spectacular.utils import Direction, OpenApiParameter, OpenApiResponse
from rest_framework import serializers

from core.keys import CLIENT_ID_PATTERN
from core.moments import FIRST, LAST
from core.money import PLACES
from core.paging import MAX_OFFSET
from core.serializers import CamelSerializer

NO_NUL: Final = "^[^\\x00]*$"
"""What no text has, as a pattern: the one character that PostgreSQL can't hold."""

TEXT: Final[dict[str, Any]] = {"type": "string", "minLength": 1, "maxLength": 255, "pattern": NO_NUL}
"""A text as `core.params.Params.text` takes it."""

CLIENT_ID: Final[dict[str, Any]] = {
    "type": "string",
    "format": "client-id",
    "pattern": f"^{CLIENT_ID_PATTERN}$",
}
CURSOR: Final[dict[str, Any]] = {"type": "string", "minLength": 1, "maxLength": 4096, "pattern": NO_NUL}
ZONE: Final[dict[str, Any]] = {"type": "string", "format": "iana-time-zone"}
MOMENT: Final[dict[str, Any]] = {
    "anyOf": [
        {"type": "string", "format": "date-time", "pattern": "^(19|2[0-9])[0-9]{2}-"},
        {
            "type": "integer",
            "minimum": int(FIRST.timestamp() * 1000),
            "maximum": int(LAST.timestamp() * 1000) - 1,
        },
    ]
}
"""A moment as input: ISO 8601 with an offset, or Unix milliseconds."""


class FaultSerializer(CamelSerializer):
    """One fault in what was sent."""

    pointer = serializers.CharField(help_text="JSON pointer to the field, or / and the parameter's name.")
    code = serializers.CharField()
    detail = serializers.CharField()


class ProblemSerializer(CamelSerializer):
    """RFC 9457 problem details."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField()
    code = serializers.CharField()
    errors = FaultSerializer(many=True, required=False)  # type: ignore[assignment] # the wire's name


_MEANINGS = {
    400: "A parameter or the body can't be understood.",
    401: "No key and no session, or one that does not exist.",
    402: "The spend limit is reached.",
    403: "Not permitted to this caller.",
    404: "There is no such object in the caller's organization.",
    409: "The object's state does not permit it.",
    410: "The object was there, and is gone for good.",
    413: "The body is too large.",
    415: "The body's media type is not read here.",
    422: "The content of the body is not acceptable.",
    429: "The requests of this minute are used up.",
    503: "Not available at the moment.",
}


def problems(*statuses: int) -> dict[tuple[int, str], OpenApiResponse]:
    """Return the responses of an operation's problems, for ``extend_schema(responses={…, **problems(404)})``.

    400, 401, 403, 429 and 503 are among them always.
    """
    return {
        (status, "application/problem+json"): OpenApiResponse(ProblemSerializer, _MEANINGS[status])
        for status in sorted({400, 401, 403, 429, 503, *statuses})
    }


def parameter(name: str, description: str, **options: Any) -> OpenApiParameter:
    """Return a query parameter of an operation; a text, or one of an enum, unless ``type`` says otherwise."""
    usual: Any = str if "enum" in options else TEXT
    return OpenApiParameter(name, options.pop("type", usual), description=description, **options)


def listing(choices: Iterable[str], *, max_length: int | None = None) -> dict[str, Any]:
    """Return the schema of choices separated by commas; each is an expression."""
    one = f"({'|'.join(choices)})"
    limit = {} if max_length is None else {"maxLength": max_length}
    return {"type": "string", "pattern": f"^{one}(,{one})*$", **limit}


CURSOR_PARAMETERS = [
    parameter("cursor", "Where the page before ended.", type=CURSOR),
    parameter("order", "Oldest or newest first.", enum=["asc", "desc"], default="desc"),
    parameter("take", "How many.", type={"type": "integer", "minimum": 1, "maximum": 1000}, default=100),
]
_OFFSET: Final = {"type": "integer", "minimum": 0, "maximum": MAX_OFFSET}
OFFSET_PARAMETERS = [
    parameter("limit", "How many.", type={"type": "integer", "minimum": 1, "maximum": 1000}, default=100),
    parameter("offset", "How many to pass over.", type=_OFFSET, default=0),
]


class StrictSerializerSchema(OpenApiSerializerExtension):  # type: ignore[no-untyped-call]
    """An input object has no other members than its fields."""

    target_class = "core.serializers.StrictSerializer"
    match_subclasses = True

    def map_serializer(self, auto_schema: Any, direction: Direction) -> dict[str, Any]:
        """Return the object's schema."""
        mapped = auto_schema._map_serializer  # noqa: SLF001 the way that the extension's base documents
        return {**mapped(self.target, direction, bypass_extensions=True), "additionalProperties": False}


class TextFieldSchema(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]
    """Text has no NUL and, where it may not be empty, something to read."""

    target_class = "core.serializers.TextField"

    def map_serializer_field(self, auto_schema: Any, direction: Direction) -> dict[str, Any]:
        """Return the field's schema."""
        mapped = auto_schema._map_serializer_field  # noqa: SLF001 the way that the extension's base documents
        content = "[^\\x00]*" if self.target.allow_blank else "[^\\x00]*[^\\s\\x00][^\\x00]*"
        return {**mapped(self.target, direction, bypass_extensions=True), "pattern": f"^{content}$"}


class MomentFieldSchema(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]
    """A moment is a date-time; as input, also Unix milliseconds."""

    target_class = "core.serializers.MomentField"

    def map_serializer_field(self, auto_schema: Any, direction: Direction) -> dict[str, Any]:
        """Return the field's schema."""
        return {"type": "string", "format": "date-time"} if direction == "response" else MOMENT


class MoneyFieldSchema(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]
    """An amount is a decimal string."""

    target_class = "core.serializers.MoneyField"

    def map_serializer_field(self, auto_schema: Any, direction: Direction) -> dict[str, Any]:
        """Return the field's schema."""
        places = f"{{{PLACES}}}" if direction == "response" else f"{{1,{PLACES}}}"
        fraction = f"\\.[0-9]{places}" if direction == "response" else f"(\\.[0-9]{places})?"
        units = "*" if direction == "response" else "{0,9}"
        return {"type": "string", "pattern": f"^-?(0|[1-9][0-9]{units}){fraction}$"}
