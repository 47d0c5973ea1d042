"""The operator's view of organizations, plans, credentials and invitations."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.safestring import SafeString

from core.problems import Problem
from organizations import services
from organizations.admin.bases import Inputs, LabelledFormSet, OperatorAdmin, ReadOnlyAdmin
from organizations.admin.events import register_events
from organizations.admin.filters import OrganizationFilter
from organizations.admin.showing import linked, links, listed, number
from organizations.confirming import confirmed
from organizations.models import Credential, Invitation, Membership, Organization, Plan
from organizations.roles import Role

_HISTORY = number("history_days", "history", " days")
_RATE = number("requests_per_minute", "requests a minute")


@admin.register(Plan)
class PlanAdmin(OperatorAdmin):
    """What organizations can be entitled to."""

    list_display = (
        "name", "slug", _HISTORY, _RATE, "exports", "spend_limit", "invoices", "overage", "api_access",
    )  # fmt: skip
    fieldsets = (
        (None, {"fields": ("name", "slug", "position")}),
        ("Entitles to", {"fields": ("api_access", "exports", "spend_limit", "invoices", "overage")}),
        ("Limits", {"fields": ("requests_per_minute", "history_days")}),
    )
    bounds: ClassVar[Any] = {"requests_per_minute": (1, None), "history_days": (1, None)}

    def get_readonly_fields(self, request: HttpRequest, obj: Plan | None = None) -> tuple[str, ...]:
        """Keep the slug, by which commands and clients name the plan."""
        return ("slug",) if obj else ()

    def get_prepopulated_fields(self, request: HttpRequest, obj: Plan | None = None) -> dict[str, Any]:
        """Suggest a slug for a new plan."""
        return {} if obj else {"slug": ("name",)}

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Name the organizations that keep a plan, rather than what nobody is permitted to delete."""
        found, counts, lacking, protected = super().get_deleted_objects(objs, request)
        return found, counts, () if protected else lacking, protected


class MembershipFormSet(LabelledFormSet):
    """Members of one organization, of whom one is an owner."""

    def clean(self) -> None:
        """Refuse to leave no owner.

        Raises: Django's ValidationError.
        """
        super().clean()
        if any(self.errors):
            return
        kept = [form.cleaned_data for form in self.forms if form not in self.deleted_forms]
        if not any(data.get("role") == Role.OWNER for data in kept):
            raise ValidationError("An organization needs an owner.", code="last_owner")


class MembershipInline(Inputs, admin.TabularInline):  # type: ignore[type-arg]
    """The organization's people."""

    model = Membership
    formset = MembershipFormSet
    autocomplete_fields = ("user",)
    extra = 0
    min_num = 1
    verbose_name = "member"
    verbose_name_plural = "members"


class OrganizationForm(forms.ModelForm):  # type: ignore[type-arg]
    """An organization and its terms."""

    class Meta:
        model = Organization
        fields = ("name", "slug", "plan", "timezone", "currency", "requests_per_minute")
        help_texts = {
            "slug": "Names the organization in the API and on the command line; it stays.",
            "timezone": "A zone of the IANA database, such as Europe/Berlin.",
            "currency": "Three letters, such as EUR.",
        }


