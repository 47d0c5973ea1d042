"""What is answered when no page can: within the frame to members, bare to strangers, a problem to clients."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import render

from core import views
from core.problems import Problem, forbidden, problem_response
from core.views import API_PATH
from organizations.middleware import ADMIN_PATH
from organizations.models import User
from portal.access import bare, caller_of, framed

WAIT_SECONDS: Final = 60
"""After how long attempts count no more: their limits are by the minute."""


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer what can't be read; for use as ``handler400``.

    Its host may be false and its session unread, so the page is always bare.
    """
    if request.path.startswith(API_PATH):
        detail = "The request can't be understood."
        return problem_response(Problem(status=400, code="invalid_request", detail=detail))
    return render(request, "400.html", bare(), status=400)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer what somebody may not; for use as ``handler403``."""
    if request.path.startswith(API_PATH):
        return problem_response(forbidden("This is not permitted to you."))
    return _page(request, "403.html", 403)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Answer a form without its token; for use as ``CSRF_FAILURE_VIEW``."""
    return _page(request, "403_csrf.html", 403)


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer a path that leads nowhere; for use as ``handler404``."""
    if request.path.startswith(API_PATH):
        return views.page_not_found(request, exception)
    return _page(request, "404.html", 404)


def too_many_requests(request: HttpRequest) -> HttpResponse:
    """Answer attempts that come too often; django-allauth looks for it as ``handler429``."""
    response = render(request, "429.html", bare(), status=429)
    response["Retry-After"] = str(WAIT_SECONDS)
    return response


class FormAddresses:
    """Tells who opens the address of a form's button, say by going back to it, that it can't be opened."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer a reader's 405 with a page; a client's has said all that it needs."""
        response = self._get_response(request)
        if not isinstance(response, HttpResponseNotAllowed) or request.method != "GET":
            return response
        page = _page(request, "405.html", 405)
        page["Allow"] = response["Allow"]
        return page


def _page(request: HttpRequest, template: str, status: int) -> HttpResponse:
    return render(request, template, _surroundings(request), status=status)


def _surroundings(request: HttpRequest) -> dict[str, Any]:
    """Return the frame of whoever is a member; nothing else may fail because of it."""
    if request.path.startswith(ADMIN_PATH):
        return bare()
    try:
        user = getattr(request, "user", None)
        return framed(request, user, caller_of(request)) if isinstance(user, User) else bare()
    except (Problem, DatabaseError):
        return bare()
