"""What every request carries, and which requests take the short way."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from random import getrandbits

import structlog
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import ResolverMatch, resolve
from django.utils.module_loading import import_string

HEADER = "X-Request-Id"
VARIABLE = "HTTP_X_REQUEST_ID"
ANY = "*"
ACCEPTED = re.compile(r"[A-Za-z0-9._-]{1,64}")


class RequestContext:
    """Binds the request's id, the client's own if it sent a sane one, to all that is logged meanwhile."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer the request and name its id in the answer."""
        given = request.META.get(VARIABLE, "")
        request_id = given if ACCEPTED.fullmatch(given) else f"{getrandbits(128):032x}"
        tokens = structlog.contextvars.bind_contextvars(request_id=request_id)
        try:
            response = self.get_response(request)
        finally:
            structlog.contextvars.reset_contextvars(**tokens)
        response.headers[HEADER] = request_id
        return response


class DirectPaths:
    """Hands the calls that keys make all the time straight to their views (``DIRECT_PATHS``).

    The method ``*`` stands for every method, a path that ends in a slash for every path below it.
    What comes after this in the list is for pages and sessions; a request with a key needs none of it. Nor
    does one to a path of every method: there a gateway asks, never a browser, and may name its client's host.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        self.views: dict[tuple[str, str], Callable[[HttpRequest], HttpResponse]] = {
            place: import_string(view) for place, view in settings.DIRECT_PATHS.items()
        }
        self.prefixes = tuple(path for _, path in self.views if path.endswith("/"))

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer the request, by its view or by what follows."""
        path = self._place(request.path_info)
        view = self.views.get((ANY, path))
        if view is None and "HTTP_AUTHORIZATION" in request.META:
            view = self.views.get((request.method or "", path))
        if view is None:
            return self.get_response(request)
        request.resolver_match = _match(path)
        return view(request)

    def _place(self, path: str) -> str:
        """Return the path, or the one that stands for all that begin with it."""
        return next((prefix for prefix in self.prefixes if path.startswith(prefix)), path)


@cache
def _match(path: str) -> ResolverMatch:
    return resolve(path)
