"""Spend limits, what was spent by quarter-hour, reservations, and the decisions taken.

The figures in these rows are moved by the functions of ``sql/limits.sql`` alone, under the locks they take.
"""

import uuid
from typing import Any, Final

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.formats import date_format

from core import clock
from organizations.models import Credential, Organization, tracked

MAX_WARN_AT: Final = 10
"""How many shares of a limit can be warned at."""


class Window(models.TextChoices):
    """Over which time a limit adds up."""

    ROLLING = "rolling7Days", "The last 7 days"
    WEEK = "week", "Calendar week"


class Enforcement(models.TextChoices):
    """What reaching a limit means."""

    PAUSE = "pause", "Pause"
    WARN = "warn", "Warn only"


class LimitState(models.TextChoices):
    """Whether calls go ahead."""

    OPEN = "open", "Open"
    PAUSED = "paused", "Paused"


class ReservationState(models.TextChoices):
    """What became of an amount that was held."""

    HELD = "held", "Held"
    SETTLED = "settled", "Settled"
    RELEASED = "released", "Released"
    EXPIRED = "expired", "Expired"


class DecisionKind(models.TextChoices):
    """What happened to a limit."""

    LIMIT_SET = "limitSet", "Limit set"
    LIMIT_REMOVED = "limitRemoved", "Limit removed"
    WARNED = "warned", "Share of the limit reached"
    PAUSED = "paused", "Paused"
    RESUMED = "resumed", "Resumed"
    CORRECTED = "corrected", "Figures corrected"


def _nanos(**options: Any) -> "models.DecimalField[Any, Any]":
    """Return a column of a sum of money, which no amount of use overflows."""
    return models.DecimalField(max_digits=38, decimal_places=0, **options)


@tracked(
    newest="organization",
    exclude=[
        "state", "paused_at", "warned", "window_start", "window_end", "spent_nanos", "reserved_nanos",
    ],
)  # fmt: skip
class SpendLimit(models.Model):
    """How much an organization, or one credential of it, may spend within a window.

    ``window_start`` is inclusive; ``window_end`` is when the window has to move on. ``warned`` are the
    shares announced and not yet fallen below. ``spent_nanos`` is what was spent since ``window_start``,
    ``reserved_nanos`` what is held.
    Units: nanos of the organization's currency; shares in per cent.
    Tenancy: row-level security shows only the tenant's.
    """

    organization = models.ForeignKey(Organization, models.PROTECT, db_index=False, related_name="+")
    credential = models.ForeignKey(Credential, models.PROTECT, null=True, blank=True, related_name="+")
    limit_nanos = models.BigIntegerField()
    window_kind = models.CharField(max_length=16, choices=Window.choices)
    warn_at = ArrayField(models.PositiveSmallIntegerField())
    enforcement = models.CharField(max_length=8, choices=Enforcement.choices)
    created_at = models.DateTimeField(default=clock.now)
    state = models.CharField(max_length=8, choices=LimitState.choices, default=LimitState.OPEN)
    paused_at = models.DateTimeField(null=True)
    warned = ArrayField(models.PositiveSmallIntegerField(), default=list)
    window_start = models.DateTimeField()
    window_end = models.DateTimeField()
    spent_nanos = _nanos(default=0)
    reserved_nanos = _nanos(default=0)

    class Meta:
        db_table = "billing_spend_limit"
        ordering = ("organization", F("credential").asc(nulls_first=True))
        constraints = (
            models.UniqueConstraint(
                fields=["organization", "credential"], name="spend_limit_once", nulls_distinct=False
            ),
            models.CheckConstraint(condition=Q(limit_nanos__gt=0), name="spend_limit_positive"),
            models.CheckConstraint(
                condition=Q(window_kind__in=Window.values), name="spend_limit_window_known"
            ),
            models.CheckConstraint(
                condition=Q(enforcement__in=Enforcement.values), name="spend_limit_enforcement_known"
            ),
            models.CheckConstraint(
                condition=Q(state=LimitState.OPEN, paused_at=None)
                | Q(state=LimitState.PAUSED, paused_at__isnull=False),
                name="spend_limit_paused_since",
            ),
            models.CheckConstraint(
                condition=Q(window_end__gt=F("window_start")), name="spend_limit_window_ordered"
            ),
            models.CheckConstraint(
                condition=Q(spent_nanos__gte=0, reserved_nanos__gte=0), name="spend_limit_not_negative"
            ),
            models.CheckConstraint(
                condition=Q(warn_at__len__lte=MAX_WARN_AT), name="spend_limit_warnings_few"
            ),
        )

    def __str__(self) -> str:
        whose = "the organization" if self.credential_id is None else f"credential {self.credential_id}"
        return f"limit of {whose}"


