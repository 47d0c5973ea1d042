"""Timing every request, and answering `/metrics`; neither without a token."""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter

from django.conf import settings
from django.core.exceptions import MiddlewareNotUsed
from django.http import HttpRequest, HttpResponse
from prometheus_client import Histogram

from config.metrics.page import answer
from core.telemetry import REGISTRY

PATH = "/metrics"
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
ELSE = "other"
SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
DURATION = Histogram(
    "headroom_http_request_duration_seconds",
    "Time to an answer, by the name of the route, method and class of status.",
    ("route", "method", "status"),
    registry=REGISTRY,
    buckets=SECONDS,
)


class Metrics:
    """Comes before what may redirect or refuse: a scraper comes by the machine's address, without TLS."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        if not settings.METRICS_TOKEN:
            raise MiddlewareNotUsed("METRICS_TOKEN is not set")
        self.get_response = get_response
        self._places: dict[tuple[str | None, str | None, int], Histogram] = {}

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer the metrics, or time the answer of something else."""
        if request.path_info == PATH:
            return answer(request)
        began = perf_counter()
        response = self.get_response(request)
        match = request.resolver_match
        place = (match.view_name if match else None, request.method, response.status_code // 100)
        seconds = perf_counter() - began
        (self._places.get(place) or self._place(place)).observe(seconds)
        return response

    def _place(self, place: tuple[str | None, str | None, int]) -> Histogram:
        route, method, status = place
        found = DURATION.labels(route or ELSE, method if method in METHODS else ELSE, f"{status}xx")
        if method in METHODS:
            self._places[place] = found
        return found
