"""What the worker does for billing, on schedule. Every task may run twice or late without harm."""

from uuid import UUID

from celery import shared_task

from billing.invoices import services as invoices
from billing.ledger import services as ledger
from billing.repricings import run, sweep
from billing.services.limits import correct
from billing.services.upkeep import forget_reservations, organizations_to_keep, upkeep
from core import clock


@shared_task
def expire_grants() -> int:
    """Post what is left of expired grants, and return how many those were."""
    return ledger.expire_due(clock.now())


@shared_task
def keep_limits() -> int:
    """Roll windows on, end holds that are over, set wrong figures right; return how many those were."""
    done = 0
    for organization in organizations_to_keep():
        kept = upkeep(organization)
        done += kept.rolled + kept.expired + correct(organization)
    return done


@shared_task
def drop_reservations() -> int:
    """Remove reservations that ended long ago, and return how many."""
    return forget_reservations()


@shared_task
def draft_invoices() -> int:
    """Draft the months that are over, and return how many those were."""
    return invoices.draft_due(clock.now())


@shared_task
def issue_invoices() -> int:
    """Issue the drafts whose grace is over, and return how many those were."""
    return invoices.issue_due(clock.now())


@shared_task
def run_repricing(repricing_id: str) -> int:
    """Do a repricing that waits, and return how many records were looked at; 0 if it isn't this worker's."""
    return run.run_repricing(UUID(repricing_id))


@shared_task
def sweep_repricings() -> int:
    """Set right what went wrong with repricings, and return how many that were."""
    return sweep.sweep()
