"""Accepting an invitation: by signing in, or with a new account."""

from __future__ import annotations

from http import HTTPStatus

from allauth.account.utils import perform_login
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render, resolve_url
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from core.problems import Problem
from organizations.models import User
from organizations.roles import Role
from organizations.services import Offer, accept_invitation, join, offer_of
from portal.access import problem_page
from portal.forms import JoinForm
from portal.links import address


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def invitation(request: HttpRequest, token: str) -> HttpResponse:
    """Say what one is invited to, and accept it."""
    try:
        offer = offer_of(token)
        if isinstance(request.user, User):
            return _as_member(request, request.user, token, offer)
        if offer.has_account:
            return redirect_to_login(request.get_full_path(), resolve_url(settings.LOGIN_URL))
        return _as_new(request, token, offer)
    except Problem as problem:
        if problem.status == HTTPStatus.NOT_FOUND:
            return render(request, "portal/link_gone.html", {"problem": problem}, status=problem.status)
        return problem_page(request, problem)


def _as_member(request: HttpRequest, user: User, token: str, offer: Offer) -> HttpResponse:
    is_theirs = user.email == offer.email
    if request.method == "POST" and is_theirs:
        accept_invitation(token=token, user=user)
        return _welcome(request, offer)
    return _page(request, offer, {"is_theirs": is_theirs, "signed_in_as": user.email})


def _as_new(request: HttpRequest, token: str, offer: Offer) -> HttpResponse:
    form = JoinForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        user = join(token=token, **form.cleaned_data)
        perform_login(request, user)
        return _welcome(request, offer)
    return _page(request, offer, {"form": form}, status=422 if form.errors else 200)


def _welcome(request: HttpRequest, offer: Offer) -> HttpResponse:
    messages.success(request, f"Welcome to {offer.organization_name}.")
    return redirect(address("overview", organization=offer.organization))


def _page(
    request: HttpRequest, offer: Offer, context: dict[str, object], *, status: int = 200
) -> HttpResponse:
    full = {"offer": offer, "role": Role(offer.role).label, **context}
    return render(request, "portal/invitation.html", full, status=status)
