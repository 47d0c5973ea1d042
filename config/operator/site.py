"""The operator's admin: where operators sign in, what its first page tells, and how it lists the rooms."""

from __future__ import annotations

from typing import Any, Final

from django.conf import settings
from django.contrib.admin import AdminSite
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, resolve_url
from django.template.response import TemplateResponse
from django.utils.decorators import method_decorator
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from config.operator import whole
from core import clock
from organizations.models import User

PERMISSION: Final = "organizations.view_organization"
ORDER: Final = ("organizations", "usage", "billing", "alerts")
TRAIL: Final = "Audit trail"
ACCOUNTS: Final = "Accounts and access"
METHODS: Final = ["GET", "HEAD", "POST"]
NEXT: Final = "next"

View = Any


class OperatorSite(AdminSite):
    """Django's admin for whoever runs the whole system."""

    site_header = "Headroom"
    site_title = "Headroom"
    index_title = "Operation"
    index_template = "admin/operation.html"
    empty_value_display = "–"

    @method_decorator(never_cache)
    @method_decorator(require_http_methods(METHODS))
    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Lead to where everybody signs in, with their second factor; no password is taken here.

        Raises: PermissionDenied for somebody who is signed in and no operator.
        """
        if not isinstance(request.user, User):
            return redirect_to_login(request.get_full_path(), resolve_url(settings.LOGIN_URL))
        if not self.has_permission(request):
            raise PermissionDenied
        wanted = request.GET.get(NEXT, "")
        is_ours = url_has_allowed_host_and_scheme(
            wanted, {request.get_host()}, require_https=request.is_secure()
        )
        return redirect(wanted if is_ours else "admin:index")

    def admin_view(self, view: View, cacheable: bool = False) -> View:
        """Have every page refuse methods that none of them uses; Django takes them for a GET."""
        return require_http_methods(METHODS)(super().admin_view(view, cacheable))

    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """Have operators change their password where everybody does."""
        return redirect("account_change_password")

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        """Show the state of the whole to those who may see organizations, and the lists."""
        may = request.user.has_perm(PERMISSION)
        found = whole.read(clock.now(), request.user.has_perm) if may else None
        return super().index(request, {**(extra_context or {}), "whole": found})

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        """Return the rooms in their order, then what libraries keep of accounts, and the audit trail."""
        found: list[Any] = super().get_app_list(request, app_label)
        if app_label is not None:
            return found
        rooms = {room["app_label"]: room for room in found}
        trail = [model for room in found for model in room["models"] if _is_trail(model)]
        listed = [
            {**rooms[name], "models": [model for model in rooms[name]["models"] if not _is_trail(model)]}
            for name in ORDER
            if name in rooms
        ]
        others = [model for room in found if room["app_label"] not in ORDER for model in room["models"]]
        return [
            *(room for room in listed if room["models"]),
            *_group("accounts", ACCOUNTS, others),
            *_group("trail", TRAIL, trail),
        ]


def _is_trail(model: dict[str, Any]) -> bool:
    return hasattr(model["model"], "pgh_tracked_model")


def _group(label: str, name: str, models: list[Any]) -> list[dict[str, Any]]:
    if not models:
        return []
    return [{"name": name, "app_label": label, "app_url": "", "has_module_perms": True, "models": models}]
