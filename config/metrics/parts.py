"""How the parts are: the database and what waits in it, Redis and its queues, the worker, the processes."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db.utils import Error as DatabaseFailure
from prometheus_client import Metric, ProcessCollector
from prometheus_client.core import GaugeMetricFamily
from redis import Redis
from redis.exceptions import RedisError

from config import heartbeat
from config.celery import app
from config.metrics.directory import server_of
from organizations.tenancy import system_scope
from usage.queries.backlog import Backlog, backlog

TIMEOUT_MS = 3000
REDIS_SECONDS = 1
UNACKNOWLEDGED = "unacked"
"""The hash in which Celery's transport keeps what a worker has taken and not finished."""

log = structlog.get_logger(__name__)


def database() -> Iterator[Metric]:
    """Yield whether PostgreSQL answers, and what waits in it."""
    waits = _backlog()
    yield _gauge("headroom_database_up", "Whether PostgreSQL answers.", waits is not None)
    if waits is None:
        return
    yield _gauge("headroom_pending_rows", "Records that are not folded yet.", waits.pending_rows)
    text = "For how long the oldest of them has been waiting; 0 without any."
    yield _gauge("headroom_pending_oldest_age_seconds", text, waits.oldest_seconds)
    exports = GaugeMetricFamily("headroom_exports", "Exports that are not done.", labels=("state",))
    exports.add_metric(["queued"], waits.exports_queued)
    exports.add_metric(["running"], waits.exports_running)
    yield exports


def redis() -> Iterator[Metric]:
    """Yield whether Redis answers, the tasks in its queues, and when a worker was heard from."""
    names = sorted(app.amqp.queues)
    found = _ask_redis(names)
    yield _gauge("headroom_redis_up", "Whether Redis answers.", found is not None)
    if found is None:
        return
    lengths, taken, age = found
    tasks = GaugeMetricFamily("headroom_queue_tasks", "Tasks that no worker has taken.", labels=("queue",))
    for queue, length in zip(names, lengths, strict=True):
        tasks.add_metric([queue], length)
    yield tasks
    yield _gauge("headroom_queue_unacknowledged_tasks", "Tasks that a worker is at.", taken)
    yield _gauge("headroom_worker_up", "Whether any worker was heard from.", age is not None)
    if age is not None:
        yield _gauge("headroom_worker_heartbeat_age_seconds", "Since a worker was last heard from.", age)


@dataclass(frozen=True, slots=True)
class Queues:
    """What waits for workers, what they are at, and when one was heard from; None: not lately."""

    waiting: int
    taken: int
    heard_seconds: float | None


def queues() -> Queues | None:
    """Return how the queues are; None when Redis does not answer."""
    found = _ask_redis(sorted(app.amqp.queues))
    return None if found is None else Queues(sum(found[0]), found[1], found[2])


def processes(shared: Path | None) -> Iterator[Metric]:
    """Yield what the system says of each web process, by its number."""
    families: dict[str, Metric] = {}
    for pid in _pids(shared):
        for family in _process(pid):
            known = families.setdefault(family.name, family)
            samples = [sample._replace(labels={"pid": str(pid)}) for sample in family.samples]
            known.samples = samples if known is family else [*known.samples, *samples]
    yield from families.values()


def _backlog() -> Backlog | None:
    try:
        with system_scope():
            return backlog(timeout_ms=TIMEOUT_MS)
    except (DatabaseFailure, ImproperlyConfigured) as error:
        log.warning("metrics go without the database", error=str(error).strip())
        return None


def _ask_redis(queues: Sequence[str]) -> tuple[list[int], int, float | None] | None:
    options = {"socket_timeout": REDIS_SECONDS, "socket_connect_timeout": REDIS_SECONDS}
    try:
        with Redis.from_url(settings.REDIS_URL, **options) as client:
            asked: Any = client.pipeline(transaction=False)
            for queue in queues:
                asked.llen(queue)
            asked.hlen(UNACKNOWLEDGED)
            *lengths, taken = asked.execute()
            return lengths, taken, heartbeat.age_seconds(client)
    except RedisError as error:
        log.warning("metrics go without Redis", error=str(error))
        return None


def _pids(shared: Path | None) -> list[int]:
    """Return the live processes that count in a directory, or this one alone."""
    if shared is None:
        return [os.getpid()]
    server = server_of(shared)
    counting = {path.stem.rpartition("_")[2] for path in shared.glob("*.db")}
    children = server.children() if server else []
    return sorted(child.pid for child in children if str(child.pid) in counting)


def _process(pid: int) -> list[Metric]:
    with_pid = ProcessCollector(namespace="headroom", pid=lambda: pid, registry=None)
    return list(with_pid.collect())


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(name, text, value=float(value))
