"""What the worker does for alerts. Every task may run twice or late without harm."""

from celery import shared_task

from alerts import retention
from alerts.deliveries import run
from alerts.reports import writing
from alerts.rules.evaluate import evaluate, evaluate_hourly
from core import clock


@shared_task
def send_due() -> int:
    """Attempt the deliveries that are due, and return how many attempts that were."""
    return run.send_due()


@shared_task
def evaluate_rules() -> int:
    """Look at the rules of all organizations, and return how many events were raised."""
    return evaluate().told


@shared_task
def evaluate_spend(organizations: list[int]) -> int:
    """Look at what follows from the costs of some organizations, and return how many events were raised."""
    return evaluate(organizations=organizations, only_spend=True).told


@shared_task
def evaluate_hourly_rules() -> int:
    """Look at the rules about anomalies and forecasts, and return how many events were raised."""
    return evaluate_hourly().told


@shared_task
def write_reports() -> int:
    """Write the weekly and monthly reports that are due, and return how many those were."""
    return writing.write_due()


@shared_task
def drop_expired() -> int:
    """Remove events and deliveries that are past the organizations' histories, and return how many."""
    return retention.drop_expired(clock.now())
