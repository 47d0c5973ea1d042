"""Events: what happened that somebody wanted to be told of."""

from uuid import uuid4

from django.db import models
from django.db.models import F, Q

from alerts.models.rules import DIGITS, PLACES, Rule
from alerts.models.severity import Severity
from core import clock
from organizations.models import Organization


class Event(models.Model):
    """One time that a rule was met, or that something else was worth telling. Immutable, but for its end.

    ``dedup_key`` is a digest of what makes it the same event: raised again, it is not written again.
    ``rule`` stays as it was when the rule is deleted, and so does its name.
    Units: ``threshold`` and ``value`` are in ``unit``: a currency, ``percent``, ``ms`` or a thing counted.
    Tenancy: row-level security shows only the tenant's.
    """

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    organization = models.ForeignKey(Organization, models.PROTECT, db_index=False, related_name="+")
    rule = models.ForeignKey(
        Rule, models.DO_NOTHING, null=True, db_constraint=False, db_index=False, related_name="+"
    )
    rule_name = models.CharField(max_length=100, blank=True)
    rule_revision = models.PositiveIntegerField(null=True)
    dedup_key = models.UUIDField()
    severity = models.CharField(max_length=8, choices=Severity.choices)
    metric = models.CharField(max_length=100)
    scope = models.JSONField(default=dict)
    unit = models.CharField(max_length=40, blank=True)
    threshold = models.DecimalField(max_digits=DIGITS, decimal_places=PLACES, null=True)
    value = models.DecimalField(max_digits=DIGITS, decimal_places=PLACES, null=True)
    period_start = models.DateTimeField(null=True)
    period_end = models.DateTimeField(null=True)
    message = models.CharField(max_length=500)
    recommendation = models.CharField(max_length=1000, blank=True)
    chart = models.JSONField(null=True, help_text="The figures that an e-mail draws.")
    fired_at = models.DateTimeField(default=clock.now)
    resolved_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("organization", "-fired_at", "-id")
        indexes = (
            models.Index(fields=["organization", "-fired_at", "-id"], name="event_listing"),
            models.Index(fields=["organization", "rule"], condition=Q(resolved_at=None), name="event_open"),
        )
        constraints = (
            models.UniqueConstraint(fields=["organization", "dedup_key"], name="event_once"),
            models.CheckConstraint(condition=Q(severity__in=Severity.values), name="event_severity_known"),
            models.CheckConstraint(
                condition=Q(rule=None, rule_revision=None)
                | Q(rule__isnull=False, rule_revision__isnull=False),
                name="event_rule_revision",
            ),
            models.CheckConstraint(
                condition=Q(period_start=None, period_end=None) | Q(period_end__gt=F("period_start")),
                name="event_period_ends_later",
            ),
            models.CheckConstraint(
                condition=Q(resolved_at__gte=F("fired_at")), name="event_resolved_after_it_fired"
            ),
        )

    def __str__(self) -> str:
        return self.message
