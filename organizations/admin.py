"""The operator's view of organizations, people, plans, credentials and the audit trail."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin as BaseUserAdmin
from django.contrib.auth.forms import AdminUserCreationForm
from django.core.exceptions import ValidationError
from django.db.models import Model, QuerySet
from django.forms import BaseInlineFormSet
from django.http import HttpRequest

from core.problems import Problem
from organizations import services
from organizations.bounded import BoundedPaginator
from organizations.confirming import confirmed
from organizations.models import Credential, Invitation, Membership, Organization, Plan, User
from organizations.roles import Role

admin.site.site_header = "Headroom"
admin.site.site_title = "Headroom"
admin.site.index_title = "Operation"


class ReadOnlyAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Shows rows, and lets nobody change them; quick however many there are."""

    paginator = BoundedPaginator
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Rows come from the product's own work."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Rows are shown as they are."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Rows stay."""
        return False


class ReadOnlyInline(admin.TabularInline):  # type: ignore[type-arg]
    """Shows what belongs to a row, and lets nobody change it."""

    can_delete = False
    extra = 0

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Rows come from the product's own work."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Rows are shown as they are."""
        return False


class UserCreationForm(AdminUserCreationForm):  # type: ignore[type-arg]
    """Asks for the e-mail address, which is the login."""

    class Meta:
        model = User
        fields = ("email",)


@admin.register(User)
class UserAdmin(BaseUserAdmin):  # type: ignore[type-arg]
    """People; one who leaves is made inactive, since the audit trail names them."""

    add_form = UserCreationForm
    ordering = ("email",)
    list_display = ("email", "name", "is_active", "is_staff", "last_login")
    list_filter = ("is_active", "is_staff", "is_superuser")
    search_fields = ("email", "name")
    readonly_fields = ("date_joined", "last_login")
    fieldsets = (
        (None, {"fields": ("email", "password", "name")}),
        ("Permissions", {"fields": ("is_active", "is_staff", "is_superuser", "groups", "user_permissions")}),
        ("Dates", {"fields": ("last_login", "date_joined")}),
    )
    add_fieldsets = (
        (None, {"classes": ("wide",), "fields": ("email", "usable_password", "password1", "password2")}),
    )

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """A person is made inactive instead."""
        return False


@admin.register(Plan)
class PlanAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """What organizations can be entitled to."""

    list_display = (
        "name",
        "slug",
        "history_days",
        "exports",
        "requests_per_minute",
        "spend_limit",
        "invoices",
        "overage",
        "api_access",
    )
    prepopulated_fields = {"slug": ("name",)}


class MembershipFormSet(BaseInlineFormSet):  # type: ignore[type-arg]
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


class MembershipInline(admin.TabularInline):  # type: ignore[type-arg]
    """The organization's people."""

    model = Membership
    formset = MembershipFormSet
    autocomplete_fields = ("user",)
    extra = 0
    min_num = 1


@admin.register(Organization)
class OrganizationAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Tenants and their terms."""

    list_display = ("name", "slug", "plan", "timezone", "currency", "requests_per_minute", "created_at")
    list_filter = ("plan", "currency")
    list_select_related = ("plan",)
    search_fields = ("name", "slug")
    readonly_fields = ("rollup_timezone", "created_at")
    inlines = (MembershipInline,)

    def get_readonly_fields(self, request: HttpRequest, obj: Organization | None = None) -> tuple[str, ...]:
        """Keep the slug once clients may hold it."""
        return (*self.readonly_fields, *(("slug",) if obj else ()))

    def get_prepopulated_fields(
        self, request: HttpRequest, obj: Organization | None = None
    ) -> dict[str, Any]:
        """Suggest a slug for a new organization."""
        return {} if obj else {"slug": ("name",)}

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
        "client_id",
        "name",
        "organization",
        "environment",
        "key_hint",
        "last_used_at",
        "revoked_at",
    )
    list_filter = ("environment", ("revoked_at", admin.EmptyFieldListFilter))
    list_select_related = ("organization",)
    search_fields = ("client_id__exact", "name__istartswith", "organization__slug__exact")
    exclude = ("key_hash",)
    actions = ("revoke",)

    @admin.action(description="Revoke, for good", permissions=["revoke"])
    @confirmed("Nothing is accepted with these keys any more, for good. What they recorded stays.")
    def revoke(self, request: HttpRequest, queryset: QuerySet[Credential]) -> None:
        """Revoke the chosen credentials."""
        for credential in queryset:
            services.revoke_credential(
                organization_id=credential.organization_id, client_id=credential.client_id
            )
        self.message_user(request, f"Revoked: {len(queryset)}.", messages.SUCCESS)

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        """Only those who may change credentials."""
        return request.user.has_perm("organizations.change_credential")


@admin.register(Invitation)
class InvitationAdmin(ReadOnlyAdmin):
    """Offers of membership; the operator can withdraw them."""

    list_display = (
        "email",
        "organization",
        "role",
        "created_at",
        "expires_at",
        "accepted_at",
        "withdrawn_at",
    )
    list_filter = ("role",)
    list_select_related = ("organization",)
    search_fields = ("email__iexact", "organization__slug__exact")
    exclude = ("token_hash",)
    actions = ("withdraw",)

    @admin.action(description="Withdraw", permissions=["withdraw"])
    @confirmed("These offers of membership end; those that were accepted stay as they are.")
    def withdraw(self, request: HttpRequest, queryset: QuerySet[Invitation]) -> None:
        """Withdraw those of the chosen that are open."""
        withdrawn = 0
        for invitation in queryset:
            try:
                services.withdraw_invitation(
                    organization_id=invitation.organization_id, invitation_id=invitation.pk
                )
            except Problem:
                continue
            withdrawn += 1
        self.message_user(request, f"Withdrawn: {withdrawn}.", messages.SUCCESS)

    def has_withdraw_permission(self, request: HttpRequest) -> bool:
        """Only those who may change invitations."""
        return request.user.has_perm("organizations.change_invitation")


class EventAdmin(ReadOnlyAdmin):
    """The audit trail of one kind of row."""

    list_display = ("pgh_id", "pgh_created_at", "pgh_label", "__str__", "actor")
    list_filter = ("pgh_label",)
    ordering = ("-pgh_id",)

    @admin.display(description="by")
    def actor(self, event: Any) -> str:
        """Say who made the change."""
        context = event.pgh_context or {}
        named = context.get("clientId") or context.get("job") or context.get("userId")
        return " ".join(str(part) for part in (context.get("kind", "system"), named) if part)


for _tracked in (Organization, Membership, Invitation, Credential, Plan):
    admin.site.register(_tracked.pgh_event_model, EventAdmin)  # type: ignore[union-attr]