@admin.register(Organization)
class OrganizationAdmin(OperatorAdmin):
    """Tenants and their terms."""

    form = OrganizationForm
    list_display = ("name", "slug", "plan", "timezone", "currency", _RATE, "created_at")
    list_filter = ("plan",)
    list_select_related = ("plan",)
    search_fields = ("name", "slug")
    search_help_text = "A part of the name or the slug."
    readonly_fields = ("rollup_timezone", "created_at", "belongings")
    fieldsets = (
        (None, {"fields": ("name", "slug", "belongings")}),
        ("Terms", {"fields": ("plan", "requests_per_minute", "currency")}),
        ("Time", {"fields": ("timezone", "rollup_timezone", "created_at")}),
        ("Access", {"fields": ("require_second_factor",)}),
    )
    inlines = (MembershipInline,)
    bounds: ClassVar[Any] = {"requests_per_minute": (1, None)}

    def get_readonly_fields(self, request: HttpRequest, obj: Organization | None = None) -> tuple[str, ...]:
        """Keep the slug once clients may hold it."""
        return (*self.readonly_fields, *(("slug",) if obj else ()))

    def get_prepopulated_fields(
        self, request: HttpRequest, obj: Organization | None = None
    ) -> dict[str, Any]:
        """Suggest a slug for a new organization."""
        return {} if obj else {"slug": ("name",)}

    def get_fieldsets(self, request: HttpRequest, obj: Organization | None = None) -> Any:
        """Lead to what is the organization's once it is there."""
        if obj:
            return self.fieldsets
        new = {None: ("name", "slug"), "Time": ("timezone",)}
        return [(title, {"fields": new.get(title, shown["fields"])}) for title, shown in self.fieldsets]

    @admin.display(description="its rows")
    def belongings(self, organization: Organization) -> SafeString:
        """Lead to the lists of what is the organization's."""
        lists = [
            (model._meta, reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist"))
            for model, shown in self.admin_site._registry.items()  # noqa: SLF001 # as Django itself reads it
            if OrganizationFilter in (shown.list_filter or ()) and not hasattr(model, "pgh_tracked_model")
        ]
        query = f"?{OrganizationFilter.parameter_name}={organization.pk}"
        return links([(str(meta.verbose_name_plural).capitalize(), url + query) for meta, url in lists])

    def save_model(self, request: HttpRequest, obj: Organization, form: Any, change: bool) -> None:
        """Keep a new organization's daily rollups by its own days from the start."""
        if not change:
            obj.rollup_timezone = obj.timezone
        super().save_model(request, obj, form, change)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Usage and money refer to an organization for good."""
        return False


@admin.register(Credential)
class CredentialAdmin(ReadOnlyAdmin):
    """Keys, never their secrets; the operator can revoke them."""

    list_display = (
        "name", "client_id", linked("organization"), "environment", "key_hint", "created_at", "last_used_at",
        "revoked_at",
    )  # fmt: skip
    list_filter = (OrganizationFilter, ("revoked_at", admin.EmptyFieldListFilter))
    list_select_related = ("organization",)
    search_fields = ("client_id__exact", "name__istartswith", "organization__slug__exact")
    search_help_text = "A whole Client ID, the beginning of a name, or an organization's slug."
    ordering = ("-id",)
    fieldsets = (
        (None, {"fields": ("name", "client_id", "organization", "environment", "key_hint")}),
        ("May", {"fields": (listed("scopes", "scopes"),)}),
        ("Times", {"fields": ("created_at", "created_by", "last_used_at", "rotated_at", "revoked_at")}),
    )
    actions = ("revoke",)

    @admin.action(description="Revoke", permissions=["revoke"])
    @confirmed(
        "Nothing is accepted with these keys any more, for good. What they recorded stays.", done="Revoked"
    )
    def revoke(self, request: HttpRequest, queryset: QuerySet[Credential]) -> list[Credential]:
        """Revoke those of the chosen credentials that have not been."""
        open_ = list(queryset.filter(revoked_at=None))
        for credential in open_:
            services.revoke_credential(
                organization_id=credential.organization_id, client_id=credential.client_id
            )
        return open_

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        """Only those who may change credentials."""
        return request.user.has_perm("organizations.change_credential")


@admin.register(Invitation)
class InvitationAdmin(ReadOnlyAdmin):
    """Offers of membership; the operator can withdraw them."""

    list_display = (
        "email", linked("organization"), "role", "created_at", "expires_at", "accepted_at", "withdrawn_at",
    )  # fmt: skip
    list_filter = (OrganizationFilter, "role")
    list_select_related = ("organization",)
    search_fields = ("email__iexact", "organization__slug__exact")
    search_help_text = "A whole e-mail address, or an organization's slug."
    ordering = ("-id",)
    fieldsets = (
        (None, {"fields": ("email", "organization", "role", "invited_by")}),
        ("Times", {"fields": ("created_at", "expires_at", "accepted_at", "withdrawn_at")}),
    )
    actions = ("withdraw",)

    @admin.action(description="Withdraw", permissions=["withdraw"])
    @confirmed("These offers of membership end; those that were accepted stay as they are.", done="Withdrawn")
    def withdraw(self, request: HttpRequest, queryset: QuerySet[Invitation]) -> list[Invitation]:
        """Withdraw those of the chosen that are open."""
        withdrawn = []
        for invitation in queryset:
            try:
                services.withdraw_invitation(
                    organization_id=invitation.organization_id, invitation_id=invitation.pk
                )
            except Problem:
                continue
            withdrawn.append(invitation)
        return withdrawn

    def has_withdraw_permission(self, request: HttpRequest) -> bool:
        """Only those who may change invitations."""
        return request.user.has_perm("organizations.change_invitation")


register_events(Organization, Membership, Invitation, Credential, Plan)

# Django capitalizes the first letter only.
for _model in (Plan, Plan.pgh_event_model):  # type: ignore[attr-defined]
    _model._meta.get_field("api_access").verbose_name = "API access"
