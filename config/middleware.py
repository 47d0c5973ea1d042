"""What every request carries, and which requests take the short way."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable

import structlog
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.module_loading import import_string

HEADER = "X-Request-Id"
ACCEPTED = re.compile(r"[A-Za-z0-9._-]{1,64}")


class RequestContext:
    """Binds the request's id, the client's own if it sent a sane one, to all that is logged meanwhile."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer the request and name its id in the answer."""
        given = request.headers.get(HEADER, "")
        request_id = given if ACCEPTED.fullmatch(given) else uuid.uuid4().hex
        with structlog.contextvars.bound_contextvars(request_id=request_id):
            response = self.get_response(request)
        response.headers[HEADER] = request_id
        return response


class DirectPaths:
    """Hands the calls that keys make all the time straight to their views (``DIRECT_PATHS``).

    What comes after this in the list is for pages and sessions; a request with a key needs none of it.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        self.views: dict[tuple[str, str], Callable[[HttpRequest], HttpResponse]] = {
            place: import_string(view) for place, view in settings.DIRECT_PATHS.items()
        }

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer the request, by its view or by what follows."""
        view = self.views.get((request.method or "", request.path_info))
        if view is None or "HTTP_AUTHORIZATION" not in request.META:
            return self.get_response(request)
        return view(request)
