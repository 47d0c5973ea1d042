"""Whether this process is alive, and whether the whole is ready to serve."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import connections
from django.db.utils import Error as DatabaseFailure
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, JsonResponse
from redis import Redis
from redis.exceptions import RedisError

from config import heartbeat


class Probes:
    """Answers `/healthz` and `/readyz` before anything else looks at the request.

    A probe comes by the machine's address, without TLS and without a session: no other middleware may
    redirect or refuse it.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer a probe, and pass on everything else."""
        probe = PROBES.get(request.path_info)
        if probe is None:
            return self.get_response(request)
        response = probe() if request.method in {"GET", "HEAD"} else HttpResponseNotAllowed(["GET", "HEAD"])
        response.headers["Cache-Control"] = "no-store"
        return response


def alive() -> HttpResponse:
    """Answer that the process takes requests; nothing else is asked."""
    return JsonResponse({"status": "alive"})


def ready() -> HttpResponse:
    """Answer 200 when the database, Redis and a worker are there, else 503, and what is wrong with which."""
    parts = {"database": _database(), "redis": _redis(), "worker": _worker()}
    is_ready = all(problem is None for problem in parts.values())
    body = {
        "status": "ready" if is_ready else "unavailable",
        "checks": {
            name: {"ok": problem is None, "detail": problem or "ok"} for name, problem in parts.items()
        },
    }
    return JsonResponse(body, status=200 if is_ready else 503)


PROBES: Final[dict[str, Callable[[], HttpResponse]]] = {"/healthz": alive, "/readyz": ready}


def _database() -> str | None:
    try:
        with connections["default"].cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseFailure:
        return "PostgreSQL does not answer"
    except ImproperlyConfigured as error:
        return str(error)
    return None


def _redis() -> str | None:
    return _ask_redis(lambda client: None if client.ping() else "Redis does not answer")


def _worker() -> str | None:
    return _ask_redis(lambda client: None if heartbeat.heard(client) else "no worker has been heard from")


def _ask_redis(question: Callable[[Redis], str | None]) -> str | None:
    try:
        with Redis.from_url(settings.REDIS_URL, socket_timeout=1, socket_connect_timeout=1) as client:
            return question(client)
    except RedisError:
        return "Redis does not answer"
