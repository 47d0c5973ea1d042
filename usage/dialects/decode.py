"""From the body of a request to its records, by content type; a bad record never hides a good one."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from core.problems import Problem, bad_request, too_large, unsupported_media_type
from usage.dialects import cloudevents
from usage.dialects.errors import Fault, RecordError
from usage.dialects.plain import ONE, QUICK_MANY, QUICK_ONE, RecordIn, is_meter

MAX_RECORDS: Final = 10_000
JSON: Final = "application/json"
NDJSON: Final = "application/x-ndjson"
EVENT: Final = "application/cloudevents+json"
EVENTS: Final = "application/cloudevents-batch+json"
ACCEPTED: Final = (JSON, NDJSON, EVENT, EVENTS)

_RAW_LIST: Final = msgspec.json.Decoder(list[msgspec.Raw])
_NUL: Final = b"\\u0000"


class _Id(msgspec.Struct):
    id: str | None = None


_ID: Final = msgspec.json.Decoder(_Id)
One = Callable[[bytes | msgspec.Raw], RecordIn]


@dataclass(slots=True)
class Decoded:
    """The records of a request with their places in it, and those that could not be read."""

    records: list[tuple[int, RecordIn]] = field(default_factory=list)
    errors: list[RecordError] = field(default_factory=list)


def decode(content_type: str, environ: Mapping[str, Any], body: bytes) -> Decoded:
    """Read the records of a request.

    Raises: `Problem` 400 when the body as a whole can't be read, 413 for too many records, 415.
    """
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type not in ACCEPTED:
        raise unsupported_media_type(media_type, ACCEPTED)
    _check_utf8(body)
    if media_type == NDJSON:
        return _each([line for line in body.splitlines() if line.strip()], plain_record, body)
    if media_type == JSON and cloudevents.is_binary(environ):
        return _each([body], lambda raw: cloudevents.from_headers(environ, bytes(raw)), body)
    if media_type == EVENT:
        return _each([_whole(body)], cloudevents.from_structured, body)
    if media_type == EVENTS:
        return _each(_elements(body), cloudevents.from_structured, body)
    return _plain(body)


def plain_record(raw: bytes | msgspec.Raw) -> RecordIn:
    """Return the record that one JSON object of the plain dialect says.

    Raises: `Fault`.
    """
    try:
        return ONE.decode(raw)
    except msgspec.ValidationError as error:
        raise Fault.of(error, raw, accepted=RecordIn.__struct_encode_fields__) from error


def _plain(body: bytes) -> Decoded:
    single = body.lstrip()[:1] == b"{"
    if _NUL not in body:
        # The usual case, in one call; only when something is wrong is each record read by itself.
        try:
            records = [QUICK_ONE.decode(body)] if single else QUICK_MANY.decode(body)
        except msgspec.ValidationError:
            pass
        except msgspec.DecodeError as error:
            raise _malformed(error) from error
        else:
            _check_number(len(records))
            if all(is_meter(name) for record in records for name in record.quantities or ()):
                return Decoded(list(enumerate(records)))
    return _each([_whole(body)] if single else _elements(body), plain_record, body)


def _each(raws: Iterable[bytes | msgspec.Raw], read: One, body: bytes) -> Decoded:
    decoded = Decoded()
    sources = list(raws)
    _check_number(len(sources))
    suspicious = _NUL in body
    for index, raw in enumerate(sources):
        try:
            record = read(raw)
            if suspicious:
                _refuse_nul(msgspec.to_builtins(record), "")
            decoded.records.append((index, record))
        except Fault as fault:
            decoded.errors.append(RecordError.of(index, _id_of(raw), fault))
        except msgspec.ValidationError as error:
            decoded.errors.append(RecordError.of(index, _id_of(raw), Fault.of(error)))
        except msgspec.DecodeError as error:
            malformed = Fault("", "malformed_json", f"This is not JSON: {error}.")
            decoded.errors.append(RecordError.of(index, None, malformed))
    return decoded


def _whole(body: bytes) -> bytes:
    try:
        msgspec.json.Decoder(msgspec.Raw).decode(body)
    except msgspec.DecodeError as error:
        raise _malformed(error) from error
    return body


def _elements(body: bytes) -> list[msgspec.Raw]:
    try:
        return _RAW_LIST.decode(body)
    except msgspec.ValidationError as error:
        raise bad_request("The body must be an array of objects.", code="malformed_body") from error
    except msgspec.DecodeError as error:
        raise _malformed(error) from error


def _check_utf8(body: bytes) -> None:
    if not body.strip():
        raise bad_request("The body is empty: send one record or an array of records.", code="malformed_body")
    try:
        body.decode()
    except UnicodeDecodeError as error:
        raise bad_request(
            f"The body is not UTF-8: {error.reason} at byte {error.start}.", code="malformed_body"
        ) from error


def _check_number(number: int) -> None:
    if number > MAX_RECORDS:
        raise too_large(
            f"A request holds at most {MAX_RECORDS:,} records; this one has {number:,}.",
            code="too_many_records",
        )


def _malformed(error: msgspec.DecodeError) -> Problem:
    return bad_request(f"The body is not JSON: {error}.", code="malformed_json")


def _id_of(raw: bytes | msgspec.Raw) -> str | None:
    try:
        return _ID.decode(raw).id
    except msgspec.DecodeError:
        return None


def _refuse_nul(value: Any, pointer: str) -> None:
    """Refuse the one character that no text in PostgreSQL can have."""
    if isinstance(value, str) and "\x00" in value:
        raise Fault(pointer, "invalid", "The character U+0000 is not accepted.")
    if isinstance(value, dict):
        for name, member in value.items():
            if "\x00" in name:
                raise Fault(pointer, "invalid", "The character U+0000 is not accepted.")
            _refuse_nul(member, f"{pointer}/{name}")
