"""What the worker does for alerts. Every task may run twice or late without harm."""

from celery import shared_task

from alerts.deliveries import run


@shared_task
def send_due() -> int:
    """Attempt the deliveries that are due, and return how many attempts that were."""
    return run.send_due()
