"""A plan that refuses nothing, so that answers depend on what is asked alone."""

from __future__ import annotations

from typing import Final

from organizations.models import Plan

EVERYTHING: Final = "everything"
NEVER_REACHED: Final = 1_000_000


def make_plan(*, history_days: int | None = None) -> str:
    """Make the plan, and return its slug."""
    plan, _ = Plan.objects.get_or_create(
        slug=EVERYTHING,
        defaults={
            "name": "Everything",
            "position": 9,
            "history_days": history_days,
            "exports": True,
            "requests_per_minute": NEVER_REACHED,
            "spend_limit": True,
            "invoices": True,
        },
    )
    return str(plan.slug)