class SpendBucket(models.Model):
    """What was spent under a limit in one quarter-hour, for as long as any window may reach back.

    Units: ``quarter`` is where the quarter-hour begins, in UTC; ``cost_nanos`` nanos.
    Tenancy: row-level security shows only the tenant's.
    """

    pk = models.CompositePrimaryKey("limit", "quarter")
    limit = models.ForeignKey(SpendLimit, models.CASCADE, db_index=False, related_name="buckets")
    quarter = models.DateTimeField()
    organization = models.ForeignKey(
        Organization, models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    cost_nanos = _nanos()

    class Meta:
        db_table = "billing_spend_bucket"

    def __str__(self) -> str:
        return f"quarter-hour of {self.quarter.isoformat()}"


class Reservation(models.Model):
    """An amount that is held for a call, and what became of it.

    ``settled_nanos`` is what its records cost, whenever they came. No foreign key is checked: to check
    one is to lock the organization's row, which every call of the organization would do.
    Units: nanos of the organization's currency.
    Tenancy: row-level security shows only the tenant's.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organization = models.ForeignKey(
        Organization, models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    credential = models.ForeignKey(
        Credential, models.DO_NOTHING, db_constraint=False, db_index=False, null=True, related_name="+"
    )
    amount_nanos = models.BigIntegerField()
    state = models.CharField(max_length=8, choices=ReservationState.choices, default=ReservationState.HELD)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    settled_nanos = _nanos(default=0)

    class Meta:
        ordering = ("-created_at", "-id")
        indexes = (
            models.Index(fields=["organization", "created_at", "id"], name="reservation_listing"),
            models.Index(
                fields=["organization", "expires_at"],
                condition=Q(state=ReservationState.HELD),
                name="reservation_held",
            ),
        )
        constraints = (
            models.CheckConstraint(condition=Q(amount_nanos__gt=0), name="reservation_positive"),
            models.CheckConstraint(
                condition=Q(state=ReservationState.HELD, ended_at=None)
                | (
                    Q(
                        state__in=[
                            state for state in ReservationState.values if state != ReservationState.HELD
                        ]
                    )
                    & Q(ended_at__isnull=False)
                ),
                name="reservation_end_has_moment",
            ),
            models.CheckConstraint(
                condition=Q(expires_at__gt=F("created_at")), name="reservation_expires_later"
            ),
        )

    def __str__(self) -> str:
        return f"reservation {self.pk}"


class Decision(models.Model):
    """One thing that happened to a limit, with the figures at that moment; written once.

    ``credential`` is None for the organization's limit, ``threshold`` the share that a warning is for.
    Units: nanos of the organization's currency; ``threshold`` in per cent.
    Tenancy: row-level security shows only the tenant's.
    """

    id = models.BigAutoField(primary_key=True)
    organization = models.ForeignKey(Organization, models.PROTECT, db_index=False, related_name="+")
    credential = models.ForeignKey(Credential, models.PROTECT, null=True, related_name="+")
    kind = models.CharField(max_length=16, choices=DecisionKind.choices)
    decided_at = models.DateTimeField()
    threshold = models.PositiveSmallIntegerField(null=True)
    limit_nanos = models.BigIntegerField()
    window_kind = models.CharField(max_length=16, choices=Window.choices)
    enforcement = models.CharField(max_length=8, choices=Enforcement.choices)
    window_start = models.DateTimeField()
    window_end = models.DateTimeField()
    spent_nanos = _nanos()
    reserved_nanos = _nanos()

    class Meta:
        ordering = ("-id",)
        indexes = (models.Index(fields=["organization", "id"], name="decision_listing"),)
        constraints = (
            models.CheckConstraint(condition=Q(kind__in=DecisionKind.values), name="decision_kind_known"),
            models.CheckConstraint(
                condition=Q(kind=DecisionKind.WARNED, threshold__isnull=False)
                | (~Q(kind=DecisionKind.WARNED) & Q(threshold=None)),
                name="decision_threshold_of_warning",
            ),
        )

    def __str__(self) -> str:
        return f"{self.get_kind_display()} on {date_format(self.decided_at, 'DATETIME_FORMAT')}"
