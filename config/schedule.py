"""What Celery's beat asks for, and how often."""

from __future__ import annotations

from typing import Any

from celery.schedules import crontab

BEAT_SCHEDULE: dict[str, dict[str, Any]] = {
    # Reads add what is pending, so this decides how much they have to add, never what they answer.
    "fold-pending": {"task": "usage.tasks.fold_pending", "schedule": 2.0, "options": {"expires": 2}},
    "make-partitions": {"task": "usage.tasks.make_partitions", "schedule": crontab(minute="7")},
    "align-days": {"task": "usage.tasks.align_days", "schedule": crontab(minute="*/10")},
    "sweep-exports": {"task": "usage.tasks.sweep_exports", "schedule": 60.0, "options": {"expires": 60}},
    "sweep-repricings": {
        "task": "billing.tasks.sweep_repricings",
        "schedule": 60.0,
        "options": {"expires": 60},
    },
    "sweep-imports": {"task": "usage.tasks.sweep_imports", "schedule": 60.0, "options": {"expires": 60}},
    # A new delivery tells the workers by itself; this is for repeated attempts and what was left undone.
    "send-alerts": {"task": "alerts.tasks.send_due", "schedule": 5.0, "options": {"expires": 5}},
    # Spend is looked at as soon as it is taken in; this is for everything else, and what was left undone.
    "evaluate-rules": {
        "task": "alerts.tasks.evaluate_rules",
        "schedule": crontab(),
        "options": {"expires": 60},
    },
    # When the hour before is folded.
    "evaluate-hourly-rules": {
        "task": "alerts.tasks.evaluate_hourly_rules",
        "schedule": crontab(minute="3"),
        "options": {"expires": 3600},
    },
    "write-reports": {
        "task": "alerts.tasks.write_reports",
        "schedule": crontab(),
        "options": {"expires": 60},
    },
    "drop-alerts": {"task": "alerts.tasks.drop_expired", "schedule": crontab(hour="2", minute="57")},
    "drop-expired": {"task": "usage.tasks.drop_expired", "schedule": crontab(hour="2", minute="17")},
    "verify-rollups": {"task": "usage.tasks.verify_rollups", "schedule": crontab(hour="3", minute="37")},
    "expire-grants": {"task": "billing.tasks.expire_grants", "schedule": crontab(minute="*/10")},
    "keep-limits": {"task": "billing.tasks.keep_limits", "schedule": crontab(), "options": {"expires": 60}},
    "drop-reservations": {
        "task": "billing.tasks.drop_reservations",
        "schedule": crontab(hour="2", minute="47"),
    },
    "draft-invoices": {"task": "billing.tasks.draft_invoices", "schedule": crontab(minute="12")},
    "issue-invoices": {"task": "billing.tasks.issue_invoices", "schedule": crontab(minute="27")},
}
"""Times are UTC."""
