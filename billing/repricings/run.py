"""Doing one repricing, from the claim to the end."""

from datetime import datetime, timedelta
from functools import partial
from typing import Final
from uuid import UUID

import structlog
from django.db import DatabaseError, InterfaceError

from billing.models import Repricing, RepricingPart
from billing.repricing import CHUNK, steps
from billing.repricings import parts, services
from billing.repricings.sweep import start_waiting
from core import clock
from core.pulse import EVERY_SECONDS, Lost, Pulse

TURN: Final = timedelta(minutes=10)
"""After so long a worker hands the repricing on, so that no task takes as long as a task may."""
BROKEN: Final = "Something went wrong. The reason is in the server's log. What was priced stays."

log: Final = structlog.get_logger(__name__)


def run_repricing(repricing_id: UUID, *, chunk: int = CHUNK) -> int:
    """Do the repricing if nobody else does, and return how many records were looked at.

    What the database causes is left to the sweep, which has it taken up again; other faults fail it.
    """
    repricing = services.claim(repricing_id)
    if repricing is None:
        return 0
    try:
        return _work(repricing, chunk)
    except Lost:
        log.warning("repricing was cancelled, or taken back from its worker", repricing=str(repricing_id))
    except (DatabaseError, InterfaceError):
        log.exception("repricing lost the database", repricing=str(repricing_id))
    except Exception:
        log.exception("repricing failed", repricing=str(repricing_id))
        services.fail(repricing, BROKEN)
    finally:
        start_waiting()
    return 0


def _work(repricing: Repricing, chunk: int) -> int:
    until = clock.now() + TURN
    looked_at = 0
    beat = partial(services.beat, repricing)
    with Pulse(f"repricing {repricing.pk}", beat, every_seconds=EVERY_SECONDS) as pulse:
        if not repricing.is_counted:
            _count(repricing, pulse)
        for part in parts.open_parts(repricing):
            before = part.looked_at
            is_finished = _reprice(repricing, part, pulse, until, chunk)
            looked_at += part.looked_at - before
            if not is_finished:
                services.hand_on(repricing)
                return looked_at
    if not services.finish(repricing):
        raise Lost
    return looked_at


def _count(repricing: Repricing, pulse: Pulse) -> None:
    for organization in parts.organizations_of(repricing):
        pulse.check()
        parts.count(repricing, organization)
    services.note_counted(repricing)


def _reprice(repricing: Repricing, part: RepricingPart, pulse: Pulse, until: datetime, chunk: int) -> bool:
    """Reprice one organization; False when the worker's turn is over before that is done."""
    made = steps(
        part.organization,
        part.period,
        dry_run=repricing.dry_run,
        chunk=chunk,
        after=parts.position_of(part),
        keep=partial(parts.note_step, repricing, part),
    )
    for _ in made:
        pulse.check()
        if clock.now() >= until:
            return False
    parts.finish_part(repricing, part)
    return True
