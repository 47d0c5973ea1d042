"""What is answered when no view can: problems under ``/api/``, pages elsewhere."""

from django.http import HttpRequest, HttpResponse
from django.views import defaults

from core.problems import Problem, not_found, problem_response

API_PATH = "/api/"
ANSWER_HEADERS = "headroom.answer_headers"
"""Where a request keeps what every answer to it is to have, also one that no view gives."""


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer a path that leads nowhere; for use as ``handler404``."""
    if request.path.startswith(API_PATH):
        return problem_response(not_found(f"There is nothing at {request.path[:200]}."))
    return defaults.page_not_found(request, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer a fault of ours without telling what it was; for use as ``handler500``."""
    if request.path.startswith(API_PATH):
        detail = "Something went wrong on our side; the request changed nothing it did not report."
        headers = request.META.get(ANSWER_HEADERS)
        return problem_response(Problem(status=500, code="internal_error", detail=detail, headers=headers))
    return defaults.server_error(request)
