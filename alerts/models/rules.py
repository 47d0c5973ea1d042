"""Rules: what an organization wants to be told of, and how far each has come."""

from typing import Any, Final
from uuid import uuid4

import pgtrigger
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from alerts.models.channels import Channel
from alerts.models.severity import Severity
from core import clock
from organizations.models import Credential, Organization, User, tracked

DIGITS: Final = 38
PLACES: Final = 9


class Condition(models.TextChoices):
    """What has to be so of a rule's metric."""

    ABOVE = "above", "At or above"
    BELOW = "below", "Below"
    SHARE = "aboveShare", "At or above a share of what is allowed"
    RISES = "rises", "Rises against the period before"
    FALLS = "falls", "Falls against the period before"
    NO_TRAFFIC = "noTraffic", "No traffic"
    FORECAST = "forecastAbove", "Forecast to reach"
    FORECAST_SHARE = "forecastShare", "Forecast to reach a share of the limit"
    ANOMALY = "anomaly", "Unlike the weeks before"
    LIMIT = "spendLimit", "A spend limit warns or pauses"


class ScopeKind(models.TextChoices):
    """What a rule looks at: the whole, or one kind of its parts."""

    ORGANIZATION = "organization", "The organization"
    CREDENTIAL = "credential", "Credentials"
    MODEL = "model", "Models"
    ENDPOINT = "endpoint", "Endpoints"
    CAPABILITY = "capability", "Capabilities"


class Span(models.TextChoices):
    """Over which time a rule looks: back from now, or since a calendar period began."""

    MINUTE = "1m", "1 minute"
    MINUTES_5 = "5m", "5 minutes"
    MINUTES_15 = "15m", "15 minutes"
    HOUR = "1h", "1 hour"
    HOURS_6 = "6h", "6 hours"
    HOURS_24 = "24h", "24 hours"
    DAYS_7 = "7d", "7 days"
    DAYS_30 = "30d", "30 days"
    DAY = "day", "Calendar day"
    WEEK = "week", "Calendar week"
    MONTH = "month", "Calendar month"


def _amount(**options: Any) -> "models.DecimalField[Any, Any]":
    return models.DecimalField(max_digits=DIGITS, decimal_places=PLACES, **options)


@tracked(newest="organization", inserted=pgtrigger.Q(new__code=""))
class Rule(models.Model):
    """What an organization wants to be told of.

    ``code`` names those that every organization has from the start. ``value`` and ``credential`` name one
    part of the scope; with neither, each part is looked at by itself. ``thresholds`` are in the order in
    which they are reached. ``revision`` rises with every change of what is told, which is then told anew.
    Units: ``thresholds`` are in the metric's (see `alerts.rules.terms`), ``hysteresis`` is per cent of them.
    Tenancy: row-level security shows only the tenant's.
    """

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    organization = models.ForeignKey(Organization, models.PROTECT, db_index=False, related_name="+")
    code = models.CharField(max_length=20, blank=True, editable=False)
    name = models.CharField(max_length=100)
    metric = models.CharField(max_length=100)
    condition = models.CharField(max_length=13, choices=Condition.choices)
    scope_kind = models.CharField(max_length=12, choices=ScopeKind.choices, default=ScopeKind.ORGANIZATION)
    credential = models.ForeignKey(Credential, models.PROTECT, null=True, related_name="+")
    value = models.CharField(max_length=200, null=True)
    window = models.CharField(max_length=5, choices=Span.choices, blank=True)
    thresholds = ArrayField(_amount(), default=list)
    severity = models.CharField(max_length=8, choices=Severity.choices, default=Severity.WARNING)
    least_requests = models.PositiveIntegerField(default=0)
    hysteresis = models.DecimalField(max_digits=4, decimal_places=2, default=5)
    quiet_minutes = models.PositiveIntegerField(default=60)
    channels = models.ManyToManyField(Channel, through="RuleChannel", related_name="+")
    enabled = models.BooleanField(default=True)
    revision = models.PositiveIntegerField(default=1)
    created_by = models.ForeignKey(User, models.SET_NULL, null=True, editable=False, related_name="+")
    created_at = models.DateTimeField(default=clock.now, editable=False)
    updated_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        ordering = ("organization", "created_at", "id")
        indexes = (models.Index(fields=["organization", "created_at", "id"], name="rule_listing"),)
        constraints = (
            models.UniqueConstraint(
                fields=["organization", "code"], condition=~Q(code=""), name="rule_built_in_once"
            ),
            models.CheckConstraint(condition=Q(condition__in=Condition.values), name="rule_condition_known"),
            models.CheckConstraint(condition=Q(severity__in=Severity.values), name="rule_severity_known"),
            models.CheckConstraint(condition=Q(window__in=["", *Span.values]), name="rule_window_known"),
            models.CheckConstraint(
                condition=Q(scope_kind="organization", credential=None, value=None)
                | Q(scope_kind="credential", value=None)
                | Q(scope_kind__in=["model", "endpoint", "capability"], credential=None),
                name="rule_scope_names_its_kind",
            ),
            models.CheckConstraint(
                condition=Q(hysteresis__gte=0, hysteresis__lte=50), name="rule_hysteresis_half_at_most"
            ),
        )

    def __str__(self) -> str:
        return self.name


class RuleChannel(models.Model):
    """One of the channels that are chosen for a rule.

    Tenancy: row-level security shows only the tenant's.
    """

    organization = models.ForeignKey(Organization, models.PROTECT, db_index=False, related_name="+")
    rule = models.ForeignKey(Rule, models.CASCADE, db_index=False, related_name="chosen")
    channel = models.ForeignKey(Channel, models.CASCADE, related_name="+")

    class Meta:
        constraints = (models.UniqueConstraint(fields=["rule", "channel"], name="rule_channel_once"),)

    def __str__(self) -> str:
        return f"{self.rule_id} tells {self.channel_id}"


class RuleState(models.Model):
    """How far a rule has come with one subject that has reached any of its thresholds.

    ``level`` is how many thresholds are reached, ``since`` when that last changed; ``events`` are those still
    open, one for each (null where none was told). ``episode`` counts how often it was reached anew; until
    ``quiet_until`` the lowest ``quiet_level`` thresholds are not told again.
    Tenancy: row-level security shows only the tenant's.
    """

    organization = models.ForeignKey(
        Organization, models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    rule = models.ForeignKey(Rule, models.CASCADE, db_index=False, related_name="states")
    subject = models.CharField(max_length=200, blank=True)
    revision = models.PositiveIntegerField()
    period_start = models.DateTimeField(null=True)
    level = models.PositiveSmallIntegerField()
    value = _amount(null=True)
    since = models.DateTimeField()
    episode = models.PositiveIntegerField()
    quiet_until = models.DateTimeField(null=True)
    quiet_level = models.PositiveSmallIntegerField(default=0)
    events = ArrayField(models.UUIDField(null=True), default=list)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["rule", "subject"], name="rule_state_once"),
            models.CheckConstraint(condition=Q(events__len=F("level")), name="rule_state_event_each"),
        )

    def __str__(self) -> str:
        return f"{self.subject or 'the organization'} at level {self.level}"


class LimitNotice(models.Model):
    """A decision about a spend limit that is still to be told; its trigger writes it with the decision.

    Tenancy: row-level security shows only the tenant's.
    """

    decision = models.OneToOneField("billing.Decision", models.CASCADE, primary_key=True, related_name="+")
    organization = models.ForeignKey(Organization, models.DO_NOTHING, db_constraint=False, related_name="+")

    def __str__(self) -> str:
        return f"decision {self.decision_id}"
