"""What is answered when no view can: problems under ``/api/``, pages elsewhere."""

from typing import Final

import structlog
from django.http import HttpRequest, HttpResponse, HttpResponseServerError
from django.template.loader import render_to_string
from django.utils.html import format_html
from django.views import defaults
from structlog.contextvars import get_contextvars

from core.problems import Problem, not_found, problem_response

API_PATH = "/api/"
ANSWER_HEADERS = "headroom.answer_headers"
"""Where a request keeps what every answer to it is to have, also one that no view gives."""
FAULT: Final = (
    '<!doctype html><html lang="en"><title>Something went wrong</title><h1>Something went wrong</h1>'
    "<p>Please try again in a moment. Request ID: {}</p></html>"
)
"""What is said when even the page of faults can't be made."""

log: Final = structlog.get_logger(__name__)


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
    return HttpResponseServerError(_fault_page(str(get_contextvars().get("request_id", ""))))


def _fault_page(request_id: str) -> str:
    """Return the page of a fault; it needs neither database nor session, and at worst no template either."""
    try:
        return render_to_string("500.html", {"request_id": request_id})
    except Exception:
        log.exception("fault_page_failed")
        return format_html(FAULT, request_id)
