"""Costs: over time, by what caused them, what has no price, and what they will come to."""

from __future__ import annotations

from typing import Final

from django.http import HttpRequest, HttpResponse

from core import clock
from core.params import Params
from organizations import queries
from organizations.models import User
from organizations.roles import Scope
from organizations.tenancy import Caller
from portal import charts, filters, tables
from portal.bar import bar
from portal.layout import Link
from portal.links import ORGANIZATION
from portal.reading import costs as reading
from portal.reading import forecasts
from portal.reading.asking import Asker
from portal.reading.costs import repricing
from portal.registry import Entry, Group, page
from portal.showing import Showing

SHAPE_NAMES: Final = {"bars": "Bars", "area": "Area"}
BY: Final = "model"


@page(Entry("costs", "costs/", Scope.BILLING_READ, label="Costs", group=Group.MONEY, place=1))
def costs(request: HttpRequest, user: User, caller: Caller) -> HttpResponse:
    """Show what use costs."""
    showing = Showing(request, user, caller, "costs")
    params = filters.params_of(request.GET, ("by", "shape", *tables.PARAMETERS))
    now = clock.now()
    chosen = filters.read(params, caller, now)
    by = params.choice("by", reading.DIMENSIONS, BY)
    shape = params.choice("shape", charts.SHAPES, charts.SHAPES[0])
    sort = tables.sorting(params, reading.SORTS, "cost", rising=("name",))
    own = {"by": "" if by == BY else by, "shape": "" if shape == charts.SHAPES[0] else shape}
    sorted_by = {name: params.text(name, "") or "" for name in ("sort", "order")}

    def here(**parameters: str) -> str:
        return showing.here(**{**chosen.parameters, **own, **parameters})

    found = reading.read(caller, chosen, now, by=by, shape=shape, sort=sort, to=showing.to, here=here)
    has_unpriced = found.unpriced is not None
    context = {
        "bar": bar(showing, Asker(caller, chosen), own),
        "costs": found,
        "repricing": repricing.read(caller, now, has_unpriced=has_unpriced, to=showing.to),
        "dimensions": [
            Link(label, here(**sorted_by, by=name), name == by)
            for name, (_, label) in reading.DIMENSIONS.items()
        ],
        "shapes": [
            Link(label, here(**sorted_by, shape=name), name == shape) for name, label in SHAPE_NAMES.items()
        ],
        "forecast": _forecast_of(showing, chosen),
        # Whoever's forecast is there already is kept while the rest of the page is made anew.
        "forecast_id": f"forecast-of-{chosen.client_id or 'all'}",
        "here": here(**sorted_by, page=params.text("page", "") or ""),
    }
    return showing.render("portal/costs.html", context)


@page(Entry("costs-forecast", "costs/forecast/", Scope.BILLING_READ, under="costs"))
def forecast(request: HttpRequest, user: User, caller: Caller) -> HttpResponse:
    """Show what use will cost: a part of the page of costs that takes longer, and a page of its own."""
    showing = Showing(request, user, caller, "costs-forecast")
    params = Params(filters.cleaned(request.GET), (ORGANIZATION, "clientId"))
    client_id = params.text("clientId")
    key = None if client_id is None else queries.credential(caller.organization_id, client_id)
    context = {
        "forecast": forecasts.read(caller, key, clock.now(), showing.to),
        "back": showing.to("costs", clientId=client_id or ""),
    }
    return showing.render("portal/costs_forecast.html", context)


@page(Entry("costs-repricing", "costs/repricing/", Scope.BILLING_READ, under="costs"))
def repriced(request: HttpRequest, user: User, caller: Caller) -> HttpResponse:
    """Show how far a repricing has come: a part of the page of costs that changes, and a page of its own."""
    showing = Showing(request, user, caller, "costs-repricing")
    Params(filters.cleaned(request.GET), (ORGANIZATION,))
    found = repricing.read(caller, clock.now(), has_unpriced=True, to=showing.to)
    response = showing.render(
        "portal/costs_repricing.html", {"repricing": found, "back": showing.to("costs")}
    )
    if showing.layout is None and (found is None or not found.is_under_way):
        # It has ended: the sums of the page around it are others now.
        response["HX-Trigger"] = "refresh"
    return response


def _forecast_of(showing: Showing, chosen: filters.Filters) -> str:
    """Return where the forecast is; empty for what none is made of."""
    if chosen.model is not None or chosen.capability is not None:
        return ""
    return showing.to("costs-forecast", clientId=chosen.client_id or "")
