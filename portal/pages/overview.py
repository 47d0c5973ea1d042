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
from portal.layout import Link
from portal.links import ORGANIZATION
from portal.registry import WRITE, Entry, page
from portal.showing import Showing

PAGE: Final = "portal/overview/page.html"
SHAPE_NAMES: Final = {"bars": "Bars", "area": "Area"}


@page(Entry("overview", "", Scope.USAGE_READ, label="Overview"))
def overview(request: HttpRequest, user: User, caller: Caller) -> HttpResponse:
    """Show the figures of the billing period and the last 90 days."""
    showing = Showing(request, user, caller, "overview")
    # What only the whole page shows isn't put together for a part of it.
    first = {} if showing.layout is None else _first_key(showing, request, None)
    return showing.render(PAGE, _live(showing) | first)


@page(Entry("first-key", "first-key/", Scope.KEYS_WRITE, under="overview"), WRITE)
def make_first_key(request: HttpRequest, user: User, caller: Caller) -> HttpResponse:
    """Make a key and show it within the command that sends the first record, this once."""
    key = first_key.make_key(caller)
    showing = Showing(request, user, caller, "overview")
    first = _first_key(showing, request, key)
    if showing.layout is None:
        return render(request, "portal/overview/first_key.html", first)
    return showing.render(PAGE, _live(showing) | first)


def _live(showing: Showing) -> dict[str, Any]:
    params = Params(showing.request.GET, (ORGANIZATION, "measure", "shape"))
    measure = params.choice("measure", reading.MEASURES, next(iter(reading.MEASURES)))
    shape = params.choice("shape", charts.SHAPES, charts.SHAPES[0])

    def here(measure: str, shape: str) -> str:
        return showing.here(measure=measure, shape=shape)

    return {
        "overview": reading.read(showing.caller, clock.now(), measure=measure, shape=shape, to=showing.to),
        "currency": showing.caller.currency,
        "following": _following(showing),
        "here": here(measure, shape),
        "measures": [
            Link(one.label, here(name, shape), current=name == measure)
            for name, one in reading.MEASURES.items()
        ],
        "shapes": [
            Link(label, here(measure, name), current=name == shape) for name, label in SHAPE_NAMES.items()
        ],
    }


def _following(showing: Showing) -> list[Link]:
    """Return what a new organization does after its first record."""
    caller = showing.caller
    ways = {
        "logs": ("View your records", True),
        "key-new": ("Create a key for each application", Scope.KEYS_WRITE in caller.scopes),
        "limit-set": (
            "Set a spend limit",
            Scope.BILLING_WRITE in caller.scopes and caller.plan.spend_limit,
        ),
        "reference": ("Read the API reference", True),
    }
    return [Link(label, showing.to(name)) for name, (label, is_open) in ways.items() if is_open]


def _first_key(showing: Showing, request: HttpRequest, key: str | None) -> dict[str, Any]:
    return {
        "key": key,
        "command": first_key.command(request, key),
        "may_make_key": first_key.may_make_key(showing.caller),
        "make_key_url": showing.to("first-key"),
    }
