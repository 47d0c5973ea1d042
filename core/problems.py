"""Errors as the domain raises them and as clients read them: RFC 9457 problem details.

The `type` of a problem is its code's entry in the reference, ``/api/docs/problems#<code>``.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

import structlog
from django.core.exceptions import PermissionDenied
from django.core.exceptions import ValidationError as DjangoValidationError
from django.db.utils import InterfaceError, OperationalError
from django.http import Http404, HttpResponse
from rest_framework import exceptions as drf
from rest_framework.response import Response

log: Final = structlog.get_logger(__name__)

CONTENT_TYPE: Final = "application/problem+json"
TYPE_BASE: Final = "/api/docs/problems#"
CHALLENGE: Final = 'Bearer realm="Headroom"'
_CODES: Final[dict[type[Exception], str]] = {
    drf.ParseError: "malformed_body",
    drf.PermissionDenied: "forbidden",
    drf.UnsupportedMediaType: "unsupported_media_type",
}


@dataclass(frozen=True, slots=True)
class FieldError:
    """One fault in what the client sent: where (a JSON pointer), which, and in words."""

    pointer: str
    code: str
    detail: str

    def as_dict(self) -> dict[str, str]:
        """Return the error as it is written in an answer."""
        return {"pointer": self.pointer, "code": self.code, "detail": self.detail}


class Problem(Exception):
    """A request that can't be answered, and why, in terms the client can act on."""

    def __init__(
        self,
        *,
        status: int,
        code: str,
        detail: str,
        title: str = "",
        errors: Iterable[FieldError] = (),
        headers: Mapping[str, str] | None = None,
        members: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(f"{status} {code}: {detail}")
        self.status = status
        self.code = code
        self.title = title or HTTPStatus(status).phrase
        self.detail = detail
        self.errors = tuple(errors)
        self.headers = dict(headers or {})
        self.members = dict(members or {})

    def as_dict(self) -> dict[str, Any]:
        """Return the members of the problem document, extension members last."""
        document: dict[str, Any] = {
            "type": TYPE_BASE + self.code,
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            "code": self.code,
        }
        if self.errors:
            document["errors"] = [error.as_dict() for error in self.errors]
        return {**document, **self.members}


def bad_request(detail: str, *, code: str = "invalid_request", errors: Iterable[FieldError] = ()) -> Problem:
    """Return a 400: the request itself, or a parameter of it, can't be understood."""
    return Problem(status=400, code=code, detail=detail, errors=errors)


def invalid(detail: str, *, code: str = "invalid", errors: Iterable[FieldError] = ()) -> Problem:
    """Return a 422: the body is well formed and its content is not acceptable."""
    return Problem(status=422, code=code, detail=detail, errors=errors)


def invalid_field(pointer: str, code: str, detail: str) -> Problem:
    """Return a 422 for one fault in one field."""
    return invalid(detail, errors=[FieldError(pointer, code, detail)])


def invalid_parameter(name: str, detail: str, *, code: str = "invalid_parameter") -> Problem:
    """Return a 400 for one fault in one query parameter."""
    return bad_request(detail, code=code, errors=[FieldError(f"/{name}", code, detail)])


def unauthorized(detail: str, *, code: str = "unauthorized", error: str = "") -> Problem:
    """Return a 401 with its challenge; ``error`` is the challenge's own code (RFC 6750)."""
    challenge = f'{CHALLENGE}, error="{error}"' if error else CHALLENGE
    return Problem(status=401, code=code, detail=detail, headers={"WWW-Authenticate": challenge})


def forbidden(detail: str, *, code: str = "forbidden") -> Problem:
    """Return a 403: known, and not entitled."""
    return Problem(status=403, code=code, detail=detail)


def not_found(detail: str = "There is no such object.", *, code: str = "not_found") -> Problem:
    """Return a 404, the same for what does not exist and for what is another's."""
    return Problem(status=404, code=code, detail=detail)


def method_not_allowed(method: str, allowed: Iterable[str]) -> Problem:
    """Return a 405 naming what is allowed."""
    names = ", ".join(sorted(allowed))
    return Problem(
        status=405,
        code="method_not_allowed",
        detail=f"{method} is not allowed here; allowed: {names or 'nothing'}.",
        headers={"Allow": names},
    )


def conflict(detail: str, *, code: str = "conflict") -> Problem:
    """Return a 409: the object's present state does not permit it."""
    return Problem(status=409, code=code, detail=detail)


def too_large(detail: str, *, code: str = "too_large") -> Problem:
    """Return a 413."""
    return Problem(status=413, code=code, detail=detail)


def unsupported_media_type(media_type: str, accepted: Iterable[str]) -> Problem:
    """Return a 415 listing the media types that are read here."""
    names = ", ".join(accepted)
    return Problem(
        status=415,
        code="unsupported_media_type",
        detail=f"{media_type[:100] or 'A missing Content-Type'} is not accepted here; accepted: {names}.",
        headers={"Accept-Post": names},
    )


def too_many_requests(
    detail: str, *, retry_after: int, code: str = "rate_limited", headers: Mapping[str, str] | None = None
) -> Problem:
    """Return a 429.

    Units: ``retry_after`` in whole seconds.
    """
    return Problem(
        status=429, code=code, detail=detail, headers={**(headers or {}), "Retry-After": str(retry_after)}
    )


def unavailable(detail: str, *, retry_after: int = 1, code: str = "unavailable") -> Problem:
    """Return a 503 for what may be well again in a moment.

    Units: ``retry_after`` in whole seconds.
    """
    return Problem(status=503, code=code, detail=detail, headers={"Retry-After": str(retry_after)})


def problem_response(problem: Problem) -> HttpResponse:
    """Return the problem as the answer of a plain view."""
    return HttpResponse(
        json.dumps(problem.as_dict(), ensure_ascii=False, separators=(",", ":")).encode(),
        status=problem.status,
        content_type=CONTENT_TYPE,
        headers=problem.headers,
    )


def exception_handler(error: Exception, context: Mapping[str, Any]) -> Response | None:
    """Turn what a REST framework view raised into a problem; None leaves a fault of ours to Django."""
    problem = as_problem(error)
    if problem is None:
        return None
    return Response(
        problem.as_dict(), status=problem.status, headers=problem.headers, content_type=CONTENT_TYPE
    )


def as_problem(error: Exception) -> Problem | None:
    """Return the problem that an exception of ours, Django's or the REST framework's means."""
    match error:
        case Problem():
            return error
        case Http404():
            return not_found()
        case PermissionDenied():
            return forbidden("This is not permitted.")
        case DjangoValidationError():
            return _from_fields(drf.ValidationError(_messages(error)).detail)
        case drf.APIException():
            return _from_framework(error)
        case OperationalError() | InterfaceError():
            return database_away(error)
    return None


def database_away(error: Exception) -> Problem:
    """Return the 503 of a database that broke off or does not answer, and log why.

    What was being written may have been kept: only the answer would have said so.
    """
    log.error("the database does not answer", error=str(error).strip())
    return unavailable("The database does not answer at the moment. Send the request again.")


def _from_framework(error: drf.APIException) -> Problem:
    match error:
        case drf.ValidationError():
            return _from_fields(error.detail)
        case drf.Throttled():
            return too_many_requests(str(error.detail), retry_after=int(getattr(error, "wait", None) or 1))
        case drf.NotAuthenticated() | drf.AuthenticationFailed():
            return unauthorized(str(error.detail))
    code = _CODES.get(type(error), error.default_code)
    return Problem(status=error.status_code, code=code, detail=str(error.detail))


def _messages(error: DjangoValidationError) -> dict[str, list[str]] | list[str]:
    return error.message_dict if hasattr(error, "error_dict") else error.messages


def _from_fields(detail: Any) -> Problem:
    errors = tuple(_faults(detail, ""))
    summary = " ".join(f"{error.pointer or 'Body'}: {error.detail}" for error in errors[:3])
    return invalid(summary, errors=errors)


def _faults(detail: Any, pointer: str) -> Iterator[FieldError]:
    """Walk the REST framework's nested errors down to one fault each, with its JSON pointer."""
    if isinstance(detail, dict):
        for name, inner in detail.items():
            own = name in ("non_field_errors", "__all__")
            yield from _faults(inner, pointer if own else f"{pointer}/{_escape(str(name))}")
    elif isinstance(detail, list):
        for index, inner in enumerate(detail):
            nested = isinstance(inner, dict | list)
            yield from _faults(inner, f"{pointer}/{index}" if nested else pointer)
    else:
        yield FieldError(pointer, getattr(detail, "code", "invalid"), str(detail))


def _escape(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")
