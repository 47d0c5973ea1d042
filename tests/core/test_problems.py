import json
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.core.exceptions import ValidationError as DjangoValidationError
from django.db.utils import InterfaceError, OperationalError
from django.http import Http404
from rest_framework import exceptions, serializers

from core import problems
from core.problems import FieldError, Problem, as_problem, exception_handler, problem_response


def document(problem: Problem) -> dict[str, Any]:
    return dict(json.loads(problem_response(problem).content))


def test_a_problem_is_written_as_rfc_9457_has_it() -> None:
    problem = problems.invalid_field("/tokens/prompt", "negative", "Must not be negative.")
    response = problem_response(problem)
    assert response.status_code == 422
    assert response.headers["Content-Type"] == "application/problem+json"
    assert document(problem) == {
        "type": "/api/docs/problems#invalid",
        "title": "Unprocessable Entity",
        "status": 422,
        "detail": "Must not be negative.",
        "code": "invalid",
        "errors": [{"pointer": "/tokens/prompt", "code": "negative", "detail": "Must not be negative."}],
    }


def test_errors_are_left_out_when_there_are_none_and_members_are_added() -> None:
    problem = Problem(status=402, code="spend_limit", detail="Reached.", members={"resetsAt": "x"})
    assert "errors" not in document(problem)
    assert document(problem)["resetsAt"] == "x"


def test_a_401_carries_its_challenge() -> None:
    assert problem_response(problems.unauthorized("No."))["WWW-Authenticate"] == 'Bearer realm="Headroom"'
    known = problems.unauthorized("No.", error="invalid_token")
    assert problem_response(known)["WWW-Authenticate"] == 'Bearer realm="Headroom", error="invalid_token"'


@pytest.mark.parametrize(
    ("problem", "status", "code", "header"),
    [
        (problems.bad_request("d"), 400, "invalid_request", None),
        (problems.invalid_parameter("from", "d"), 400, "invalid_parameter", None),
        (problems.forbidden("d"), 403, "forbidden", None),
        (problems.not_found(), 404, "not_found", None),
        (
            problems.method_not_allowed("PUT", ["POST", "GET"]),
            405,
            "method_not_allowed",
            ("Allow", "GET, POST"),
        ),
        (problems.conflict("d"), 409, "conflict", None),
        (problems.too_large("d"), 413, "too_large", None),
        (
            problems.unsupported_media_type("text/xml", ["application/json"]),
            415,
            "unsupported_media_type",
            ("Accept-Post", "application/json"),
        ),
        (problems.invalid("d"), 422, "invalid", None),
        (problems.too_many_requests("d", retry_after=7), 429, "rate_limited", ("Retry-After", "7")),
        (problems.unavailable("d"), 503, "unavailable", ("Retry-After", "1")),
    ],
)
def test_each_kind_has_its_status_and_code(
    problem: Problem, status: int, code: str, header: tuple[str, str] | None
) -> None:
    response = problem_response(problem)
    assert (response.status_code, document(problem)["code"]) == (status, code)
    if header is not None:
        assert response[header[0]] == header[1]


class Inner(serializers.Serializer[Any]):
    size = serializers.IntegerField()


class Outer(serializers.Serializer[Any]):
    name = serializers.CharField()
    inner = Inner(many=True)
    tags = serializers.ListField(child=serializers.IntegerField())


def test_every_fault_of_a_nested_body_has_its_own_pointer() -> None:
    body = Outer(data={"inner": [{"size": 1}, {"size": "x"}], "tags": [1, "a/b"]})
    with pytest.raises(exceptions.ValidationError) as caught:
        body.is_valid(raise_exception=True)
    problem = as_problem(caught.value)
    assert problem is not None
    assert [(error.pointer, error.code) for error in problem.errors] == [
        ("/name", "required"),
        ("/inner/1/size", "invalid"),
        ("/tags/1", "invalid"),
    ]


def test_a_pointer_escapes_what_json_pointers_escape() -> None:
    problem = as_problem(exceptions.ValidationError({"a/b~c": ["Bad."], "non_field_errors": ["Worse."]}))
    assert problem is not None
    assert problem.errors == (FieldError("/a~1b~0c", "invalid", "Bad."), FieldError("", "invalid", "Worse."))


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (Http404(), 404, "not_found"),
        (exceptions.NotFound(), 404, "not_found"),
        (PermissionDenied(), 403, "forbidden"),
        (exceptions.PermissionDenied(), 403, "forbidden"),
        (DjangoValidationError("Bad."), 422, "invalid"),
        (DjangoValidationError({"name": ["Bad."]}), 422, "invalid"),
        (exceptions.ParseError(), 400, "malformed_body"),
        (exceptions.UnsupportedMediaType("text/xml"), 415, "unsupported_media_type"),
        (exceptions.MethodNotAllowed("PUT"), 405, "method_not_allowed"),
        (exceptions.NotAcceptable(), 406, "not_acceptable"),
        (exceptions.Throttled(wait=3), 429, "rate_limited"),
        (exceptions.NotAuthenticated(), 401, "unauthorized"),
        (exceptions.AuthenticationFailed(), 401, "unauthorized"),
        (problems.conflict("d", code="own"), 409, "own"),
    ],
)
def test_what_the_frameworks_raise_becomes_a_problem(error: Exception, status: int, code: str) -> None:
    response = exception_handler(error, {})
    assert response is not None
    assert (response.status_code, response.data["code"]) == (status, code)
    assert response.content_type == "application/problem+json"


def test_a_fault_of_ours_is_left_to_the_server() -> None:
    assert exception_handler(KeyError("x"), {}) is None


@pytest.mark.parametrize(
    "error", [OperationalError("the connection is lost"), InterfaceError("already closed")]
)
def test_a_database_that_does_not_answer_is_a_503_to_be_tried_again(error: Exception) -> None:
    problem = as_problem(error)
    assert problem is not None
    assert (problem.status, problem.code, problem.headers) == (503, "unavailable", {"Retry-After": "1"})
