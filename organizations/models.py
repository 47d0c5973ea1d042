"""Rows of organizations, people, plans and credentials, with the constraints that keep them true."""

from collections.abc import Callable
from typing import Any, ClassVar, Final, TypeVar

import pghistory
import pghistory.models
import pgtrigger
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower
from django.utils.formats import date_format

from core import clock
from core.keys import CLIENT_ID_PATTERN
from organizations.roles import ALL_SCOPES, Role
from organizations.validators import validate_currency, validate_zone

M = TypeVar("M", bound=models.Model)

ACTIONS: Final = {"insert": "Created", "update": "Changed", "delete": "Deleted"}
"""What the audit trail tells of, in words."""


class AuditEvent(pghistory.models.Event):
    """A snapshot of a row after a change, numbered in one sequence over every kind of row."""

    pgh_id = models.BigIntegerField(
        primary_key=True,
        db_default=models.Func(
            template="nextval('organizations_audit_seq')", output_field=models.BigIntegerField()
        ),
    )

    class Meta:
        abstract = True

    def __str__(self) -> str:
        when = date_format(self.pgh_created_at, "DATETIME_FORMAT")
        return f"{ACTIONS.get(self.pgh_label, self.pgh_label)} on {when}"


def tracked(
    *,
    newest: str,
    exclude: list[str] | None = None,
    only: pgtrigger.Q | None = None,
    inserted: pgtrigger.Q | None = None,
    updated: pgtrigger.Condition | None = None,
) -> Callable[[type[M]], type[M]]:
    """Record every insert, update and delete of a model, however it is made.

    ``newest`` is the field by which a tenant's latest events are found; ``only`` says which new rows are
    recorded at all, of models that are never deleted; ``inserted`` says of which new rows the
    insertion is recorded, while every change and deletion is; ``updated`` says which changes are.
    """

    def track(model: type[M]) -> type[M]:
        name = model.__name__
        index = models.Index(fields=[newest, "-pgh_id"], name=f"{name.lower()}event_newest")
        tracked: type[M] = pghistory.track(
            *_events(only, inserted, updated),
            exclude=exclude,
            model_name=f"{name}Event",
            base_model=AuditEvent,
            append_only=True,
            obj_field=pghistory.ObjForeignKey(related_name="audit_events", related_query_name="+"),
            context_field=pghistory.ContextJSONField(),
            context_id_field=None,  # type: ignore[arg-type] # documented, and missing from its signature
            meta={"indexes": [index]},
        )(model)
        return tracked

    return track


def _events(
    only: pgtrigger.Q | None, inserted: pgtrigger.Q | None, updated: pgtrigger.Condition | None
) -> list[Any]:
    if only is None:
        changed = pghistory.UpdateEvent() if updated is None else pghistory.UpdateEvent(condition=updated)
        return [pghistory.InsertEvent(condition=inserted), changed, pghistory.DeleteEvent()]
    return [pghistory.InsertEvent(condition=only), pghistory.UpdateEvent(condition=only)]


class UserManager(BaseUserManager["User"]):
    """Makes users whose e-mail address is their login."""

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """Add a person; without a password they can't sign in until one is set."""
        user = self.model(email=normalize_email(email), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """Add an operator of the whole system."""
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)

    def get_by_natural_key(self, username: str | None) -> "User":
        """Return the user who signs in by this address, however they write it."""
        return self.get(email=normalize_email(username or ""))


def normalize_email(email: str) -> str:
    """Return the one spelling under which an address is kept."""
    return email.strip().lower()


class User(AbstractBaseUser, PermissionsMixin):
    """A person, who may belong to several organizations."""

    email = models.EmailField(max_length=254, unique=True)
    name = models.CharField(max_length=150, blank=True)
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField("operator", default=False, help_text="May enter the operator's admin.")
    date_joined = models.DateTimeField(default=clock.now, editable=False)

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        ordering = ("email",)
        constraints = (models.CheckConstraint(condition=Q(email=Lower("email")), name="user_email_lower"),)

    def clean(self) -> None:
        """Keep the address in its one spelling."""
        self.email = normalize_email(self.email)

    def get_full_name(self) -> str:
        """Return what the person is called."""
        return self.name or self.email

    def get_short_name(self) -> str:
        """Return what the person is called in passing."""
        return self.get_full_name()


