"""The price book: versions of what a model costs, and an organization's discounts."""

import pgtrigger
from django.db import models
from django.db.models import F, Q

from billing.rating.formula import BASIS_POINTS
from core import clock
from organizations.models import Organization, tracked
from organizations.validators import validate_currency
from usage.tiers import Tier


class Source(models.TextChoices):
    """Where a price comes from; an import supersedes only prices of its own source."""

    GENAI_PRICES = "genai-prices", "genai-prices"
    LITELLM = "litellm", "LiteLLM"
    MANUAL = "manual", "Manual"


@tracked(newest="organization", only=pgtrigger.Q(new__organization__isnull=False))
class Price(models.Model):
    """One version of what a model costs: in the list when it is nobody's, or an organization's own.

    The version that begins last, at or before a call, prices the call; of two that begin together, the one
    made last. It never changes, but for its end. An empty provider stands for any, an empty model for calls
    that name none. Between ``daily_from`` and ``daily_until`` (UTC, perhaps across midnight), where they are
    given, it goes before prices of the whole day.
    Tenancy: everyone sees the list; an organization's own are its own.
    """

    organization = models.ForeignKey(
        Organization,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text="Empty: a price of the list.",
    )
    provider = models.CharField(max_length=200, blank=True, help_text="Empty: whoever provides the model.")
    model = models.CharField(max_length=200, blank=True, help_text="Empty: calls that name no model.")
    tier = models.CharField(max_length=8, choices=Tier.choices, default=Tier.STANDARD)
    currency = models.CharField(max_length=3, default="USD", validators=[validate_currency])
    effective_from = models.DateTimeField(default=clock.now)
    effective_until = models.DateTimeField(null=True, blank=True, help_text="Empty: until superseded.")
    daily_from = models.TimeField(null=True, blank=True, help_text="UTC; empty: all day.")
    daily_until = models.TimeField(null=True, blank=True, help_text="UTC; empty: all day.")
    source = models.CharField(max_length=12, choices=Source.choices, default=Source.MANUAL, editable=False)
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        ordering = ("provider", "model", "tier", "-effective_from", "-id")
        indexes = (
            models.Index(fields=["provider", "model", "tier", "effective_from"], name="price_listing"),
            models.Index(fields=["model"], name="price_model"),
            models.Index(
                fields=["organization"], condition=Q(organization__isnull=False), name="price_organization"
            ),
        )
        constraints = (
            models.CheckConstraint(condition=Q(tier__in=Tier.values), name="price_tier_known"),
            models.CheckConstraint(condition=Q(source__in=Source.values), name="price_source_known"),
            models.CheckConstraint(condition=Q(currency__regex=r"^[A-Z]{3}$"), name="price_currency_iso"),
            models.CheckConstraint(
                condition=Q(effective_until__gt=F("effective_from")), name="price_ends_after_beginning"
            ),
            models.CheckConstraint(
                condition=Q(daily_from__isnull=True, daily_until__isnull=True)
                | (Q(daily_from__isnull=False, daily_until__isnull=False) & ~Q(daily_from=F("daily_until"))),
                name="price_daily_window_whole",
            ),
        )

    def __str__(self) -> str:
        return f"{self.provider or 'any'}/{self.model or 'no model'} ({self.tier})"


class PriceRate(models.Model):
    """What ``per`` units of a meter cost under a price, for calls of more than ``above`` prompt tokens.

    Units: nanos of the price's currency.
    Tenancy: as its price.
    """

    price = models.ForeignKey(Price, models.PROTECT, related_name="rates")
    meter = models.CharField(max_length=100)
    amount_nanos = models.BigIntegerField()
    per = models.BigIntegerField(default=1_000_000)
    above = models.BigIntegerField(
        default=0, help_text="Prompt tokens beyond which it holds for the whole call."
    )

    class Meta:
        db_table = "billing_rate"
        ordering = ("price", "id")
        constraints = (
            models.UniqueConstraint(fields=["price", "meter", "above"], name="rate_once"),
            models.CheckConstraint(
                condition=Q(amount_nanos__gte=0, per__gt=0, above__gte=0), name="rate_not_negative"
            ),
            models.CheckConstraint(condition=~Q(meter=""), name="rate_has_meter"),
        )

    def __str__(self) -> str:
        return f"{self.meter} above {self.above}" if self.above else self.meter


@tracked(newest="organization")
class Discount(models.Model):
    """By how much an organization pays less than the list says; only its end is ever changed.

    The one that names the price's model goes before one that names its provider, and that before one for all.
    Units: hundredths of a percent.
    Tenancy: row-level security shows only the tenant's.
    """

    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+")
    basis_points = models.PositiveSmallIntegerField(help_text="Hundredths of a percent: 1250 is 12.5%.")
    provider = models.CharField(max_length=200, blank=True, help_text="Empty: every provider's.")
    model = models.CharField(max_length=200, blank=True, help_text="Empty: every model.")
    effective_from = models.DateTimeField(default=clock.now)
    effective_until = models.DateTimeField(null=True, blank=True, help_text="Empty: without end.")
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        ordering = ("organization", "-effective_from", "-id")
        constraints = (
            models.CheckConstraint(
                condition=Q(basis_points__gt=0, basis_points__lte=BASIS_POINTS), name="discount_within_whole"
            ),
            models.CheckConstraint(
                condition=Q(effective_until__gt=F("effective_from")), name="discount_ends_after_beginning"
            ),
        )

    def __str__(self) -> str:
        return f"{self.basis_points / 100:g}% off {self.model or self.provider or 'the list'}"
