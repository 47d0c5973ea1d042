"""The admin's first page, with the state of the whole on it."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Final

from django.http import HttpRequest, HttpResponse

from config.operator import whole
from core import clock

PERMISSION: Final = "organizations.view_organization"
TEMPLATE: Final = "admin/operation.html"

Index = Callable[..., HttpResponse]


def with_dashboard(index: Index) -> Index:
    """Have the first page show the state of the whole to those who may see organizations."""

    @wraps(index)
    def page(request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        may = request.user.has_perm(PERMISSION)
        found = whole.read(clock.now()) if may else None
        return index(request, {**(extra_context or {}), "whole": found})

    return page