@tracked(newest="pgh_obj")
class Plan(models.Model):
    """What an organization is entitled to."""

    slug = models.SlugField(max_length=40, unique=True)
    name = models.CharField(max_length=80)
    position = models.PositiveSmallIntegerField(help_text="Order in lists, smallest first.")
    history_days = models.PositiveIntegerField(
        null=True, blank=True, help_text="Days of history; empty: all of it."
    )
    exports = models.BooleanField(default=False)
    requests_per_minute = models.PositiveIntegerField()
    spend_limit = models.BooleanField(default=False, help_text="May set a spend limit.")
    invoices = models.BooleanField(default=False)
    overage = models.BooleanField(
        default=False, help_text="May use more credits and quota than were granted."
    )
    api_access = models.BooleanField(
        default=True, help_text="The gate lets the organization's calls through."
    )

    class Meta:
        ordering = ("position", "slug")
        constraints = (
            models.CheckConstraint(condition=Q(history_days__gt=0), name="plan_history_days_positive"),
            models.CheckConstraint(condition=Q(requests_per_minute__gt=0), name="plan_rate_positive"),
        )

    def __str__(self) -> str:
        return self.name


@tracked(newest="id")
class Organization(models.Model):
    """A tenant: whose usage, money and people are nobody else's."""

    name = models.CharField(max_length=120)
    slug = models.SlugField(max_length=63, unique=True)
    timezone = models.CharField(max_length=64, default="UTC", validators=[validate_zone])
    rollup_timezone = models.CharField(
        max_length=64,
        default="UTC",
        editable=False,
        help_text="The zone whose days its daily rollups are kept in.",
    )
    currency = models.CharField(max_length=3, default="USD", validators=[validate_currency])
    plan = models.ForeignKey(Plan, on_delete=models.PROTECT, related_name="organizations")
    requests_per_minute = models.PositiveIntegerField(
        null=True, blank=True, help_text="Its own rate limit; empty: the plan's."
    )
    require_second_factor = models.BooleanField(
        default=False, db_default=False, help_text="Members without a second factor see nothing."
    )
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        ordering = ("name", "id")
        constraints = (
            models.CheckConstraint(
                condition=Q(currency__regex=r"^[A-Z]{3}$"), name="organization_currency_iso"
            ),
            models.CheckConstraint(condition=Q(requests_per_minute__gt=0), name="organization_rate_positive"),
        )

    def __str__(self) -> str:
        return self.name


@tracked(newest="organization")
class Membership(models.Model):
    """A person's place in an organization."""

    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="memberships")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=16, choices=Role.choices)
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        ordering = ("organization", "user")
        constraints = (
            models.UniqueConstraint(fields=["organization", "user"], name="membership_once"),
            models.CheckConstraint(condition=Q(role__in=Role.values), name="membership_role_known"),
        )

    def __str__(self) -> str:
        return f"{self.user_id} as {self.role}"


@tracked(newest="organization", exclude=["token_hash"])
class Invitation(models.Model):
    """An offer of membership, open until it is accepted, withdrawn or expired."""

    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="invitations")
    email = models.EmailField(max_length=254)
    role = models.CharField(max_length=16, choices=Role.choices)
    token_hash = models.BinaryField(max_length=32, unique=True, editable=False)
    invited_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(default=clock.now, editable=False)
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True, blank=True)
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-created_at", "-id")
        constraints = (
            models.UniqueConstraint(
                fields=["organization", "email"],
                condition=Q(accepted_at=None, withdrawn_at=None),
                name="invitation_one_open",
            ),
            models.CheckConstraint(condition=Q(email=Lower("email")), name="invitation_email_lower"),
            models.CheckConstraint(condition=Q(role__in=Role.values), name="invitation_role_known"),
            models.CheckConstraint(
                condition=Q(expires_at__gt=F("created_at")), name="invitation_expires_later"
            ),
        )

    def __str__(self) -> str:
        return f"{self.email} as {self.role}"


@tracked(newest="organization", exclude=["key_hash", "last_used_at"])
class Credential(models.Model):
    """An API key: its public Client ID, what it may do, and the hash of its secret."""

    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="credentials")
    client_id = models.CharField("Client ID", max_length=23, unique=True, editable=False)
    name = models.CharField(max_length=100)
    environment = models.CharField(max_length=40, default="production")
    scopes = ArrayField(models.CharField(max_length=32))
    key_hash = models.BinaryField(max_length=32, unique=True, editable=False)
    key_hint = models.CharField("ends in", max_length=4, editable=False)
    created_by = models.ForeignKey(
        User, on_delete=models.SET_NULL, null=True, blank=True, editable=False, related_name="+"
    )
    created_at = models.DateTimeField(default=clock.now, editable=False)
    last_used_at = models.DateTimeField(null=True, editable=False)
    rotated_at = models.DateTimeField(null=True, editable=False)
    revoked_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        ordering = ("organization", "-created_at", "-id")
        constraints = (
            models.CheckConstraint(
                condition=Q(client_id__regex=f"^{CLIENT_ID_PATTERN}$"), name="credential_client_id_format"
            ),
            models.CheckConstraint(
                condition=Q(scopes__contained_by=list(ALL_SCOPES)) & Q(scopes__len__gt=0),
                name="credential_scopes_known",
            ),
        )

    def __str__(self) -> str:
        return f"{self.name} ({self.client_id})"
