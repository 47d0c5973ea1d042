"""What libraries keep of accounts, in the operator's admin: nothing that is secret, and little to change."""

from __future__ import annotations

from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialToken
from allauth.usersessions.models import UserSession
from django.contrib.admin import AdminSite
from django.contrib.admin.options import ModelAdmin
from django.db.models import Model, prefetch_related_objects
from django.http import HttpRequest
from django.utils.html import format_html

from organizations.admin import ReadOnlyAdmin
from organizations.admin.showing import link, linked

_PERSON = linked("user", "person")
_BY_PERSON = "The beginning of a person's e-mail address."


class AuthenticatorAdmin(ReadOnlyAdmin):
    """Second factors, without their secrets; one that was lost is deleted, so that another can be set up."""

    obeys = ("view", "delete")
    list_display = ("__str__", _PERSON, "created_at", "last_used_at")
    list_filter = ("type",)
    list_select_related = ("user",)
    search_fields = ("user__email__istartswith",)
    search_help_text = _BY_PERSON
    ordering = ("-id",)
    fieldsets = ((None, {"fields": ("user", "type", "created_at", "last_used_at")}),)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Whoever may, removes what was lost."""
        return ModelAdmin.has_delete_permission(self, request, obj)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Say whose they are: their own names are everybody's."""
        _, counts, lacking, protected = super().get_deleted_objects(objs, request)
        found = list(objs)
        prefetch_related_objects(found, "user")
        named = [format_html("{} of {}", link(one), link(one.user)) for one in found]
        return named, counts, lacking, protected


class SessionAdmin(ReadOnlyAdmin):
    """Sessions, without the keys that they are entered by."""

    list_display = ("created_at", _PERSON, "last_seen_at", "ip", "user_agent")
    list_select_related = ("user",)
    search_fields = ("user__email__istartswith",)
    search_help_text = _BY_PERSON
    ordering = ("-id",)
    fieldsets = ((None, {"fields": ("user", "ip", "user_agent", "created_at", "last_seen_at")}),)


class ConnectionAdmin(ReadOnlyAdmin):
    """Which accounts of the single sign-on lead into which of ours."""

    list_display = ("uid", _PERSON, "provider", "date_joined", "last_login")
    list_select_related = ("user",)
    search_fields = ("user__email__istartswith", "uid__exact")
    search_help_text = "The beginning of a person's e-mail address, or a whole id at the provider."
    ordering = ("-id",)
    fieldsets = ((None, {"fields": ("user", "provider", "uid", "date_joined", "last_login")}),)


_OURS: dict[Any, Any] = {
    Authenticator: AuthenticatorAdmin,
    UserSession: SessionAdmin,
    SocialAccount: ConnectionAdmin,
}
# Addresses are those of the accounts, and the provider is named in the environment: neither is changed here.
_NOBODYS: tuple[Any, ...] = (EmailAddress, SocialApp, SocialToken)

_NAMES: dict[Any, tuple[str, str]] = {
    Authenticator: ("second factor", "second factors"),
    UserSession: ("session", "sessions"),
    SocialAccount: ("single sign-on", "single sign-ons"),
}


def take_over(site: AdminSite) -> None:
    """Show what is the libraries' in our way, and leave out what nobody changes here."""
    for model in (*_OURS, *_NOBODYS):
        if site.is_registered(model):
            site.unregister(model)
    for model, shown in _OURS.items():
        model._meta.verbose_name, model._meta.verbose_name_plural = _NAMES[model]
        site.register(model, shown)
    UserSession._meta.get_field("ip").verbose_name = "IP address"
    SocialAccount._meta.get_field("uid").verbose_name = "ID at the provider"
