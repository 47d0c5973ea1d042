"""Repricings that somebody asked for, and what each came to in each organization."""

import uuid
from collections import Counter
from typing import Any, Final

import pgtrigger
from django.db import models
from django.db.models import F, Q

from core import clock
from core.periods import Period
from organizations.models import Organization, User, tracked

MOST_LEFT: Final = 100
"""Models without a price that are counted one by one in each organization."""


class RepricingState(models.TextChoices):
    """How far a repricing has come."""

    QUEUED = "queued", "Queued"
    RUNNING = "running", "Running"
    DONE = "done", "Done"
    FAILED = "failed", "Failed"
    CANCELLED = "cancelled", "Cancelled"


UNDER_WAY: Final = (RepricingState.QUEUED, RepricingState.RUNNING)


@tracked(
    newest="organization",
    exclude=["attempts", "losses", "is_counted", "started_at", "heartbeat_at"],
    updated=pgtrigger.AnyChange("state"),
)
class Repricing(models.Model):
    """A repricing that was asked for: of what, and how far it has come; its parts say what it came to.

    ``attempts`` counts the workers that took it up: what is done on behalf of an earlier one is refused.
    ``losses`` counts those that were lost since one last got on. ``is_counted`` tells that every
    organization with something to price has its part.
    Units: the window is half-open, open at an end that is missing.
    Tenancy: everyone sees those of every organization; one of a single organization is its own.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organization = models.ForeignKey(
        Organization,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text="Empty: every organization.",
    )
    window_start = models.DateTimeField(
        "from", null=True, blank=True, help_text="Empty: from where the plan's history begins."
    )
    window_end = models.DateTimeField("to", null=True, blank=True, help_text="Empty: up to now.")
    dry_run = models.BooleanField(default=True, help_text="Only count what would be priced; change nothing.")
    state = models.CharField(
        max_length=16, choices=RepricingState.choices, default=RepricingState.QUEUED, editable=False
    )
    attempts = models.PositiveIntegerField(default=0, editable=False)
    losses = models.PositiveSmallIntegerField(default=0, editable=False)
    is_counted = models.BooleanField(default=False, editable=False)
    error = models.TextField(blank=True, editable=False)
    requested_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+", editable=False)
    created_at = models.DateTimeField(default=clock.now, editable=False)
    started_at = models.DateTimeField(null=True, editable=False)
    heartbeat_at = models.DateTimeField(null=True, editable=False)
    finished_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        ordering = ("-created_at", "-id")
        indexes = (
            models.Index(
                fields=["created_at"],
                condition=Q(state__in=["queued", "running"]),
                name="repricing_unfinished",
            ),
        )
        constraints = (
            models.CheckConstraint(
                condition=Q(state__in=RepricingState.values), name="repricing_state_known"
            ),
            models.CheckConstraint(
                condition=Q(window_end__gt=F("window_start")), name="repricing_window_ordered"
            ),
            models.CheckConstraint(
                condition=~Q(state="running")
                | Q(started_at__isnull=False, heartbeat_at__isnull=False, attempts__gt=0),
                name="repricing_running_is_alive",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["done", "failed", "cancelled"]) | Q(finished_at__isnull=False),
                name="repricing_end_has_moment",
            ),
        )

    def __str__(self) -> str:
        return f"{'dry run' if self.dry_run else 'repricing'} of {self.created_at:%Y-%m-%d %H:%M} UTC"

    @property
    def is_under_way(self) -> bool:
        """Whether it waits for a worker or has one."""
        return self.state in UNDER_WAY


class RepricingPart(models.Model):
    """What a repricing came to in one organization, as exact as its costs: written in their transactions.

    ``records_total`` is how many records had no price when it was counted; ``looked_at`` can come to more
    where others arrived meanwhile. ``left`` counts what still has no price by provider and model, for the
    first `MOST_LEFT` of them; ``left_records`` counts all. The position is that of the last record looked at.
    Units: ``cost_nanos`` nanos of ``currency``; the window is half-open.
    Tenancy: row-level security shows only the tenant's.
    """

    repricing = models.ForeignKey(Repricing, models.PROTECT, related_name="parts")
    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+")
    currency = models.CharField(max_length=3)
    window_start = models.DateTimeField()
    window_end = models.DateTimeField()
    records_total = models.BigIntegerField()
    looked_at = models.BigIntegerField(default=0)
    priced = models.BigIntegerField(default=0)
    left_records = models.BigIntegerField(default=0)
    left = models.JSONField(default=list)
    cost_nanos = models.DecimalField(max_digits=38, decimal_places=0, default=0)
    position_at = models.DateTimeField(null=True)
    position_key = models.UUIDField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("repricing", "-records_total", "id")
        constraints = (
            models.UniqueConstraint(fields=["repricing", "organization"], name="repricing_part_once"),
            models.CheckConstraint(
                condition=Q(
                    priced__gte=0, left_records__gte=0, looked_at__gte=F("priced") + F("left_records")
                ),
                name="repricing_part_adds_up",
            ),
            models.CheckConstraint(
                condition=Q(position_at__isnull=True, position_key__isnull=True)
                | Q(position_at__isnull=False, position_key__isnull=False),
                name="repricing_part_position_whole",
            ),
        )

    def __str__(self) -> str:
        return f"{self.priced} of {self.looked_at} priced"

    @property
    def period(self) -> Period:
        """The window that is repriced."""
        return Period(self.window_start, self.window_end)

    def add_left(self, more: Counter[tuple[str, str]]) -> None:
        """Count what still has no price, by itself for the first models and in the sum for all."""
        known = {(each["provider"], each["model"]): each["records"] for each in self.left}
        for name, records in more.items():
            if name in known or len(known) < MOST_LEFT:
                known[name] = known.get(name, 0) + records
        self.left = [_counted(*name, records) for name, records in known.items()]
        self.left_records += more.total()


def _counted(provider: str, model: str, records: int) -> dict[str, Any]:
    return {"provider": provider, "model": model, "records": records}
