"""Billing: the plan and what it entitles to; the prices in force."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse

from billing.queries.prices import SORTS
from core import clock
from core.params import Params
from organizations.models import User
from organizations.roles import Scope
from organizations.tenancy import Caller
from portal.filters import cleaned
from portal.links import ORGANIZATION
from portal.reading import plans, prices
from portal.registry import Entry, Group, page
from portal.showing import Showing
from portal.tables import PARAMETERS, sorting
from usage.tiers import Tier


@page(Entry("billing", "billing/", Scope.BILLING_READ, label="Billing", group=Group.MONEY, place=3))
def billing(request: HttpRequest, user: User, caller: Caller) -> HttpResponse:
    """Show the plan."""
    showing = Showing(request, user, caller, "billing")
    Params(cleaned(request.GET), (ORGANIZATION,))
    context = {"billing": plans.read(caller, clock.now(), showing.to), "here": showing.here()}
    return showing.render("portal/billing.html", context)


@page(Entry("prices", "prices/", Scope.BILLING_READ, label="Prices", group=Group.MONEY, place=6))
def price_list(request: HttpRequest, user: User, caller: Caller) -> HttpResponse:
    """Show the prices that hold."""
    showing = Showing(request, user, caller, "prices")
    params = Params(cleaned(request.GET), (ORGANIZATION, "search", "tier", "own", *PARAMETERS))
    wanted = prices.Wanted(
        search=params.text("search", "") or "",
        tier=params.choice("tier", Tier.values, ""),
        own=params.boolean("own", False),
        sort=sorting(params, SORTS, SORTS[0], rising=SORTS),
    )
    sorted_by = {name: text for name in ("sort", "order") if (text := params.text(name))}
    own = {"search": wanted.search, "tier": wanted.tier, "own": "true" if wanted.own else ""}

    def here(**parameters: str) -> str:
        return showing.here(**{**own, **parameters})

    context = {
        "prices": prices.read(caller, wanted, clock.now(), here),
        "wanted": wanted,
        "tiers": [("", "All", not wanted.tier)]
        + [(value, label, value == wanted.tier) for value, label in Tier.choices],
        "kept": showing.kept,
        "action": showing.here().partition("?")[0],
        "back": showing.to("billing"),
        "sorting": sorted_by,
        "here": here(**sorted_by, page=str(wanted.sort.page) if wanted.sort.page > 1 else ""),
    }
    return showing.render("portal/prices.html", context)
