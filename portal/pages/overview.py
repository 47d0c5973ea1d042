"""The Overview: the billing period at a glance, and the way to the first record."""

from __future__ import annotations

from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from core import clock
from core.params import Params
from organizations.models import User
from organizations.roles import Scope
from organizations.tenancy import Caller
from portal import charts, first_key
from portal import overview as reading
from portal.access import wants_fragment
from portal.kinds import MEASURES, REQUESTS
from portal.layout import Link, layout
from portal.links import ORGANIZATION, address
from portal.registry import WRITE, Entry, page

SHAPE_NAMES: Final = {"bars": "Bars", "area": "Area"}


@page(Entry("overview", "", Scope.USAGE_READ, label="Overview"))
def overview(request: HttpRequest, user: User, caller: Caller) -> HttpResponse:
    """Show the figures of the billing period and the last 90 days."""
    if wants_fragment(request):
        context = _live(request, caller, kept=request.GET.get(ORGANIZATION))
        return render(request, "portal/overview/live.html", context)
    return _overview_page(request, user, caller)


@page(Entry("first-key", "first-key/", Scope.KEYS_WRITE, under="overview"), WRITE)
def make_first_key(request: HttpRequest, user: User, caller: Caller) -> HttpResponse:
    """Make a key and show it within the command that sends the first record, this once."""
    key = first_key.make_key(caller)
    if wants_fragment(request):
        return render(request, "portal/overview/first_key.html", _first_key(request, caller, None, key))
    return _overview_page(request, user, caller, key=key)


def _overview_page(
    request: HttpRequest, user: User, caller: Caller, *, key: str | None = None
) -> HttpResponse:
    frame = layout(request, user, caller, "overview")
    context = _live(request, caller, kept=frame.kept)
    context |= _first_key(request, caller, frame.kept, key) | {"layout": frame}
    return render(request, "portal/overview/page.html", context)


def _live(request: HttpRequest, caller: Caller, *, kept: str | None) -> dict[str, Any]:
    params = Params(request.GET, (ORGANIZATION, "measure", "shape"))
    measure = params.choice("measure", MEASURES, REQUESTS.name)
    shape = params.choice("shape", charts.SHAPES, charts.SHAPES[0])

    def to(measure: str, shape: str) -> str:
        return address("overview", organization=kept, measure=measure, shape=shape)

    def page(name: str, *places: str, **parameters: str) -> str:
        return address(name, *places, organization=kept, **parameters)

    return {
        "overview": reading.read(caller, clock.now(), measure=measure, shape=shape, to=page),
        "currency": caller.currency,
        "here": to(measure, shape),
        "measures": [
            Link(kind.label, to(name, shape), current=name == measure) for name, kind in MEASURES.items()
        ],
        "shapes": [
            Link(label, to(measure, name), current=name == shape) for name, label in SHAPE_NAMES.items()
        ],
    }


def _first_key(request: HttpRequest, caller: Caller, kept: str | None, key: str | None) -> dict[str, Any]:
    return {
        "key": key,
        "command": first_key.command(request, key),
        "may_make_key": first_key.may_make_key(caller),
        "make_key_url": address("first-key", organization=kept),
    }
