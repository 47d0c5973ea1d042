"""CloudEvents 1.0: one event, a batch, or one in the headers of a request.

An event is identified by its source and its id together, so a record made from one has the id
``<source>#<id>``, with any ``#`` of the source percent-encoded. The event's type and time are the
record's; its data holds the record's other fields. What else an event says, such as its subject
or extension attributes, is kept in the record's metadata.
Source: CloudEvents 1.0.2, sections "Context Attributes" and "JSON Event Format".
"""

import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import unquote

import msgspec

from core.keys import CLIENT_ID_PATTERN
from usage.dialects.errors import Fault
from usage.dialects.plain import FIELDS, MAX_ENTRIES, Fields, Identity, MetaKey, RecordIn, Scalar

_REQUIRED: Final = ("specversion", "id", "source", "type")
_ATTRIBUTES: Final = (*_REQUIRED, "time", "subject", "datacontenttype", "dataschema", "data", "data_base64")
_HEADER: Final = "HTTP_CE_"
_EVENT: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_SCALAR: Final = msgspec.json.Decoder(str | int | bool)


def is_binary(environ: Mapping[str, Any]) -> bool:
    """Tell whether a request carries an event's attributes in its headers."""
    return f"{_HEADER}SPECVERSION" in environ


def from_headers(environ: Mapping[str, Any], body: bytes) -> RecordIn:
    """Return the record of an event whose attributes are headers and whose data is the body.

    Raises: `Fault`, or msgspec's errors for the data.
    """
    attributes = {
        name.removeprefix(_HEADER).lower(): unquote(value)
        for name, value in environ.items()
        if name.startswith(_HEADER)
    }
    return _record(attributes, body or None)


def from_structured(raw: bytes | msgspec.Raw) -> RecordIn:
    """Return the record of an event written in JSON.

    Raises: `Fault`, or msgspec's errors for the data.
    """
    event = _EVENT.decode(raw)
    if "data_base64" in event:
        raise Fault(
            "/data_base64", "invalid", "Binary data is not read here: send the record's fields in data."
        )
    data = event.pop("data", None)
    attributes: dict[str, Any] = {}
    for name, value in event.items():
        try:
            attributes[name] = _SCALAR.decode(value)
        except msgspec.ValidationError as error:
            raise Fault(
                f"/{name}", "invalid", f"{name} must be a string, an integer or a boolean."
            ) from error
    return _record(attributes, data)


def _record(attributes: dict[str, Any], data: bytes | msgspec.Raw | None) -> RecordIn:
    _check_required(attributes)
    identity = _identity(attributes)
    fields = _fields(data)
    _keep_the_rest(attributes, fields)
    return RecordIn(
        **{name: getattr(fields, name) for name in Fields.__struct_fields__},
        id=identity.id,
        type=identity.type,
        timestamp=identity.timestamp,
    )


def _check_required(attributes: dict[str, Any]) -> None:
    for name in _REQUIRED:
        value = attributes.get(name)
        if not isinstance(value, str) or not value:
            raise Fault(f"/{name}", "missing_field", f"An event needs {name}, a string that isn't empty.")
    if attributes["specversion"] != "1.0":
        raise Fault("/specversion", "invalid", 'specversion must be "1.0".')


def _keep_the_rest(attributes: dict[str, Any], fields: Fields) -> None:
    """Put what has no field of its own into the metadata; a subject may be a client id."""
    rest = {name: value for name, value in attributes.items() if name not in _ATTRIBUTES}
    rest |= {name: attributes[name] for name in ("subject", "dataschema") if name in attributes}
    subject = str(rest.get("subject", ""))
    if fields.client_id is None and re.fullmatch(CLIENT_ID_PATTERN, subject):
        fields.client_id = subject
        del rest["subject"]
    if rest:
        fields.meta = {**_metadata(rest), **(fields.meta or {})}
    if len(fields.meta or {}) > MAX_ENTRIES:
        detail = f"meta and the event's own attributes have over {MAX_ENTRIES} entries."
        raise Fault("/data/meta", "invalid", detail)


def _metadata(attributes: dict[str, Any]) -> dict[str, Any]:
    try:
        return msgspec.convert(attributes, dict[MetaKey, Scalar])
    except msgspec.ValidationError as error:
        raise Fault.of(error) from error


def _fields(data: bytes | msgspec.Raw | None) -> Fields:
    try:
        return Fields() if data is None else FIELDS.decode(data) or Fields()
    except msgspec.ValidationError as error:
        raise Fault.of(error, data or b"", under="/data", accepted=Fields.__struct_encode_fields__) from error


def _identity(attributes: dict[str, Any]) -> Identity:
    source = attributes["source"].replace("#", "%23")
    named = {
        "id": f"{source}#{attributes['id']}",
        "type": attributes["type"],
        "timestamp": attributes.get("time"),
    }
    try:
        return msgspec.convert(named, Identity)
    except msgspec.ValidationError as error:
        raise Fault.of(error, accepted=Identity.__struct_fields__) from error
