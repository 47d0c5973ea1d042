"""The pages that links in mails lead to: unsubscribing, and confirming an address, without signing in."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from alerts.consent import links, services
from alerts.consent.links import Of
from alerts.consent.services import Standing
from core.problems import Problem

AGAIN = "again"


@csrf_exempt
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """Ask whether to unsubscribe, and do so; mail programs do it by a POST of their own (RFC 8058).

    The link is the authority, and what a program sends has neither a session nor a CSRF token.
    """
    is_asked = request.method == "POST"

    def act() -> Standing:
        grant = links.read_unsubscribe(token)
        if not is_asked:
            return services.standing(grant)
        if request.POST.get("action") == AGAIN:
            return services.subscribe_again(grant)
        return services.unsubscribe(grant)

    return _answer(request, "portal/unsubscribe.html", act)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def confirm(request: HttpRequest, token: str) -> HttpResponse:
    """Ask whether an address is to be told, and note it; what merely follows links confirms nothing."""

    def act() -> Standing:
        grant = links.read_confirm(token)
        return services.confirm(grant) if request.method == "POST" else services.standing(grant)

    return _answer(request, "portal/confirm_address.html", act)


def _answer(request: HttpRequest, template: str, act: Callable[[], Standing]) -> HttpResponse:
    try:
        found = act()
    except Problem as problem:
        return render(request, "portal/link_gone.html", {"problem": problem}, status=problem.status)
    context = {
        "found": found,
        "is_report": found.of is Of.REPORT,
        "is_member": found.of is Of.MEMBER,
        "is_done": request.method == "POST",
    }
    return render(request, template, context)
