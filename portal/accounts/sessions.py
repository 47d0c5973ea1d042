"""Where one is signed in, and ending that."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from allauth.usersessions.models import UserSession
from allauth.usersessions.views import ListUserSessionsView
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from organizations.models import User
from portal.access import ask_to_sign_in
from portal.accounts.devices import device
from portal.accounts.pages import sign_out


@dataclass(frozen=True, slots=True)
class Row:
    """One session."""

    id: int
    device: str
    ip: str
    since: datetime
    is_current: bool


class Sessions(ListUserSessionsView):  # type: ignore[misc] # it has no types
    """The sessions, this one first and then the latest; a POST ends all others."""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Return what the page shows."""
        context: dict[str, Any] = super().get_context_data(**kwargs)
        rows = [_row(one) for one in context["sessions"]]
        context["rows"] = sorted(rows, key=lambda row: (row.is_current, row.since), reverse=True)
        return context


@never_cache
@require_POST
def end_session(request: HttpRequest, session_id: int) -> HttpResponse:
    """End one of one's own sessions; to end this one is to sign out."""
    if not isinstance(request.user, User):
        return ask_to_sign_in(request)
    found = UserSession.objects.filter(user=request.user, pk=session_id).first()
    if found is not None and found.is_current():
        return sign_out(request)
    if found is not None:
        found.end()
    # One that has ended meanwhile is what was asked for.
    messages.success(request, "The session was signed out.")
    return redirect("usersessions_list")


def _row(session: Any) -> Row:
    return Row(
        id=session.pk,
        device=device(session.user_agent),
        ip=session.ip,
        since=session.created_at,
        is_current=session.is_current(),
    )
