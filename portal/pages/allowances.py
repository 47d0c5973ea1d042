"""Credits and quota: how the organization stands, its grants, and what moved."""

from __future__ import annotations

from typing import Final

from django.http import HttpRequest, HttpResponse

from core import clock
from core.params import Params
from organizations.models import User
from organizations.roles import Scope
from organizations.tenancy import Caller
from portal import tables, timeline
from portal.filters import cleaned
from portal.links import ORGANIZATION
from portal.reading import allowances as reading
from portal.reading import ledger
from portal.registry import Entry, Group, page
from portal.showing import Showing

TRANSACTIONS: Final = "transactions"
"""The order of the transactions; ``order`` is that of the grants."""


@page(Entry("credits", "credits/", Scope.BILLING_READ, label="Credits", group=Group.MONEY, place=4))
def allowances(request: HttpRequest, user: User, caller: Caller) -> HttpResponse:
    """Show what was granted, what is left of it, and each transaction."""
    showing = Showing(request, user, caller, "credits")
    params = Params(cleaned(request.GET), (ORGANIZATION, *tables.PARAMETERS, TRANSACTIONS, "cursor"))
    sort = tables.sorting(params, reading.SORTS, "use", rising=reading.RISING)
    own = {name: params.text(name, "") or "" for name in tables.PARAMETERS}
    line = timeline.read(params, showing, own, name=TRANSACTIONS)

    def here(**parameters: str) -> str:
        return showing.here(**parameters, **line.kept, cursor=line.cursor or "")

    found = ledger.read(caller, line, showing.to)
    context = {
        "credits": reading.read(caller, clock.now(), sort, here),
        "ledger": found,
        **line.context(found.following),
        "here": here(**own),
    }
    return showing.render("portal/credits.html", context)
