"""The operator's view of people, and of groups of those who run the system with fewer rights."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as BaseGroupAdmin
from django.contrib.auth.admin import UserAdmin as BaseUserAdmin
from django.contrib.auth.forms import AdminUserCreationForm
from django.contrib.auth.models import Group
from django.db.models import Model, QuerySet
from django.http import HttpRequest

from organizations.admin.bases import OperatorAdmin, ReadOnlyInline
from organizations.admin.showing import link, linked
from organizations.admin.widgets import PermissionBoxes, PermissionsField, permissions_of
from organizations.models import Membership, User


class Permissions(OperatorAdmin):
    """Forms in which permissions and groups are ticked."""

    filter_horizontal = ()

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Ask for permissions of what the admin shows, and for groups, with a box each."""
        if db_field.name in ("permissions", "user_permissions"):
            return PermissionsField(
                permissions_of(self.admin_site._registry),  # noqa: SLF001 # as Django itself reads it
                required=False,
                widget=PermissionBoxes,
                label=db_field.verbose_name.capitalize(),
            )
        kwargs["widget"] = forms.CheckboxSelectMultiple
        field: Any = super().formfield_for_manytomany(db_field, request, **kwargs)
        there = field.queryset.exists()
        field.help_text = "Their permissions are the person's too." if there else "There are no groups yet."
        return field


class UserCreationForm(AdminUserCreationForm):  # type: ignore[type-arg]
    """Asks for the e-mail address, which is the login."""

    class Meta:
        model = User
        fields = ("email",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        attrs = self.fields["email"].widget.attrs
        # The page puts the cursor there itself.
        attrs.pop("autofocus", None)
        attrs["autocomplete"] = "off"


class PlaceInline(ReadOnlyInline):
    """The organizations that somebody belongs to, whose own pages change that."""

    model = Membership
    fields = (linked("organization"), "role", "created_at")
    readonly_fields = fields
    verbose_name_plural = "organizations"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Membership]:
        """Return the memberships with their organizations."""
        found: QuerySet[Membership] = super().get_queryset(request).select_related("organization")
        return found


@admin.register(User)
class UserAdmin(Permissions, BaseUserAdmin):  # type: ignore[type-arg]
    """People; one who leaves is made inactive, since the audit trail names them."""

    add_form = UserCreationForm
    ordering = ("email",)
    list_display = ("email", "name", "is_active", "is_staff", "is_superuser", "last_login")
    list_filter = ("is_active", "is_staff", "is_superuser")
    search_fields = ("email", "name")
    search_help_text = "A part of the e-mail address or the name."
    readonly_fields = ("date_joined", "last_login")
    inlines = (PlaceInline,)
    fieldsets = (
        (None, {"fields": ("email", "name", "password", "is_active")}),
        (
            "Operator's admin",
            {"fields": ("is_staff", "is_superuser", "groups")},
        ),
        ("Permissions of their own", {"classes": ("collapse",), "fields": ("user_permissions",)}),
        ("Dates", {"fields": ("last_login", "date_joined")}),
    )
    add_fieldsets = (
        (None, {"classes": ("wide",), "fields": ("email", "usable_password", "password1", "password2")}),
    )

    def get_inlines(self, request: HttpRequest, obj: Any | None) -> Any:
        """Show where somebody belongs once they are there."""
        return self.inlines if obj else ()

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """A person is made inactive instead."""
        return False


admin.site.unregister(Group)


@admin.register(Group)
class GroupAdmin(Permissions, BaseGroupAdmin):  # type: ignore[misc] # its signature is narrower
    """Groups of operators who may do a part of what a superuser may."""

    list_display = ("name",)
    search_help_text = "A part of the name."

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Name the groups, and count whom they had: what holds people and permissions in them has no name."""
        _, _, lacking, protected = super().get_deleted_objects(objs, request)
        groups = list(objs)
        people = User.objects.filter(groups__in=groups).distinct().count()
        counts = {self.opts.verbose_name_plural: len(groups), "people in them": people}
        return [link(group) for group in groups], counts, lacking, protected
