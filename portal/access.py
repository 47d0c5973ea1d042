"""Who may see a page: a signed-in member, in one organization, with the page's scope."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Final
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render, resolve_url
from django.utils.cache import patch_vary_headers
from django.utils.module_loading import import_string
from django.views.decorators.cache import never_cache
from django_htmx.http import HttpResponseClientRedirect, reswap, retarget
from django_htmx.middleware import HtmxDetails

from core.problems import Problem, forbidden
from organizations.door import SESSION_CHOICE, caller_from_session, choose_organization, memberships_of
from organizations.factors import CODE as FACTOR_REQUIRED
from organizations.models import Organization, User
from organizations.tenancy import Caller, tenant_scope
from portal.links import ORGANIZATION

HEADINGS: Final = {
    400: "Invalid request",
    403: "Access denied",
    404: "Page not found",
    503: "Not available right now",
}
OWN_HEADINGS: Final = {
    "not_a_member": "You're not a member",
    FACTOR_REQUIRED: "Two-factor authentication required",
}
"""What some codes are called instead."""

Page = Callable[..., HttpResponseBase]
"""Answers a request of a user as a caller, with what its address names."""
View = Callable[..., HttpResponseBase]


def member_page(*, scope: str, managers: bool = False) -> Callable[[Page], View]:
    """Make a view of what answers a member with the scope, or, with ``managers``, one who manages.

    Anybody else is asked to sign in, and a refusal becomes a page that says why.
    Tenancy: the page is read and written within the organization's scope; what is read is of one moment.
    """

    def decorate(page: Page) -> View:
        @wraps(page)
        def view(request: HttpRequest, **places: Any) -> HttpResponseBase:
            if not isinstance(request.user, User):
                return ask_to_sign_in(request)
            caller = None
            try:
                caller = caller_of(request)
                caller.require(scope)
                _check_manager(caller, managers=managers)
                response = _answer(page, request, request.user, caller, places)
            except Problem as problem:
                response = problem_page(request, problem, caller)
            # One address has two forms, the page and the part of it that htmx asks for.
            patch_vary_headers(response, ["HX-Request"])
            return response

        return never_cache(view)

    return decorate


def wants_fragment(request: HttpRequest) -> bool:
    """Tell whether htmx asks for the changing part only; a page it restores is wanted in full."""
    details: HtmxDetails | None = getattr(request, "htmx", None)
    return details is not None and bool(details) and not details.history_restore_request


def ask_to_sign_in(request: HttpRequest) -> HttpResponse:
    """Lead to the sign-in and back; the browser itself goes, not a part of its page."""
    response = redirect_to_login(_came_for(request), resolve_url(settings.LOGIN_URL))
    return HttpResponseClientRedirect(response.url) if wants_fragment(request) else response


def problem_page(request: HttpRequest, problem: Problem, caller: Caller | None = None) -> HttpResponse:
    """Say what can't be done, and why; to a member within the frame, from where one can go on."""
    if wants_fragment(request):
        return _said_in_place(request, problem)
    heading = OWN_HEADINGS.get(problem.code) or HEADINGS.get(problem.status, problem.title)
    user = request.user
    context: dict[str, Any] = {"problem": problem, "heading": heading, "user": user}
    if isinstance(user, User) and caller is not None and problem.status < 500:
        context |= framed(request, user, caller)
    else:
        context |= {**bare(), "others": _others(user, problem)}
    return render(request, "portal/problem.html", context, status=problem.status)


def framed(request: HttpRequest, user: User, caller: Caller) -> dict[str, Any]:
    """Return what a page of errors needs to be shown within the frame.

    Tenancy: enters the caller's organization, of which the frame tells.
    """
    # The frame knows every page, and pages are made with what is here.
    frame = import_string("portal.layout.layout")
    here = "" if request.resolver_match is None else request.resolver_match.url_name
    with tenant_scope(caller.organization_id):
        return {"around": "errors/framed.html", "layout": frame(request, user, caller, here)}


def bare() -> dict[str, Any]:
    """Return what a page of errors needs to stand alone."""
    return {"around": "errors/bare.html"}


def caller_of(request: HttpRequest) -> Caller:
    """Return the member who asks, in the organization of the address, else in the one last chosen.

    Raises: `Problem` 403 as the door does, and for an organization that isn't theirs.
    """
    slug = request.GET.get(ORGANIZATION)
    if slug is not None and slug != request.session.get(SESSION_CHOICE):
        choose_organization(request, slug)
    caller = caller_from_session(request)
    if slug is not None and caller.organization != slug:
        # The session remembers an organization that has been left since.
        raise forbidden(f"You do not belong to an organization {slug[:63]!r}.", code="not_a_member")
    return caller


def _others(user: object, problem: Problem) -> list[Organization]:
    """Return where else one can go on: what one organization refuses, another may not."""
    if problem.code not in OWN_HEADINGS or not isinstance(user, User):
        return []
    found = [one.organization for one in memberships_of(user)]
    return [one for one in found if problem.code != FACTOR_REQUIRED or not one.require_second_factor]


def _said_in_place(request: HttpRequest, problem: Problem) -> HttpResponse:
    """Say it above the page, which stays as it is."""
    response = render(request, "portal/parts/notice.html", {"problem": problem})
    return reswap(retarget(response, "#notice"), "outerHTML")


def _answer(
    page: Page, request: HttpRequest, user: User, caller: Caller, places: dict[str, Any]
) -> HttpResponseBase:
    reading = request.method in {"GET", "HEAD"}
    with tenant_scope(caller.organization_id, actor=caller.actor, snapshot=reading):
        return page(request, user, caller, **places)


def _check_manager(caller: Caller, *, managers: bool) -> None:
    if managers and not caller.is_manager:
        raise forbidden("Only owners and admins of the organization may do this.", code="role_required")


def _came_for(request: HttpRequest) -> str:
    """Return where to go after signing in: never to what only changes something."""
    if request.method in {"GET", "HEAD"}:
        return request.get_full_path()
    current = urlsplit(request.headers.get("Referer", ""))
    return f"{current.path}?{current.query}" if current.query else current.path or "/"
