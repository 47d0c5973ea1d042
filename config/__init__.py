"""Settings, environment, URLs, Celery and its schedule, the embedded servers, checks."""

from __future__ import annotations

from config.celery import app as celery_app

__all__ = ["celery_app"]
