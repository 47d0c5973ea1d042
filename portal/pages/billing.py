"""Billing: the plan and what it entitles to; the prices in force."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse

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
    params = Params(cleaned(request.GET), (ORGANIZATION, "search", "tier", "own", "page"))
    wanted = prices.Wanted(
        search=params.text("search", "") or "",
        tier=params.choice("tier", Tier.values, ""),
        own=params.boolean("own", False),
        page=params.integer("page", 1, minimum=1, maximum=100_000),
    )
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
        "here": here(page=str(wanted.page) if wanted.page > 1 else ""),
    }
    return showing.render("portal/prices.html", context)
