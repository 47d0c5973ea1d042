"""Actions of the operator's admin that ask first, and leave a note of each object that they were done to."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Final

from django.contrib import messages
from django.contrib.admin import helpers
from django.contrib.admin.models import CHANGE, LogEntry
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

MOST: Final = 1000
"""Objects that one action may be done to."""
SHOWN: Final = 20
_AGREED: Final = ("confirmed", "yes")

Action = Callable[[Any, HttpRequest, QuerySet[Any]], list[Any]]
"""What is done to some of what was chosen: it returns those that it was done to."""


def confirmed(warning: str, *, done: str) -> Callable[[Action], Callable[..., HttpResponse | None]]:
    """Have an action say what it does and to what, and do it once that is confirmed.

    ``done`` is what it then says of how many. What it changes is in the audit trail as always; that it was
    done to them is in the admin's own log.
    """

    def decorate(action: Action) -> Callable[..., HttpResponse | None]:
        @wraps(action)
        def ask(self: Any, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
            count = queryset.order_by()[: MOST + 1].count()
            if count > MOST:
                self.message_user(request, f"Choose at most {MOST} at a time.", messages.ERROR)
                return None
            name, agreed = _AGREED
            if request.POST.get(name) != agreed:
                return _question(self, request, queryset, count, warning)
            changed = action(self, request, queryset)
            # That it was done to none is no success.
            level = messages.SUCCESS if changed else messages.WARNING
            self.message_user(request, f"{done}: {len(changed)}.", level)
            _note(request, changed, request.POST["action"])
            return None

        return ask

    return decorate


def _question(
    model_admin: Any, request: HttpRequest, queryset: QuerySet[Any], count: int, warning: str
) -> HttpResponse:
    name = request.POST["action"]
    _, _, description = model_admin.get_actions(request)[name]
    context = {
        **model_admin.admin_site.each_context(request),
        "title": description,
        "warning": warning,
        "count": count,
        "shown": [_named(one) for one in queryset[:SHOWN]],
        "more": max(count - SHOWN, 0),
        "selected": request.POST.getlist(helpers.ACTION_CHECKBOX_NAME),
        "across": request.POST.get("select_across", "0"),
        "checkbox": helpers.ACTION_CHECKBOX_NAME,
        "action": name,
        "agreed": _AGREED,
        "opts": model_admin.opts,
        "media": model_admin.media,
    }
    return TemplateResponse(request, "admin/confirm_action.html", context)


def _named(one: Any) -> str:
    """Say whose a row is, where its name alone may be several organizations'."""
    whose = getattr(one, "organization", None)
    return f"{one}, {whose}" if whose else str(one)


def _note(request: HttpRequest, changed: list[Any], action: str) -> None:
    if changed and request.user.pk is not None:
        objects: Any = changed
        LogEntry.objects.log_actions(request.user.pk, objects, CHANGE, f"Action: {action}.")
