"""The life of a repricing: asked for, claimed by one worker, finished, failed, cancelled or taken back.

Every change of state is a compare-and-set, so that of two who try the same one only one succeeds. What a
worker writes names its attempt: once the repricing was taken back from it, its writes change nothing.
"""

from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final
from uuid import UUID

from django.db import connection, transaction
from django.db.models import F, Q

from billing.models import Repricing, RepricingState
from billing.models.repricing import UNDER_WAY
from billing.repricings.queue import enqueue
from core import clock
from core.problems import conflict, invalid_field
from core.pulse import Lost
from organizations.tenancy import Actor, system_scope

STALE: Final = timedelta(seconds=60)
"""Without a sign of life for so long, a worker is taken for lost."""
MOST_LOSSES: Final = 3
LOST: Final = f"Its worker was lost {MOST_LOSSES} times. What was priced stays; another one goes on."
_WORKER: Final = Actor(kind="system", job="reprice")


def check_request(
    *, organization_id: int | None, start: datetime | None, end: datetime | None, dry_run: bool
) -> None:
    """Refuse a repricing that can't be asked for.

    Raises: `Problem` 422 for a window that ends before it starts, 409 while another prices the same records.
    Concurrency: requests take turns until the transaction ends, so that what passed can be noted.
    """
    if start is not None and end is not None and end <= start:
        raise invalid_field("/window_end", "invalid_window", "The window must end after it starts.")
    _lock("billing_repricing requests")
    if dry_run:
        return
    others = Repricing.objects.filter(state__in=UNDER_WAY, dry_run=False)
    if organization_id is not None:
        others = others.filter(Q(organization=None) | Q(organization=organization_id))
    if others.exists():
        raise conflict(
            "A repricing of these records is queued or running: wait until it is done, or cancel it.",
            code="repricing_under_way",
        )


def request_repricing(
    *,
    organization_id: int | None,
    start: datetime | None,
    end: datetime | None,
    dry_run: bool,
    user_id: int | None = None,
) -> Repricing:
    """Note a repricing, of one organization or all, and ask for it when that is committed.

    Raises: as `check_request`.
    """
    with system_scope():
        check_request(organization_id=organization_id, start=start, end=end, dry_run=dry_run)
        repricing = Repricing.objects.create(
            organization_id=organization_id,
            window_start=start,
            window_end=end,
            dry_run=dry_run,
            requested_by_id=user_id,
        )
        transaction.on_commit(partial(enqueue, repricing.pk))
    return repricing


def claim(repricing_id: UUID) -> Repricing | None:
    """Take a queued repricing for this worker; None when it isn't queued, or another is running.

    Concurrency: claims take turns: one repricing runs at a time, since folding waits for its steps.
    """
    with system_scope(actor=_WORKER):
        _lock("billing_repricing claims")
        if Repricing.objects.filter(state=RepricingState.RUNNING).exists():
            return None
        now = clock.now()
        mine = Repricing.objects.filter(pk=repricing_id)
        claimed = mine.filter(state=RepricingState.QUEUED).update(
            state=RepricingState.RUNNING, attempts=F("attempts") + 1, started_at=now, heartbeat_at=now
        )
        return mine.get() if claimed else None


def beat(repricing: Repricing) -> bool:
    """Give a sign of life; False when the repricing is no longer this attempt's."""
    return _write(repricing, heartbeat_at=clock.now())


def hold(repricing: Repricing) -> None:
    """Keep the repricing this attempt's until the transaction ends.

    Raises: `Lost` when it no longer is: then nothing that the transaction did may stay.
    """
    if not beat(repricing):
        raise Lost


def note_counted(repricing: Repricing) -> None:
    """Note that every organization with something to price has its part.

    Raises: `Lost`.
    """
    if not _write(repricing, is_counted=True):
        raise Lost


def hand_on(repricing: Repricing) -> bool:
    """Let another worker go on; False when the repricing is no longer this attempt's."""
    return _write(repricing, state=RepricingState.QUEUED, losses=0)


def finish(repricing: Repricing) -> bool:
    """Have the repricing done; False when it is no longer this attempt's."""
    return _write(repricing, state=RepricingState.DONE, finished_at=clock.now())


def fail(repricing: Repricing, error: str) -> bool:
    """Give the repricing up; False when it is no longer this attempt's."""
    return _write(repricing, state=RepricingState.FAILED, error=error, finished_at=clock.now())


def cancel(repricing_id: UUID, *, actor: Actor | None = None) -> bool:
    """Call a repricing off, which keeps what was priced; False when it has ended already.

    Concurrency: a step that has not committed by then does not happen.
    """
    with system_scope(actor=actor):
        under_way = Repricing.objects.filter(pk=repricing_id, state__in=UNDER_WAY)
        return under_way.update(state=RepricingState.CANCELLED, finished_at=clock.now()) == 1


def take_back(repricing: Repricing) -> bool:
    """Take a repricing from a worker that was lost: queued again, or failed when too many were.

    Concurrency: nothing happens, and False is returned, if the worker has given a sign of life meanwhile.
    """
    with system_scope(actor=_WORKER):
        lost = Repricing.objects.filter(
            pk=repricing.pk,
            state=RepricingState.RUNNING,
            attempts=repricing.attempts,
            heartbeat_at=repricing.heartbeat_at,
        )
        if repricing.losses + 1 < MOST_LOSSES:
            return lost.update(state=RepricingState.QUEUED, losses=F("losses") + 1) == 1
        return lost.update(state=RepricingState.FAILED, error=LOST, finished_at=clock.now()) == 1


def _write(repricing: Repricing, **values: Any) -> bool:
    with system_scope(actor=_WORKER):
        mine = Repricing.objects.filter(
            pk=repricing.pk, state=RepricingState.RUNNING, attempts=repricing.attempts
        )
        return mine.update(**values) == 1


def _lock(name: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [name])
