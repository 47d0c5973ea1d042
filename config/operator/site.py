"""The operator's admin: where operators sign in, what its first page tells, and in which order it lists rooms."""

from __future__ import annotations

from typing import Any, Final

from allauth.account.decorators import secure_admin_login
from django.contrib.admin import AdminSite
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache

from config.operator import whole
from core import clock

PERMISSION: Final = "organizations.view_organization"
ORDER: Final = ("organizations", "usage", "billing", "alerts")
TRAIL: Final = "Audit trail"
ACCOUNTS: Final = "Accounts and access"


class OperatorSite(AdminSite):
    """Django's admin for whoever runs the whole system."""

    site_header = "Headroom"
    site_title = "Headroom"
    index_title = "Operation"
    index_template = "admin/operation.html"
    empty_value_display = "–"

    @method_decorator(never_cache)
    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Have operators sign in where everybody does, with their second factor."""
        sign_in = secure_admin_login(super().login)
        answer: HttpResponse = sign_in(request, extra_context=extra_context)
        return answer

    def password_change(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Have operators change their password where everybody does."""
        return redirect("account_change_password")

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Show the state of the whole to those who may see organizations, and the lists."""
        may = request.user.has_perm(PERMISSION)
        found = whole.read(clock.now()) if may else None
        return super().index(request, {**(extra_context or {}), "whole": found})

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        """Return the rooms in the order of the house, what libraries keep of accounts, and the audit trail."""
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
