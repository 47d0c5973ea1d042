"""Deliveries: what is to be told to whom, and every attempt to do so."""

from uuid import uuid4

from django.db import models
from django.db.models import Q

from alerts.models.channels import Channel, Kind
from alerts.models.events import Event
from core import clock
from organizations.models import Organization


class Notice(models.TextChoices):
    """What is told."""

    FIRED = "fired", "An event fired"
    RESOLVED = "resolved", "An event resolved"
    TEST = "test", "A test"
    CHANNEL_DISABLED = "channelDisabled", "A channel was disabled"
    REPORT = "report", "A report"
    CONFIRMATION = "confirmation", "A request to confirm an address"


class DeliveryState(models.TextChoices):
    """How far a delivery has come."""

    PENDING = "pending", "Pending"
    DELIVERED = "delivered", "Delivered"
    FAILED = "failed", "Failed"
    CANCELLED = "cancelled", "Cancelled"


class Outcome(models.TextChoices):
    """What came of an attempt; of one that was lost, nobody knows whether it arrived."""

    UNDER_WAY = "underWay", "Under way"
    DELIVERED = "delivered", "Delivered"
    FAILED = "failed", "Failed"
    LOST = "lost", "Lost with its worker"


class Delivery(models.Model):
    """One notification to one receiver: an immutable snapshot, and how far its delivery has come.

    The receiver is a channel, or without one the e-mail address ``recipient``. A worker holds it until
    ``leased_until``; then it is another's to take. ``lane`` is what receives turns: the channel, or itself.
    ``subscription`` is the recipient of a report that it is for, whether or not there still is one.
    Tenancy: row-level security shows only the tenant's.
    """

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    organization = models.ForeignKey(Organization, models.PROTECT, db_index=False, related_name="+")
    notice = models.CharField(max_length=15, choices=Notice.choices)
    event = models.ForeignKey(Event, models.PROTECT, null=True, related_name="deliveries")
    channel = models.ForeignKey(Channel, models.SET_NULL, null=True, related_name="deliveries")
    channel_kind = models.CharField(max_length=12, choices=Kind.choices)
    channel_name = models.CharField(max_length=100, blank=True)
    recipient = models.EmailField(max_length=254, blank=True)
    subscription = models.UUIDField(null=True, editable=False)
    lane = models.UUIDField()
    payload = models.JSONField()
    created_at = models.DateTimeField(default=clock.now, editable=False)
    state = models.CharField(max_length=9, choices=DeliveryState.choices, default=DeliveryState.PENDING)
    attempt_count = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField(null=True)
    leased_until = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    reason = models.CharField(max_length=200, blank=True, help_text="Why it was not delivered.")

    class Meta:
        ordering = ("organization", "-created_at", "-id")
        indexes = (
            models.Index(fields=["organization", "-created_at", "-id"], name="delivery_listing"),
            models.Index(fields=["due_at"], condition=Q(state="pending"), name="delivery_due"),
            models.Index(
                fields=["subscription"],
                condition=Q(state="pending", subscription__isnull=False),
                name="delivery_subscription",
            ),
        )
        constraints = (
            models.CheckConstraint(condition=Q(notice__in=Notice.values), name="delivery_notice_known"),
            models.CheckConstraint(condition=Q(state__in=DeliveryState.values), name="delivery_state_known"),
            models.CheckConstraint(
                condition=Q(state="pending", due_at__isnull=False, finished_at=None)
                | (~Q(state="pending") & Q(due_at=None, leased_until=None, finished_at__isnull=False)),
                name="delivery_pending_or_finished",
            ),
            models.CheckConstraint(
                condition=Q(notice__in=["fired", "resolved"], event__isnull=False)
                | Q(notice__in=["test", "channelDisabled", "report", "confirmation"], event=None),
                name="delivery_of_event",
            ),
        )

    def __str__(self) -> str:
        return f"{self.get_notice_display()}, to {self.channel_name or self.recipient}"


class Attempt(models.Model):
    """One attempt at a delivery, noted before it is made and completed when its end is known.

    Tenancy: row-level security shows only the tenant's.
    """

    organization = models.ForeignKey(Organization, models.PROTECT, db_index=False, related_name="+")
    delivery = models.ForeignKey(Delivery, models.PROTECT, db_index=False, related_name="attempts")
    number = models.PositiveSmallIntegerField()
    started_at = models.DateTimeField()
    outcome = models.CharField(max_length=9, choices=Outcome.choices, default=Outcome.UNDER_WAY)
    status = models.PositiveSmallIntegerField(null=True, help_text="HTTP's or SMTP's.")
    duration_ms = models.PositiveIntegerField(null=True)
    response = models.CharField(max_length=500, blank=True, help_text="The beginning of the answer.")
    error = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ("delivery", "number")
        constraints = (
            models.UniqueConstraint(fields=["delivery", "number"], name="attempt_once"),
            models.CheckConstraint(condition=Q(outcome__in=Outcome.values), name="attempt_outcome_known"),
        )

    def __str__(self) -> str:
        return f"{self.number}: {self.outcome}"
