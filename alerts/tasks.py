"""What the worker does for alerts. Every task may run twice or late without harm."""

from celery import shared_task

from alerts.deliveries import run
from alerts.rules.evaluate import evaluate, evaluate_hourly


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
