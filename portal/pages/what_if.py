"""What the same use would have cost on another model."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse

from core import clock
from organizations.models import User
from organizations.roles import Scope
from organizations.tenancy import Caller
from portal import filters
from portal.bar import bar
from portal.reading import what_if as reading
from portal.reading.asking import Asker
from portal.registry import Entry, page
from portal.showing import Showing


@page(Entry("what-if", "models/what-if/", Scope.BILLING_READ, under="models"))
def what_if(request: HttpRequest, user: User, caller: Caller) -> HttpResponse:
    """Show what the use of some days would have cost on other models."""
    showing = Showing(request, user, caller, "what-if")
    params = filters.params_of(request.GET, ("others", "add"))
    now = clock.now()
    chosen = filters.read(params, caller, now)
    given = [text for text in (params.text("others", "", max_length=1000) or "").split(",") if text]
    added = params.text("add")
    others = [reading.parse(text) for text in dict.fromkeys([*given, *([added] if added else [])])]
    own = {"others": ",".join(other.name for other in others)}

    def here(**parameters: str) -> str:
        return showing.here(**{**chosen.parameters, **own, **parameters})

    context = {
        "bar": bar(showing, Asker(caller, chosen), own, elsewhere={}),
        "found": reading.read(caller, chosen, others, now, to=showing.to, here=here),
        "back": showing.to("models", **chosen.parameters),
        # What the form beside the bar hands on: all that is chosen already.
        "hidden": {**chosen.parameters, **own} | ({"organization": showing.kept} if showing.kept else {}),
        "here": here(),
    }
    response = showing.render("portal/what_if.html", context)
    if added:
        # What the form adds is one of several in addresses.
        response["HX-Push-Url"] = here()
    return response
