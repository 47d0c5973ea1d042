"""Credits and quota: how the organization stands, and its grants."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse

from core import clock
from core.params import Params
from organizations.models import User
from organizations.roles import Scope
from organizations.tenancy import Caller
from portal.filters import cleaned
from portal.links import ORGANIZATION
from portal.reading import allowances as reading
from portal.registry import Entry, Group, page
from portal.showing import Showing


@page(Entry("credits", "credits/", Scope.BILLING_READ, label="Credits", group=Group.MONEY, place=4))
def allowances(request: HttpRequest, user: User, caller: Caller) -> HttpResponse:
    """Show what was granted, and what is left of it."""
    showing = Showing(request, user, caller, "credits")
    params = Params(cleaned(request.GET), (ORGANIZATION, "page"))
    number = params.integer("page", 1, minimum=1, maximum=100_000)
    context = {
        "credits": reading.read(caller, clock.now(), number, showing.here),
        "here": showing.here(page=str(number)) if number > 1 else showing.here(),
    }
    return showing.render("portal/credits.html", context)
