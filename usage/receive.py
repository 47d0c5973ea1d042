"""The write path over HTTP: from a request to a batch, and from its outcome to an answer.

A plain view: the framework's own parsing would cost many times what the rest does.
"""

import zlib
from http import HTTPStatus
from typing import Final

import msgspec
from django.db.utils import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from rest_framework.request import Request

from core import clock
from core.problems import (
    CONTENT_TYPE,
    TYPE_BASE,
    Problem,
    bad_request,
    database_away,
    problem_response,
    too_large,
    unauthorized,
)
from organizations import rate_limits
from organizations.door import caller_from_key
from organizations.http import MemberAuthentication
from organizations.tenancy import Caller
from usage.batch import Batch, Outcome
from usage.dialects.decode import decode
from usage.history import history_start
from usage.pipeline import ingest

SCOPE: Final = "usage:write"
MAX_BYTES: Final = 16 * 1024 * 1024
_ENCODINGS: Final = ("gzip", "identity")


def receive(request: HttpRequest) -> HttpResponse:
    """Answer ``POST /records``."""
    rate = None
    try:
        caller = _caller(request)
        rate = rate_limits.take(caller)
        if rate is not None:
            rate.enforce()
        response = _take_in(request, caller)
    except Problem as problem:
        response = problem_response(problem)
    except (OperationalError, InterfaceError) as error:
        response = problem_response(database_away(error))
    for name, value in (rate.headers if rate else {}).items():
        response.headers[name] = value
    return response


def _take_in(request: HttpRequest, caller: Caller) -> HttpResponse:
    caller.require(SCOPE)
    decoded = decode(request.content_type or "", request.META, _body(request))
    now = clock.now()
    since = history_start(caller.plan.history_days, caller.timezone, now)
    return _answer(ingest(Batch(caller, now, since, decoded.records, decoded.errors)))


def _caller(request: HttpRequest) -> Caller:
    header = request.headers.get("Authorization")
    if header is not None:
        return caller_from_key(header)
    member = MemberAuthentication().authenticate(Request(request))
    if member is None:
        raise unauthorized("Sign in, or send a key in the Authorization header.")
    return member[1]


def _answer(outcome: Outcome) -> HttpResponse:
    body = outcome.as_dict()
    if outcome.rejected and not outcome.accepted and not outcome.duplicates:
        code, status = "records_refused", HTTPStatus.UNPROCESSABLE_ENTITY
        detail = f"None of the {outcome.rejected} records could be accepted; errors says why."
        problem = {
            "type": TYPE_BASE + code,
            "title": status.phrase,
            "status": status.value,
            "detail": detail,
            "code": code,
        }
        return HttpResponse(
            msgspec.json.encode({**problem, **body}), status=status, content_type=CONTENT_TYPE
        )
    return HttpResponse(msgspec.json.encode(body), content_type="application/json")


def _body(request: HttpRequest) -> bytes:
    if int(request.META.get("CONTENT_LENGTH") or 0) > MAX_BYTES:
        raise _too_large()
    encoding = request.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding not in _ENCODINGS:
        raise Problem(
            status=415,
            code="unsupported_encoding",
            detail=f"The Content-Encoding {encoding[:40]!r} is unknown; accepted: {', '.join(_ENCODINGS)}.",
            headers={"Accept-Encoding": "gzip"},
        )
    raw = _read(request)
    if len(raw) > MAX_BYTES:
        raise _too_large()
    return _unpack(raw) if encoding == "gzip" else raw


def _read(request: HttpRequest) -> bytes:
    if "chunked" in request.headers.get("Transfer-Encoding", "").lower():
        # Without a length Django sees an empty body; the server's own stream ends where the body does.
        return bytes(request.META["wsgi.input"].read(MAX_BYTES + 1))
    return request.body


def _unpack(packed: bytes) -> bytes:
    unpacked = bytearray()
    try:
        while packed:
            stream = zlib.decompressobj(wbits=31)
            unpacked += stream.decompress(packed, MAX_BYTES + 1 - len(unpacked))
            if len(unpacked) > MAX_BYTES:
                raise _too_large()
            if not stream.eof:
                raise zlib.error("incomplete stream")
            packed = stream.unused_data
    except zlib.error as error:
        raise bad_request(f"The body is not gzip: {error}.", code="malformed_body") from error
    return bytes(unpacked)


def _too_large() -> Problem:
    return too_large(f"A request holds at most {MAX_BYTES // 1024 // 1024} MiB, also when it is unpacked.")
