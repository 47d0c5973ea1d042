"""Grants of credits and quota, and the postings that burn them down."""

from typing import Final

from django.db import models
from django.db.models import F, Q

from core import clock
from core.written import exact
from organizations.models import Organization, User, tracked

DIGITS: Final = 38
PLACES: Final = 9
DEFAULT_PRIORITY: Final = 100


class Allowance(models.TextChoices):
    """What can be granted: each is burnt down by the records' quantity of the same name."""

    CREDITS = "credits", "Credits"
    QUOTA = "quota", "Quota"


class Account(models.TextChoices):
    """Where amounts lie in the ledger; only ``available`` is kept for each grant by itself.

    ``granted`` owes what the others hold, so it is never above zero; ``uncovered`` and ``overage`` owe what
    was consumed beyond every grant.
    """

    GRANTED = "granted", "Granted"
    AVAILABLE = "available", "Available"
    CONSUMED = "consumed", "Consumed"
    EXPIRED = "expired", "Expired"
    REVOKED = "revoked", "Revoked"
    UNCOVERED = "uncovered", "Uncovered"
    OVERAGE = "overage", "Overage"


OWING: Final = (Account.GRANTED, Account.UNCOVERED, Account.OVERAGE)


class Movement(models.TextChoices):
    """Why amounts move."""

    GRANT = "grant", "Grant"
    USE = "use", "Use"
    EXPIRY = "expiry", "Expiry"
    REVOCATION = "revocation", "Revocation"


@tracked(newest="organization")
class Grant(models.Model):
    """An amount of an allowance that is the organization's to use, from one moment on, perhaps until another.

    What it was granted for never changes; it can only be revoked, once. How much is left is its account's.
    Tenancy: row-level security shows only the tenant's.
    """

    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+")
    allowance = models.CharField(max_length=8, choices=Allowance.choices)
    amount = models.DecimalField(max_digits=DIGITS, decimal_places=PLACES)
    priority = models.PositiveSmallIntegerField(
        default=DEFAULT_PRIORITY, help_text="The smallest is burnt down first."
    )
    effective_at = models.DateTimeField(default=clock.now)
    expires_at = models.DateTimeField(null=True, blank=True, help_text="Empty: never.")
    reason = models.CharField(max_length=200)
    granted_by = models.ForeignKey(User, models.SET_NULL, null=True, editable=False, related_name="+")
    created_at = models.DateTimeField(default=clock.now, editable=False)
    revoked_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        ordering = ("organization", "priority", F("expires_at").asc(nulls_last=True), "id")
        constraints = (
            models.CheckConstraint(condition=Q(allowance__in=Allowance.values), name="grant_allowance_known"),
            models.CheckConstraint(condition=Q(amount__gt=0), name="grant_amount_positive"),
            models.CheckConstraint(
                condition=Q(expires_at__gt=F("effective_at")), name="grant_expires_after_effect"
            ),
        )

    def __str__(self) -> str:
        return f"{exact(self.amount)} {self.allowance}"


class LedgerAccount(models.Model):
    """One account of an organization's ledger; its balance is the sum of its postings, kept by their trigger.

    Tenancy: row-level security shows only the tenant's.
    """

    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+")
    allowance = models.CharField(max_length=8, choices=Allowance.choices)
    kind = models.CharField(max_length=9, choices=Account.choices)
    grant = models.OneToOneField(Grant, models.PROTECT, null=True, related_name="account")
    balance = models.DecimalField(max_digits=DIGITS, decimal_places=PLACES, default=0)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["organization", "allowance", "kind"],
                condition=Q(grant=None),
                name="ledger_account_once",
            ),
            models.CheckConstraint(
                condition=Q(kind="available", grant__isnull=False) | (~Q(kind="available") & Q(grant=None)),
                name="ledger_account_of_grant",
            ),
            models.CheckConstraint(
                condition=Q(kind__in=OWING, balance__lte=0) | (~Q(kind__in=OWING) & Q(balance__gte=0)),
                name="ledger_account_sign",
            ),
        )

    def __str__(self) -> str:
        return f"{self.allowance} {self.kind}"


class LedgerTransaction(models.Model):
    """One event in the ledger: postings that add up to zero. Immutable.

    A use is made of the records that happened from ``used_from`` until before ``used_to`` and were stored at
    ``stored_at``; other events have none.
    Tenancy: row-level security shows only the tenant's.
    """

    organization = models.ForeignKey(Organization, models.PROTECT, db_index=False, related_name="+")
    allowance = models.CharField(max_length=8, choices=Allowance.choices)
    kind = models.CharField(max_length=10, choices=Movement.choices)
    posted_at = models.DateTimeField(default=clock.now)
    used_from = models.DateTimeField(null=True)
    used_to = models.DateTimeField(null=True)
    stored_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("-id",)
        indexes = (models.Index(fields=["organization", "id"], name="ledger_transaction_listing"),)
        constraints = (
            models.CheckConstraint(condition=Q(kind__in=Movement.values), name="ledger_transaction_kind"),
            models.CheckConstraint(
                condition=Q(used_from=None, used_to=None, stored_at=None)
                | Q(kind="use", used_from__lt=F("used_to"), stored_at__isnull=False),
                name="ledger_transaction_records",
            ),
        )

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"


class LedgerPosting(models.Model):
    """What one transaction does to one account. Immutable.

    Tenancy: row-level security shows only the tenant's.
    """

    organization = models.ForeignKey(Organization, models.PROTECT, db_index=False, related_name="+")
    transaction = models.ForeignKey(
        LedgerTransaction, models.PROTECT, db_index=False, related_name="postings"
    )
    account = models.ForeignKey(LedgerAccount, models.PROTECT, related_name="postings")
    amount = models.DecimalField(max_digits=DIGITS, decimal_places=PLACES)

    class Meta:
        ordering = ("transaction", "id")
        constraints = (
            models.UniqueConstraint(fields=["transaction", "account"], name="ledger_posting_once"),
            models.CheckConstraint(condition=~Q(amount=0), name="ledger_posting_moves"),
        )

    def __str__(self) -> str:
        return f"{self.amount:f}"
