"""`POST /authorize`: a plain view, since it is asked before every call."""

from functools import partial
from typing import ClassVar

import msgspec
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.decorators import method_decorator
from django.views.decorators.csrf import csrf_exempt
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from billing.gate.decide import Decision
from billing.gate.question import MAX_BYTES, Question, read_question
from billing.serializers.gate import PermissionSerializer, QuestionSerializer, RefusalSerializer
from core.params import Params
from core.problems import Problem, problem_response, too_large
from core.schema import problems
from organizations.http import TenantAPIView
from organizations.roles import Scope


def authorize(request: HttpRequest) -> HttpResponse:
    """Answer whether a call may go ahead."""
    decision = Decision(
        request.META.get("HTTP_AUTHORIZATION"), partial(_question, request), session=partial(Request, request)
    )
    try:
        permission = decision.decide()
        response = HttpResponse(msgspec.json.encode(permission.as_dict()), content_type="application/json")
    except Problem as problem:
        response = problem_response(problem)
    response.headers["Cache-Control"] = "no-store"
    for name, value in (decision.rate.headers if decision.rate else {}).items():
        response.headers[name] = value
    return response


@method_decorator(csrf_exempt, name="dispatch")
class AuthorizeView(TenantAPIView):
    """May a call go ahead?"""

    required_scopes: ClassVar[dict[str, str]] = {"POST": Scope.BILLING_READ}

    def dispatch(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        """Hand the question to the plain view, and refuse other methods."""
        if request.method == "POST":
            return authorize(request)
        return super().dispatch(request, *args, **kwargs)

    @extend_schema(
        operation_id="authorize",
        summary="May this call go ahead?",
        description=(
            "With an estimate, that amount is held until a record with the reservationId settles it, "
            "it is released, or it expires. Any key may ask for its own calls, and needs no scope for it; "
            "to ask for another clientId takes billing:read."
        ),
        request=QuestionSerializer,
        responses={
            200: PermissionSerializer,
            (402, "application/problem+json"): RefusalSerializer,
            **problems(413, 415, 422, 503),
        },
    )
    def post(self, request: Request) -> HttpResponse:
        """Answer; requests reach `authorize` before this."""
        return authorize(request._request)  # noqa: SLF001 the plain view takes the plain request


def _question(request: HttpRequest) -> Question:
    if request.META.get("QUERY_STRING"):
        Params(request.GET, ())
    if int(request.META.get("CONTENT_LENGTH") or 0) > MAX_BYTES:
        raise too_large(f"A question has at most {MAX_BYTES} bytes.")
    return read_question(request.content_type or "", request.body)
