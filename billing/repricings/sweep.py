"""What sets right, each minute, whatever went wrong with repricings."""

from typing import Final

import structlog
from django.db.models import QuerySet

from billing.models import Repricing, RepricingState
from billing.repricings import services
from billing.repricings.queue import enqueue
from core import clock
from organizations.tenancy import system_scope

log: Final = structlog.get_logger(__name__)


def sweep() -> int:
    """Take back what lost its worker, ask for what waits, and return how many that were."""
    silent_since = clock.now() - services.STALE
    lost = _all(Repricing.objects.filter(state=RepricingState.RUNNING, heartbeat_at__lt=silent_since))
    for repricing in lost:
        log.warning("repricing lost its worker", repricing=str(repricing.pk), attempt=repricing.attempts)
    return sum(services.take_back(repricing) for repricing in lost) + start_waiting()


def start_waiting() -> int:
    """Ask for the repricing whose turn it is, and return how many were asked for."""
    waiting = Repricing.objects.filter(state=RepricingState.QUEUED).order_by("created_at", "pk")
    return sum(enqueue(repricing.pk) for repricing in _all(waiting[:1]))


def _all(repricings: QuerySet[Repricing]) -> list[Repricing]:
    with system_scope():
        return list(repricings)
