"""Models against each other."""

from __future__ import annotations

from typing import Final

from django.http import HttpRequest, HttpResponse

from core import clock
from organizations.models import User
from organizations.roles import Scope
from organizations.tenancy import Caller
from portal import filters, tables
from portal.bar import bar
from portal.layout import Link
from portal.reading import models as reading
from portal.reading.asking import Asker
from portal.registry import Entry, Group, page
from portal.showing import Showing

VIEW_NAMES: Final = {"requests": "Requests", "tokens": "Tokens", "cost": "Cost"}


@page(Entry("models", "models/", Scope.USAGE_READ, label="Models", group=Group.ANALYZE, place=2))
def models(request: HttpRequest, user: User, caller: Caller) -> HttpResponse:
    """Show what models are used for, and what they give for their cost."""
    showing = Showing(request, user, caller, "models")
    params = filters.params_of(request.GET, ("view", *tables.PARAMETERS))
    now = clock.now()
    chosen = filters.read(params, caller, now)
    view = params.choice("view", reading.VIEWS, "requests")
    sort = tables.sorting(params, reading.SORTS, "requests", rising=(reading.NAME,))
    own = {"view": "" if view == "requests" else view}
    sorted_by = {name: params.text(name, "") or "" for name in ("sort", "order")}

    def here(**parameters: str) -> str:
        return showing.here(**{**chosen.parameters, **own, **parameters})

    found = reading.read(caller, chosen, now, view=view, sort=sort, to=showing.to, here=here)
    context = {
        "bar": bar(showing, Asker(caller, chosen), own),
        "models": found,
        "views": [
            Link(label, here(**sorted_by, view=name), name == view) for name, label in VIEW_NAMES.items()
        ],
        "what_if": showing.to("what-if", **chosen.parameters) if Scope.BILLING_READ in caller.scopes else "",
        "here": here(**sorted_by, page=params.text("page", "") or ""),
    }
    return showing.render("portal/models.html", context)
