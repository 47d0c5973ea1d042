"""One's own account, and signing out."""

from __future__ import annotations

from typing import Final

from django.contrib import messages
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from organizations.factors import has_second_factor
from organizations.models import User
from portal.access import ask_to_sign_in
from portal.forms import AccountForm

_METHODS: Final = ("GET", "HEAD", "POST")


@never_cache
@require_http_methods(list(_METHODS))
def account(request: HttpRequest) -> HttpResponse:
    """Show one's account, and change what one is called."""
    if not isinstance(request.user, User):
        return ask_to_sign_in(request)
    form = AccountForm(request.POST or None, initial={"name": request.user.name})
    if request.method == "POST" and form.is_valid():
        request.user.name = form.cleaned_data["name"]
        request.user.save(update_fields=["name"])
        messages.success(request, "Saved.")
        return redirect("account")
    context = {"form": form, "has_factor": has_second_factor(request.user.pk)}
    return render(request, "account/account.html", context, status=422 if form.errors else 200)


@never_cache
@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """End the session, and say that it is over."""
    logout(request)
    messages.success(request, "You are signed out.")
    return redirect("account_login")
