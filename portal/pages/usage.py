"""Usage over time, by hour, by capability and by key."""

from __future__ import annotations

from typing import Final

from django.http import HttpRequest, HttpResponse

from core import clock
from core.params import Params
from core.problems import invalid_parameter
from organizations.models import User
from organizations.roles import Scope
from organizations.tenancy import Caller
from portal import charts, filters, tables
from portal.bar import bar
from portal.layout import Link
from portal.reading import usage as reading
from portal.reading.asking import Asker
from portal.reading.breakdowns import NAME, SORTS
from portal.reading.hours import DAYS
from portal.reading.views import VIEWS
from portal.registry import Entry, Group, page
from portal.showing import Showing

SHAPE_NAMES: Final = {"bars": "Bars", "area": "Area"}


@page(Entry("usage", "usage/", Scope.USAGE_READ, label="Usage", group=Group.ANALYZE, place=1))
def usage(request: HttpRequest, user: User, caller: Caller) -> HttpResponse:
    """Show use over time by one of several measures, by hour, capability and key."""
    showing = Showing(request, user, caller, "usage")
    params = filters.params_of(request.GET, ("view", "shape", "weekday", "hour", "sort", "order"))
    now = clock.now()
    chosen = filters.read(params, caller, now)
    view = params.choice("view", VIEWS, "requests")
    shape = params.choice("shape", charts.SHAPES, charts.SHAPES[0])
    at = _hour(params)
    kept = {"view": "" if view == "requests" else view, "shape": "" if shape == "bars" else shape}
    kept |= {} if at is None else {"weekday": DAYS[at[0]], "hour": str(at[1])}
    sort = tables.sorting(params, SORTS, VIEWS[view].whole.name, rising=(NAME,))
    sorted_by = {name: params.text(name, "") or "" for name in ("sort", "order")}

    def here(**parameters: str) -> str:
        return showing.here(**{**chosen.parameters, **kept, **parameters})

    found = reading.read(
        caller, chosen, now, view=view, shape=shape, at=at, sort=sort, to=showing.to, here=here
    )
    context = {
        "bar": bar(showing, Asker(caller, chosen), kept, narrow=("weekday", "hour")),
        "usage": found,
        "views": [Link(VIEWS[name].label, here(view=name), name == view) for name in found.views],
        "shapes": [
            Link(label, here(**sorted_by, shape=name), name == shape) for name, label in SHAPE_NAMES.items()
        ],
        "here": here(**sorted_by),
    }
    return showing.render("portal/usage.html", context)


def _hour(params: Params) -> tuple[int, int] | None:
    """Return the weekday and the hour of it that are asked for.

    Raises: `Problem` 400, also where only one of the two is given.
    """
    if "weekday" not in params and "hour" not in params:
        return None
    for name, other in (("weekday", "hour"), ("hour", "weekday")):
        if name not in params:
            raise invalid_parameter(name, f"{other} goes with {name}: give both or neither.")
    return DAYS.index(params.choice("weekday", DAYS, "")), params.integer("hour", 0, minimum=0, maximum=23)
