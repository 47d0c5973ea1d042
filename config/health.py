"""Whether this process is alive, and whether the whole is ready to serve."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.db import connections
from django.db.utils import DatabaseError
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from redis import Redis
from redis.exceptions import RedisError

from config import heartbeat


@never_cache
@require_safe
def alive(request: HttpRequest) -> JsonResponse:
    """Answer that the process takes requests; nothing else is asked."""
    return JsonResponse({"status": "alive"})


@never_cache
@require_safe
def ready(request: HttpRequest) -> JsonResponse:
    """Answer 200 when the database, Redis and a worker are there, else 503, and what is wrong with which."""
    parts = {"database": _database(), "redis": _redis(), "worker": _worker()}
    is_ready = all(problem is None for problem in parts.values())
    body = {
        "status": "ready" if is_ready else "unavailable",
        "checks": {name: {"ok": problem is None, "detail": problem or "ok"} for name, problem in parts.items()},
    }
    return JsonResponse(body, status=200 if is_ready else 503)


def _database() -> str | None:
    try:
        with connections["default"].cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return "PostgreSQL does not answer"
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
