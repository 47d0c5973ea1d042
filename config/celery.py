"""The Celery application; tasks are found in each room's `tasks.py`."""

from __future__ import annotations

import logging.config
import os
from typing import Any

from celery import Celery
from celery.signals import setup_logging, worker_process_init

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("headroom")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@app.on_after_finalize.connect
def add_heartbeat(sender: Celery, **kwargs: Any) -> None:
    """Make every worker of this application give its sign of life."""
    from config.heartbeat import Heartbeat

    sender.steps["worker"].add(Heartbeat)


@setup_logging.connect
def log_as_django_does(**kwargs: Any) -> None:
    """Keep Celery from arranging the logs its own way."""
    from django.conf import settings

    logging.config.dictConfig(settings.LOGGING)


@worker_process_init.connect
def refuse_stronger_role(**kwargs: Any) -> None:
    """Hold the worker's processes to the same database role as the web's."""
    from config import guard

    guard.install()
