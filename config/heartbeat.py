"""The sign of life a Celery worker gives, which readiness asks for."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import structlog
from celery import bootsteps
from django.conf import settings
from redis import Redis
from redis.exceptions import RedisError

EVERY_SECONDS = 3.0
HEARD_FOR_SECONDS = 15
KEY = "headroom:worker:heartbeat"


def beat(client: Redis) -> None:
    """Leave a sign of life that fades when it is not renewed."""
    client.set(KEY, "1", ex=HEARD_FOR_SECONDS)


def heard(client: Redis) -> bool:
    """Return whether any worker was alive a moment ago."""
    return bool(client.exists(KEY))


def age_seconds(client: Redis) -> float | None:
    """Return how long ago the last worker to do so gave its sign of life; None when that has faded."""
    left: Any = client.pttl(KEY)
    return None if left < 0 else max(HEARD_FOR_SECONDS - left / 1000, 0.0)


class Heartbeat(bootsteps.StartStopStep):
    """Beats in the worker's own timer, so that a worker that hangs falls silent."""

    requires = ("celery.worker.components:Timer",)

    def __init__(self, worker: Any, **kwargs: Any) -> None:
        super().__init__(worker, **kwargs)
        self._timer: Any = None
        self._client = Redis.from_url(settings.REDIS_URL, socket_timeout=1, socket_connect_timeout=1)

    def start(self, worker: Any) -> None:
        """Beat now and from now on."""
        self._beat()
        self._timer = worker.timer.call_repeatedly(EVERY_SECONDS, self._beat)

    def stop(self, worker: Any) -> None:
        """Fall silent at once."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        with suppress(RedisError):
            self._client.delete(KEY)

    def _beat(self) -> None:
        try:
            beat(self._client)
        except RedisError as error:
            structlog.get_logger(__name__).warning("heartbeat_lost", error=str(error))
