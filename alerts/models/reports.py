"""Reports: who is sent the figures of each week or month, and which of those were written."""

from uuid import uuid4

from django.db import models
from django.db.models import F, Q

from alerts.models.channels import Channel
from core import clock
from organizations.models import Membership, Organization, User, tracked


class Cadence(models.TextChoices):
    """What a report is of, and so how often it comes."""

    WEEKLY = "weekly", "Weekly"
    MONTHLY = "monthly", "Monthly"


@tracked(newest="organization", exclude=["starts_at", "last_period_end"])
class Report(models.Model):
    """A digest that is sent after each week or month, at an hour of the organization's zone.

    What was due before ``starts_at`` is not sent. ``last_period_end`` is the day after the last one sent of.
    Tenancy: row-level security shows only the tenant's.
    """

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+")
    name = models.CharField(max_length=100)
    cadence = models.CharField(max_length=7, choices=Cadence.choices)
    hour = models.PositiveSmallIntegerField(default=8, help_text="By the organization's clock.")
    enabled = models.BooleanField(default=True)
    starts_at = models.DateTimeField(default=clock.now, editable=False)
    last_period_end = models.DateField(null=True, editable=False)
    created_by = models.ForeignKey(User, models.SET_NULL, null=True, editable=False, related_name="+")
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        ordering = ("organization", "-created_at", "-id")
        constraints = (
            models.CheckConstraint(condition=Q(cadence__in=Cadence.values), name="report_cadence_known"),
            models.CheckConstraint(condition=Q(hour__lte=23), name="report_hour_of_day"),
        )

    def __str__(self) -> str:
        return f"{self.name} ({self.get_cadence_display()})"


class ReportRecipient(models.Model):
    """A member or a channel that a report is sent to, until they unsubscribe.

    Whoever leaves the organization, and a channel that is deleted, is a recipient no more.
    Tenancy: row-level security shows only the tenant's.
    """

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    organization = models.ForeignKey(Organization, models.PROTECT, db_index=False, related_name="+")
    report = models.ForeignKey(Report, models.CASCADE, db_index=False, related_name="recipients")
    membership = models.ForeignKey(Membership, models.CASCADE, null=True, related_name="+")
    channel = models.ForeignKey(Channel, models.CASCADE, null=True, related_name="+")
    unsubscribed_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("report", "id")
        constraints = (
            models.UniqueConstraint(fields=["report", "membership"], name="report_member_once"),
            models.UniqueConstraint(fields=["report", "channel"], name="report_channel_once"),
            models.CheckConstraint(
                condition=Q(membership=None, channel__isnull=False)
                | Q(membership__isnull=False, channel=None),
                name="report_member_or_channel",
            ),
        )

    def __str__(self) -> str:
        return str(self.pk)


class Digest(models.Model):
    """That a report was written for a period, which happens once; what it said is in its deliveries.

    ``first_day`` names the period, whichever zone its days were of.
    Tenancy: row-level security shows only the tenant's.
    """

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    organization = models.ForeignKey(Organization, models.PROTECT, db_index=False, related_name="+")
    report = models.ForeignKey(Report, models.CASCADE, db_index=False, related_name="digests")
    cadence = models.CharField(max_length=7, choices=Cadence.choices)
    first_day = models.DateField()
    period_start = models.DateTimeField()
    period_end = models.DateTimeField()
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        ordering = ("report", "-first_day")
        constraints = (
            models.UniqueConstraint(fields=["report", "cadence", "first_day"], name="digest_once"),
            models.CheckConstraint(
                condition=Q(period_end__gt=F("period_start")), name="digest_period_ends_later"
            ),
        )

    def __str__(self) -> str:
        return f"{self.cadence} of {self.first_day}"


class MutedMember(models.Model):
    """A member who wants no mails of events, which who manages an organization gets where it has no channel.

    Tenancy: row-level security shows only the tenant's.
    """

    organization = models.ForeignKey(Organization, models.PROTECT, db_index=False, related_name="+")
    membership = models.OneToOneField(Membership, models.CASCADE, related_name="+")
    muted_at = models.DateTimeField(default=clock.now)

    class Meta:
        ordering = ("organization", "membership")

    def __str__(self) -> str:
        return str(self.membership_id)
