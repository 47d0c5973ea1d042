"""Channels: where an organization wants to be told."""

from uuid import uuid4

from django.db import models
from django.db.models import Q

from core import clock
from organizations.models import Organization, User, tracked


class Kind(models.TextChoices):
    """What a channel speaks to."""

    EMAIL = "email", "E-mail"
    WEBHOOK = "webhook", "Webhook"
    SLACK = "slack", "Slack"
    TEAMS = "teams", "Microsoft Teams"
    DISCORD = "discord", "Discord"
    PAGERDUTY = "pagerduty", "PagerDuty"
    OPSGENIE = "opsgenie", "Opsgenie"
    MATTERMOST = "mattermost", "Mattermost"
    GOOGLE_CHAT = "googleChat", "Google Chat"
    TELEGRAM = "telegram", "Telegram"
    NTFY = "ntfy", "ntfy"
    PUSHOVER = "pushover", "Pushover"


class Disabled(models.TextChoices):
    """Why a channel is disabled."""

    BY_HAND = "byHand", "By hand"
    GONE = "gone", "The receiver answered 410"
    FAILING = "failing", "It failed for days"
    UNCONFIRMED = "unconfirmed", "Its address was not confirmed yet"
    UNSUBSCRIBED = "unsubscribed", "Its receiver unsubscribed"


@tracked(
    newest="organization",
    exclude=["target", "secret", "old_secret", "old_secret_until", "failing_since", "delivered_at"],
)
class Channel(models.Model):
    """One place where an organization is told: its kind, its address, and how it fares.

    The address of anything but e-mail is a secret, since whoever knows it may post there: it is kept sealed,
    and ``shown`` is what people see of it.
    ``confirmed_at`` is when the owner of an e-mail address agreed, by a link that was sent there.
    Tenancy: row-level security shows only the tenant's.
    """

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+")
    kind = models.CharField(max_length=12, choices=Kind.choices)
    name = models.CharField(max_length=100)
    target = models.BinaryField(editable=False)
    shown = models.CharField("address", max_length=254, editable=False)
    secret = models.BinaryField(null=True, editable=False)
    old_secret = models.BinaryField(null=True, editable=False)
    old_secret_until = models.DateTimeField(null=True, editable=False)
    enabled = models.BooleanField(default=True)
    disabled_at = models.DateTimeField(null=True, editable=False)
    disabled_because = models.CharField(max_length=12, choices=Disabled.choices, blank=True, editable=False)
    confirmed_at = models.DateTimeField(null=True, editable=False)
    failing_since = models.DateTimeField(null=True, editable=False)
    delivered_at = models.DateTimeField("last delivered", null=True, editable=False)
    created_by = models.ForeignKey(User, models.SET_NULL, null=True, editable=False, related_name="+")
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        ordering = ("organization", "-created_at", "-id")
        constraints = (
            models.CheckConstraint(condition=Q(kind__in=Kind.values), name="channel_kind_known"),
            models.CheckConstraint(
                condition=Q(kind="webhook", secret__isnull=False) | (~Q(kind="webhook") & Q(secret=None)),
                name="channel_secret_of_webhook",
            ),
            models.CheckConstraint(
                condition=Q(old_secret=None, old_secret_until=None)
                | Q(old_secret__isnull=False, old_secret_until__isnull=False, secret__isnull=False),
                name="channel_old_secret_ends",
            ),
            models.CheckConstraint(
                condition=Q(enabled=True, disabled_at=None, disabled_because="")
                | Q(enabled=False, disabled_at__isnull=False, disabled_because__in=Disabled.values),
                name="channel_disabled_because",
            ),
        )

    def __str__(self) -> str:
        return f"{self.name} ({self.get_kind_display()})"

    @property
    def why_disabled(self) -> str | None:
        """Why the channel is disabled; None while it is not."""
        return self.disabled_because or None
