"""The operator's requests see the whole system."""

from collections.abc import Callable
from typing import Final

from django.contrib.auth.models import AnonymousUser
from django.db import transaction
from django.http import HttpRequest, HttpResponse

from organizations.tenancy import Actor, system_scope

ADMIN_PATH: Final = "/admin/"


class OperatorScope:
    """Run a signed-in operator's request to the admin in one transaction over the whole system.

    Tenancy: every other request passes untouched, and opens its own scope.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer the request, and keep nothing of one that failed."""
        actor = _operator(request)
        if actor is None:
            return self.get_response(request)
        with system_scope(actor=actor):
            response = self.get_response(request)
            if response.status_code >= 500:
                # The handler has turned the exception into an answer before it could roll back.
                transaction.set_rollback(True)
        return response


def _operator(request: HttpRequest) -> Actor | None:
    if not request.path.startswith(ADMIN_PATH):
        return None
    user = request.user
    if isinstance(user, AnonymousUser) or not (user.is_active and user.is_staff):
        return None
    return Actor(kind="user", user_id=user.pk)
