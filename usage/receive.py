"""The write path over HTTP: from a request to a batch, and from its outcome to an answer.

A plain view: the framework's own parsing would cost many times what the rest does.
"""

import zlib
from functools import cached_property
from http import HTTPStatus
from typing import Final

import msgspec
from django.db.utils import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from rest_framework.request import Request

from core import clock
from core.params import Params
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
from organizations.door import Entry, caller_from_key, holds, recall
from organizations.http import MemberAuthentication
from organizations.tenancy import Caller
from usage.batch import Batch, Outcome, Unconfirmed
from usage.dialects.decode import decode
from usage.history import history_start
from usage.pipeline import ingest
from usage.telemetry import count_records

SCOPE: Final = "usage:write"
MAX_BYTES: Final = 16 * 1024 * 1024
_ENCODINGS: Final = ("gzip", "identity")


def receive(request: HttpRequest) -> HttpResponse:
    """Answer ``POST /records``."""
    sending = _Sending(request)
    try:
        response = sending.take_in()
    except Problem as problem:
        response = problem_response(problem)
    except (OperationalError, InterfaceError) as error:
        response = problem_response(database_away(error))
    for name, value in (sending.rate.headers if sending.rate else {}).items():
        response.headers[name] = value
    return response


class _Sending:
    """A request on its way in.

    Whoever has sent before is remembered, and confirmed by the statement that keeps the records; everything
    else that may be answered is answered only after the door has been asked.
    """

    def __init__(self, request: HttpRequest) -> None:
        self.rate: rate_limits.Decision | None = None
        self._request = request
        self._key: str | None = request.META.get("HTTP_AUTHORIZATION")

    def take_in(self) -> HttpResponse:
        """Keep the records, and return the answer.

        Raises: `Problem`.
        """
        entry = None if self._key is None else recall(self._key)
        if entry is not None:
            try:
                return self._take_in(entry.caller, entry)
            except Problem:
                if holds(entry):
                    raise
            except Unconfirmed:
                pass
        return self._take_in(self._caller(), None)

    def _take_in(self, caller: Caller, entry: Entry | None) -> HttpResponse:
        self.rate = rate_limits.take(caller)
        if self.rate is not None:
            self.rate.enforce()
        caller.require(SCOPE)
        if self._request.META.get("QUERY_STRING"):
            Params(self._request.GET, ())
        decoded = decode(self._request.content_type or "", self._request.META, self._body)
        now = clock.now()
        since = history_start(caller.plan.history_days, caller.timezone, now)
        outcome = ingest(Batch(caller, now, since, decoded.records, decoded.errors, entry=entry))
        count_records(outcome)
        return _answer(outcome)

    @cached_property
    def _body(self) -> bytes:
        return _body(self._request)

    def _caller(self) -> Caller:
        if self._key is not None:
            return caller_from_key(self._key)
        member = MemberAuthentication().authenticate(Request(self._request))
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
    encoding = request.META.get("HTTP_CONTENT_ENCODING", "identity").strip().lower()
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
    if "chunked" in request.META.get("HTTP_TRANSFER_ENCODING", "").lower():
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
