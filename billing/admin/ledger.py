"""The operator's view of grants, and of the ledger, which nobody edits."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest

from billing.ledger import services
from billing.models import Grant, LedgerAccount, LedgerPosting, LedgerTransaction
from core.written import exact
from organizations.admin import (
    OperatorAdmin,
    OrganizationFilter,
    ReadOnlyAdmin,
    ReadOnlyInline,
    register_events,
)
from organizations.admin.faults import check_each
from organizations.admin.filters import BY_NUMBER
from organizations.admin.showing import linked, number
from organizations.bounded import BoundedPaginator
from organizations.confirming import confirmed
from organizations.models import User


class GrantForm(forms.ModelForm):  # type: ignore[type-arg]
    """What is to be granted."""

    class Meta:
        model = Grant
        fields = ("organization", "allowance", "amount", "priority", "effective_at", "expires_at", "reason")

    def clean(self) -> dict[str, Any]:
        """Refuse what the service would.

        Raises: Django's ValidationError.
        """
        given = super().clean() or {}
        check_each(
            self,
            (services.check_amount, ("amount",)),
            (services.check_end, ("effective_at", "expires_at")),
        )
        return given


@admin.register(Grant)
class GrantAdmin(OperatorAdmin):
    """Grants: made and revoked here, and otherwise as they are."""

    form = GrantForm
    paginator = BoundedPaginator
    list_display = (
        "reason", linked("organization"), "allowance", number("amount", "amount"), "number_left",
        number("priority", "priority"), "effective_at", "expires_at", "revoked_at",
    )  # fmt: skip
    list_filter = (OrganizationFilter, "allowance", ("revoked_at", admin.EmptyFieldListFilter))
    list_select_related = ("organization", "account")
    search_fields = ("organization__slug__exact", "reason__istartswith")
    search_help_text = "An organization's slug, or the beginning of a reason."
    autocomplete_fields = ("organization",)
    sortable_by = ()
    ordering = ("-id",)
    fieldsets = (
        (None, {"fields": ("organization", "allowance", "amount", "reason")}),
        ("Use", {"fields": ("priority", "effective_at", "expires_at")}),
    )
    actions = ("revoke",)

    def get_fieldsets(self, request: HttpRequest, obj: Grant | None = None) -> Any:
        """Show what became of a grant that is there."""
        if obj is None:
            return self.fieldsets
        amounts = (number("amount", "amount"), "number_left")
        return [
            (None, {"fields": ("organization", "allowance", *amounts, "reason")}),
            ("Use", {"fields": ("priority", "effective_at", "expires_at", "revoked_at")}),
            ("Made", {"fields": ("granted_by", "created_at")}),
        ]

    @admin.display(description="left")
    def number_left(self, held: Grant) -> str:
        """Say what has been neither used nor posted as expired."""
        return exact(held.account.balance)

    def save_model(self, request: HttpRequest, obj: Grant, form: Any, change: bool) -> None:
        """Grant it, by its postings."""
        given = form.cleaned_data
        made = services.grant(
            organization_id=given["organization"].pk,
            allowance=given["allowance"],
            amount=given["amount"],
            reason=given["reason"],
            priority=given["priority"],
            effective_at=given["effective_at"],
            expires_at=given["expires_at"],
            granted_by_id=request.user.pk if isinstance(request.user, User) else None,
        )
        obj.pk = made.pk

    @admin.action(description="Revoke what is left", permissions=["revoke"])
    @confirmed("What is left of these grants can't be used any more.", done="Revoked")
    def revoke(self, request: HttpRequest, queryset: QuerySet[Grant]) -> list[Grant]:
        """Revoke those of the chosen that have not been."""
        open_ = list(queryset.filter(revoked_at=None))
        for held in open_:
            services.revoke_grant(organization_id=held.organization_id, grant_id=held.pk)
        return open_

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        """Only those who may change grants."""
        return request.user.has_perm("billing.change_grant")

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """A grant stays what it was granted for."""
        return obj is None and super().has_change_permission(request)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Its postings refer to it for good."""
        return False


class PostingInline(ReadOnlyInline):
    """What a transaction does."""

    model = LedgerPosting
    fields = (linked("account"), number("amount", "amount"))
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[LedgerPosting]:
        """Return the postings with their accounts."""
        found: QuerySet[LedgerPosting] = super().get_queryset(request).select_related("account")
        return found


@admin.register(LedgerTransaction)
class LedgerTransactionAdmin(ReadOnlyAdmin):
    """Movements of the ledger, newest first."""

    list_display = ("posted_at", linked("organization"), "allowance", "kind")
    list_filter = (OrganizationFilter, "allowance", "kind")
    list_select_related = ("organization",)
    latest = BY_NUMBER
    ordering = ("-id",)
    fieldsets = (
        (None, {"fields": ("organization", "allowance", "kind", "posted_at")}),
        ("Records of a use", {"fields": ("used_from", "used_to", "stored_at")}),
    )
    inlines = (PostingInline,)


@admin.register(LedgerAccount)
class LedgerAccountAdmin(ReadOnlyAdmin):
    """Balances; what is available is kept for each grant by itself."""

    list_display = ("__str__", linked("organization"), linked("grant"), number("balance", "balance"))
    list_filter = (OrganizationFilter, "allowance", "kind")
    list_select_related = ("organization", "grant")
    search_fields = ("organization__slug__exact",)
    search_help_text = "An organization's slug."
    ordering = ("-id",)
    fieldsets = (
        (None, {"fields": ("organization", "allowance", "kind", "grant", number("balance", "balance"))}),
    )


register_events(Grant)
