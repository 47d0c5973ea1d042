"""A worker's turn: take what is due, attempt it all at once, keep what came of it, until nothing is due."""

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import Final

import structlog
from django.db import DatabaseError

from alerts.deliveries.claim import AT_ONCE, claim
from alerts.deliveries.record import record
from alerts.senders import Job, Result, send

TURN_SECONDS: Final = 20.0
"""After so long no more is taken, so that a worker has time for other tasks."""

log: Final = structlog.get_logger(__name__)


def send_due() -> int:
    """Attempt what is due, and return how many attempts that were.

    Concurrency: any number of workers may do so at once. The attempts of a turn run beside one another, so
    that one which waits for its receiver keeps none waiting; only the worker itself uses the database.
    """
    until = time.monotonic() + TURN_SECONDS
    attempts = 0
    while time.monotonic() < until and (jobs := claim()):
        deliver(jobs)
        attempts += len(jobs)
    return attempts


def deliver(jobs: Sequence[Job]) -> None:
    """Attempt some deliveries and keep each result as it comes.

    Raises: the database's error, after the other results were kept as well.
    """
    unkept: DatabaseError | None = None
    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="alerts") as pool:
        waiting = {pool.submit(_attempt, job): job for job in jobs}
        for done in as_completed(waiting):
            result, duration_ms = done.result()
            try:
                record(waiting[done], result, duration_ms=duration_ms)
            except DatabaseError as error:
                unkept = error
    if unkept is not None:
        raise unkept


def _attempt(job: Job) -> tuple[Result, int]:
    begun = time.monotonic()
    try:
        result = send(job)
    except Exception as error:  # noqa: BLE001 one attempt must not take the others with it
        # Its text may have the address in it.
        log.error(  # noqa: TRY400
            "an alert can't be sent", delivery=str(job.delivery_id), error=type(error).__name__
        )
        result = Result(delivered=False, error="Something went wrong on our side.")
    return result, int((time.monotonic() - begun) * 1000)
