"""Across organizations: how each of those that one belongs to fares."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse

from core import clock
from core.params import Params
from organizations.door import memberships_of
from organizations.models import User
from organizations.roles import Scope
from organizations.tenancy import Caller
from portal import tables
from portal.filters import cleaned
from portal.links import ORGANIZATION
from portal.reading import organizations as reading
from portal.registry import Entry, page
from portal.showing import Showing


@page(Entry("organizations", "organizations/", Scope.USAGE_READ))
def organizations(request: HttpRequest, user: User, caller: Caller) -> HttpResponse:
    """Show each of the member's organizations, and what comes together in each currency.

    Tenancy: within the scope of the page's organization, those of the others are opened in turn.
    """
    showing = Showing(request, user, caller, "organizations")
    params = Params(cleaned(request.GET), (ORGANIZATION, *tables.PARAMETERS))
    sort = tables.sorting(params, reading.SORTS, "name", rising=reading.RISING)
    found = reading.read(memberships_of(user), clock.now(), sort=sort, here=showing.here)
    own = {name: params.text(name, "") or "" for name in tables.PARAMETERS}
    return showing.render("portal/organizations.html", {"organizations": found, "here": showing.here(**own)})
