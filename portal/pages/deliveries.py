"""The log of deliveries: what was told to whom, with every attempt and what was answered."""

from __future__ import annotations

from http import HTTPStatus
from typing import Final
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from alerts.api.reading import identity
from alerts.channels.queries import channel as channel_of
from alerts.deliveries import queries
from alerts.deliveries.again import retry
from alerts.deliveries.queries import DeliveryQuery
from alerts.models import DeliveryState
from core.params import Params
from core.problems import Problem
from organizations.models import User
from organizations.roles import Scope
from organizations.tenancy import Caller
from portal import timeline
from portal.filters import cleaned
from portal.layout import Link
from portal.links import ORGANIZATION
from portal.pages.alerts import tabs
from portal.reading import deliveries as reading
from portal.registry import WRITE, Entry, page
from portal.showing import Showing

STATES: Final = {"": "All", **dict(DeliveryState.choices)}


@page(Entry("deliveries", "alerts/deliveries/", Scope.ALERTS_WRITE, under="alerts"))
def deliveries(request: HttpRequest, user: User, caller: Caller) -> HttpResponse:
    """Show the log, newest first unless it is asked for from the oldest on."""
    showing = Showing(request, user, caller, "deliveries")
    params = Params(cleaned(request.GET), (ORGANIZATION, "state", "channel", *timeline.NAMES))
    state = params.choice("state", DeliveryState.values, "")
    channel_id = identity(params, "channel")
    own = {"state": state, "channel": "" if channel_id is None else str(channel_id)}
    line = timeline.read(params, showing, own)
    query = DeliveryQuery(
        take=reading.PAGE + 1,
        descending=line.descending,
        after=line.after,
        states=(state,) if state else (),
        channel_id=channel_id,
    )
    found = reading.read(caller, query, showing.to)
    context = {
        "log": found,
        "tabs": tabs(showing),
        "states": [Link(str(said), line.at(state=one), one == state) for one, said in STATES.items()],
        "is_filtered": any(own.values()),
        "channel": None if channel_id is None else channel_of(caller.organization_id, channel_id),
        "everywhere": line.at(channel=""),
        **line.context(line.following(found.after)),
    }
    return showing.render("portal/alerts/deliveries.html", context)


@page(Entry("delivery", "alerts/deliveries/<uuid:delivery_id>/", Scope.ALERTS_WRITE, under="alerts"))
def delivery(request: HttpRequest, user: User, caller: Caller, delivery_id: UUID) -> HttpResponse:
    """Show one delivery, and keep looking while it is under way."""
    showing = Showing(request, user, caller, "delivery")
    Params(cleaned(request.GET), (ORGANIZATION,))
    found = queries.delivery(caller.organization_id, delivery_id)
    context = {
        "delivery": reading.sent(found, caller, showing.to),
        "channel": "" if found.channel_id is None else showing.to("channel", str(found.channel_id)),
        "back": showing.to("deliveries"),
        "here": showing.to("delivery", str(delivery_id)),
    }
    return showing.render("portal/alerts/delivery_page.html", context)


@page(
    Entry(
        "delivery-again", "alerts/deliveries/<uuid:delivery_id>/again/", Scope.ALERTS_WRITE, under="alerts"
    ),
    WRITE,
)
def again(request: HttpRequest, user: User, caller: Caller, delivery_id: UUID) -> HttpResponse:
    """Send once more what was given up, and lead to what comes of it."""
    showing = Showing(request, user, caller, "delivery")
    try:
        told = retry(organization_id=caller.organization_id, delivery_id=delivery_id)
    except Problem as problem:
        if problem.status != HTTPStatus.CONFLICT:
            raise
        messages.error(request, problem.detail)
        return redirect(showing.to("delivery", str(delivery_id)))
    return redirect(showing.to("delivery", str(told.pk)))
