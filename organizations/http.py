"""The ground of every REST view: authenticate, check the scope, read strictly, enter the tenant."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from rest_framework import exceptions
from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser, JSONParser
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView
from rest_framework.viewsets import ViewSetMixin

from core.params import Params
from core.problems import forbidden, method_not_allowed, unauthorized
from core.views import ANSWER_HEADERS
from organizations import rate_limits
from organizations.door import CHOICE_PARAM, caller_from_key, caller_from_session
from organizations.models import User
from organizations.tenancy import Caller, tenant_scope


class KeyAuthentication(BaseAuthentication):
    """Takes the key of an ``Authorization`` header through the door; `request.auth` is the caller."""

    def authenticate(self, request: Request) -> tuple[None, Caller] | None:
        """Return the caller, or None without the header.

        Raises: `Problem` 401 or 403.
        """
        header = request.headers.get("Authorization")
        return None if header is None else (None, caller_from_key(header))

    def authenticate_header(self, request: Request) -> str:
        """Return the challenge of a 401."""
        return "Bearer"


class MemberAuthentication(SessionAuthentication):
    """Takes a signed-in member through the door, with CSRF; `request.auth` is the caller."""

    def authenticate(self, request: Request) -> tuple[User, Caller] | None:
        """Return the user and the caller they are, or None when nobody is signed in.

        Raises: `Problem` 403.
        """
        if super().authenticate(request) is None:
            return None
        plain = request._request  # noqa: SLF001 its user is the session's; the wrapper's would ask us again
        user = plain.user
        return (user, caller_from_session(plain)) if isinstance(user, User) else None

    def enforce_csrf(self, request: HttpRequest | Request) -> None:
        """Refuse what another site may have sent.

        Raises: `Problem` 403 ``csrf_failed``.
        """
        # The wrapper would parse the body to look for a token, and refuse one that it has no parser for.
        plain = request._request if isinstance(request, Request) else request  # noqa: SLF001 as above
        try:
            super().enforce_csrf(plain)  # type: ignore[arg-type] # either kind is taken
        except exceptions.PermissionDenied as error:
            raise forbidden("The request has no valid CSRF token.", code="csrf_failed") from error


class JsonNegotiation(BaseContentNegotiation):
    """Answers JSON whatever the ``Accept`` header says, and leaves ``?format=`` to the views."""

    def select_parser(self, request: Request, parsers: Iterable[BaseParser]) -> BaseParser | None:
        """Return the parser for exactly the body's media type."""
        sent = (request.content_type or "").partition(";")[0].strip().lower()
        return next((parser for parser in parsers if parser.media_type == sent), None)

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        """Return the first renderer."""
        first = next(iter(renderers))
        return first, str(first.media_type)


class TenantAPIView(APIView):
    """A view whose every request runs in one transaction that shows one organization's rows.

    ``required_scopes`` and ``accepted_params`` go by the action of a view set, else by the method
    in capitals; a method without a required scope can't be served. ``deep_params`` names the deep
    objects that are accepted as well.
    Raises: `Problem` 401, 403 or 400 before the tenant's scope is entered.
    """

    authentication_classes = (KeyAuthentication, MemberAuthentication)
    permission_classes = ()
    renderer_classes = (JSONRenderer,)
    parser_classes = (JSONParser,)
    content_negotiation_class = JsonNegotiation
    http_method_names = ["get", "post", "put", "patch", "delete", "head"]

    required_scopes: ClassVar[Mapping[str, str]] = {}
    accepted_params: ClassVar[Mapping[str, Sequence[str]]] = {}
    deep_params: ClassVar[Mapping[str, Sequence[str]]] = {}

    caller: Caller
    params: Params
    rate: rate_limits.Decision | None = None

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Answer the request; what the handler wrote is committed only when it returns."""
        self.args, self.kwargs = args, kwargs
        self.headers = {**self.default_response_headers, "Cache-Control": "no-store"}
        self.request = self.initialize_request(request, *args, **kwargs)
        try:
            self.initial(self.request, *args, **kwargs)
            response = self.answer(*args, **kwargs)
        except Exception as error:  # noqa: BLE001 the handler re-raises what is not the client's
            if self.rate is not None:
                request.META[ANSWER_HEADERS] = self.rate.headers
            response = self.handle_exception(error)
        for name, value in (self.rate.headers if self.rate else {}).items():
            response.headers[name] = value
        self.response = self.finalize_response(self.request, response, *args, **kwargs)
        return self.response

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Find the caller, check the method, the scope and the parameters, in this order."""
        super().initial(request, *args, **kwargs)
        self.caller = self._authenticated(request)
        self.rate = rate_limits.take(self.caller)
        if self.rate is not None:
            self.rate.enforce()
        self._handler()
        self.authorize()
        accepted, deep = self._declared(self.accepted_params), self._declared(self.deep_params)
        # Which organization it is of was the door's to read, and only a member has several.
        chosen = () if self.caller.user_id is None else (CHOICE_PARAM,)
        self.params = Params(request.query_params, (*(accepted or ()), *chosen), deep=deep or ())

    def authorize(self) -> None:
        """Go on only with the scope that the method requires.

        Raises: `Problem` 403 naming the scope.
        """
        scope = self._declared(self.required_scopes)
        if scope is None:
            raise ImproperlyConfigured(f"{type(self).__name__} requires no scope for {self.request.method}")
        self.caller.require(scope)

    def answer(self, *args: Any, **kwargs: Any) -> Response:
        """Run the method's handler in the scope of the caller's organization; a read is of one moment."""
        reading = self.request.method in ("GET", "HEAD")
        with tenant_scope(self.caller.organization_id, actor=self.caller.actor, snapshot=reading):
            response: Response = self._handler()(self.request, *args, **kwargs)
        return response

    def _authenticated(self, request: Request) -> Caller:
        if not isinstance(request.auth, Caller):
            raise unauthorized("Sign in, or send a key in the Authorization header.")
        return request.auth

    def _handler(self) -> Any:
        method = (self.request.method or "").lower()
        handler = getattr(self, method, None) if method in self.http_method_names else None
        if handler is None:
            raise method_not_allowed(self.request.method or "", self.allowed_methods)
        return handler

    def _declared(self, by_action: Mapping[str, Any]) -> Any:
        method = "GET" if self.request.method == "HEAD" else self.request.method
        return by_action.get(getattr(self, "action", None) or "", by_action.get(method or ""))


class TenantViewSet(ViewSetMixin, TenantAPIView):
    """A set of actions on one organization's objects; see `TenantAPIView`."""
