"""The gate in the dialects of gateways: the same decision, from a request's headers alone.

Nothing of the client's request but its key counts: the query and the other headers are the client's own,
which must not be able to say how little its call will cost.
"""

import json
from collections.abc import Callable
from typing import ClassVar, Final

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.decorators import method_decorator
from django.views.decorators.csrf import csrf_exempt
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request

from billing.gate.answers import Permission
from billing.gate.decide import Decision
from billing.serializers.gate import RefusalSerializer
from core.problems import Problem, problem_response
from core.schema import problems
from organizations.http import KeyAuthentication, TenantAPIView
from organizations.roles import Scope

STATUS: Final = "X-Portal-Status"
CODE: Final = "X-Portal-Code"
PROBLEM: Final = "X-Portal-Problem"
CLIENT_ID: Final = "X-Portal-Client-Id"
ORGANIZATION: Final = "X-Portal-Organization"
RESERVATION_ID: Final = "X-Portal-Reservation-Id"
REMAINING: Final = "X-Portal-Remaining"
_CHALLENGE: Final = 401
_ONLY_REFUSAL: Final = 403

Refuse = Callable[[Problem], HttpResponse]


def forward(request: HttpRequest) -> HttpResponse:
    """Answer Caddy's ``forward_auth`` and Traefik's ForwardAuth: the true status, which they pass on."""
    return _decided(request, _as_it_is)


def envoy(request: HttpRequest) -> HttpResponse:
    """Answer Envoy's ``ext_authz``, which asks with the method and path of the client's request."""
    return _decided(request, _as_it_is)


def envoy_below(request: HttpRequest, asked: str) -> HttpResponse:
    """Answer Envoy on one of the paths that clients ask for."""
    return envoy(request)


def nginx(request: HttpRequest) -> HttpResponse:
    """Answer nginx's ``auth_request``, which knows 401 and 403 only: the true status is in a header."""
    return _decided(request, _as_nginx_can)


class _GatewayView(TenantAPIView):
    """A gateway's question; the plain views answer every method alike."""

    required_scopes: ClassVar[dict[str, str]] = {"GET": Scope.USAGE_READ}
    authentication_classes = (KeyAuthentication,)  # type: ignore[assignment] # no sessions here

    def dispatch(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        """Hand the question to the plain view."""
        return self.plain(request)

    def plain(self, request: HttpRequest) -> HttpResponse:
        """Answer the question."""
        raise NotImplementedError


_ALLOWED: Final = OpenApiResponse(None, "The call may go ahead; the X-Portal headers say whose it is.")


_REFUSED: Final = OpenApiResponse(None, "The call may not go ahead; the X-Portal headers say why.")


@method_decorator(csrf_exempt, name="dispatch")
class ForwardView(_GatewayView):
    """For Caddy and Traefik."""

    def plain(self, request: HttpRequest) -> HttpResponse:
        """Answer the question."""
        return forward(request)

    @extend_schema(
        operation_id="authorizeForward",
        summary="The gate for Caddy and Traefik",
        description="Every method is answered alike. A refusal has its true status, and its problem as body.",
        responses={
            200: _ALLOWED,
            (402, "application/problem+json"): RefusalSerializer,
            **problems(503),
        },
    )
    def get(self, request: Request) -> HttpResponse:
        """Answer; requests reach `forward` before this."""
        return forward(request._request)  # noqa: SLF001 the plain view takes the plain request


@method_decorator(csrf_exempt, name="dispatch")
class EnvoyView(_GatewayView):
    """For Envoy."""

    def plain(self, request: HttpRequest) -> HttpResponse:
        """Answer the question."""
        return envoy(request)

    @extend_schema(
        operation_id="authorizeEnvoy",
        summary="The gate for Envoy",
        description="Every method and path below this one is answered alike: exactly 200, or the refusal.",
        responses={
            200: _ALLOWED,
            (402, "application/problem+json"): RefusalSerializer,
            **problems(503),
        },
    )
    def get(self, request: Request) -> HttpResponse:
        """Answer; requests reach `envoy` before this."""
        return envoy(request._request)  # noqa: SLF001 the plain view takes the plain request


@method_decorator(csrf_exempt, name="dispatch")
class NginxView(_GatewayView):
    """For nginx."""

    def plain(self, request: HttpRequest) -> HttpResponse:
        """Answer the question."""
        return nginx(request)

    @extend_schema(
        operation_id="authorizeNginx",
        summary="The gate for nginx",
        description=(
            "Every method is answered alike. A refusal is 401 or 403, whatever its reason: X-Portal-Status "
            "has the true status, X-Portal-Problem the problem as JSON in one line."
        ),
        responses={200: _ALLOWED, 401: _REFUSED, 403: _REFUSED},
    )
    def get(self, request: Request) -> HttpResponse:
        """Answer; requests reach `nginx` before this."""
        return nginx(request._request)  # noqa: SLF001 the plain view takes the plain request


def _decided(request: HttpRequest, refuse: Refuse) -> HttpResponse:
    decision = Decision(request.META.get("HTTP_AUTHORIZATION"))
    try:
        response = _allowed(decision.decide())
    except Problem as problem:
        response = refuse(problem)
    response.headers["Cache-Control"] = "no-store"
    for name, value in (decision.rate.headers if decision.rate else {}).items():
        response.headers[name] = value
    return response


def _allowed(permission: Permission) -> HttpResponse:
    headers = {
        STATUS: "200",
        CLIENT_ID: permission.client_id or "",
        ORGANIZATION: permission.organization,
        # Empty rather than absent: Caddy would copy the name of its own variable.
        RESERVATION_ID: permission.reservation_id or "",
        REMAINING: permission.remaining or "",
    }
    return HttpResponse(b"", content_type="text/plain", headers=headers)


def _as_it_is(problem: Problem) -> HttpResponse:
    response = problem_response(problem)
    response.headers[STATUS] = str(problem.status)
    response.headers[CODE] = problem.code
    return response


def _as_nginx_can(problem: Problem) -> HttpResponse:
    told = {
        STATUS: str(problem.status),
        CODE: problem.code,
        PROBLEM: json.dumps(problem.as_dict(), separators=(",", ":")),
    }
    status = _CHALLENGE if problem.status == _CHALLENGE else _ONLY_REFUSAL
    return HttpResponse(b"", status=status, content_type="text/plain", headers={**problem.headers, **told})
