"""Channels: where the organization is told; added, tested, switched, rotated and removed."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from alerts.channels import queries, services
from alerts.channels.services import MOST_CHANNELS, Issued
from alerts.models import Channel, Kind
from core import clock
from core.params import Params
from core.problems import Problem
from organizations.models import User
from organizations.roles import Scope
from organizations.tenancy import Caller
from portal.filters import cleaned
from portal.forms_alerts import ChannelForm
from portal.layout import Link
from portal.links import ORGANIZATION
from portal.pages.alerts import tabs
from portal.reading import channels as reading
from portal.registry import READ, WRITE, Entry, page
from portal.showing import Showing
from portal.tables import PARAMETERS, sorting

_ONE: Final = "alerts/channels/<uuid:channel_id>/"


@page(Entry("channels", "alerts/channels/", Scope.USAGE_READ, under="alerts"))
def channels(request: HttpRequest, user: User, caller: Caller) -> HttpResponse:
    """Show all channels."""
    showing = Showing(request, user, caller, "channels")
    params = Params(cleaned(request.GET), (ORGANIZATION, *PARAMETERS))
    sort = sorting(params, reading.SORTS, reading.SORTS[0], rising=reading.RISING)
    context = {
        "channels": reading.read(caller, sort, clock.now(), showing.to, showing.here),
        "most": MOST_CHANNELS,
        "tabs": tabs(showing),
        "new": showing.to("channel-new") if Scope.ALERTS_WRITE in caller.scopes else "",
        "here": showing.here(**{name: params.text(name, "") or "" for name in PARAMETERS}),
    }
    return showing.render("portal/alerts/channels.html", context)


@page(Entry("channel-new", "alerts/channels/new/", Scope.ALERTS_WRITE, under="alerts"), (*READ, *WRITE))
def make(request: HttpRequest, user: User, caller: Caller) -> HttpResponse:
    """Ask which kind, then where; make the channel, and show a webhook's secret this once."""
    showing = Showing(request, user, caller, "channel-new")
    params = Params(cleaned(request.GET), (ORGANIZATION, "kind"))
    kind = params.choice("kind", Kind.values, "")
    if not kind:
        kinds = [Link(str(label), showing.here(kind=name)) for name, label in Kind.choices]
        return showing.render(
            "portal/alerts/channel_kinds.html", {"kinds": kinds, "back": showing.to("channels")}
        )
    form = ChannelForm(request.POST or None, kind=kind)
    if request.method == "POST" and form.is_valid():
        try:
            issued = services.create_channel(
                organization_id=caller.organization_id,
                kind=kind,
                name=form.cleaned_data["name"],
                created_by_id=user.pk,
                **form.where,
            )
        except Problem as problem:
            form.blame(problem)
        else:
            return _made(showing, issued)
    context = {
        "form": form,
        "kind": Kind(kind).label,
        "back": showing.to("channels"),
        "others": showing.here(),
    }
    return showing.render("portal/alerts/channel_new.html", context, status=422 if form.errors else 200)


@page(Entry("channel", _ONE, Scope.USAGE_READ, under="alerts"))
def channel(request: HttpRequest, user: User, caller: Caller, channel_id: UUID) -> HttpResponse:
    """Show one channel."""
    Params(cleaned(request.GET), (ORGANIZATION,))
    found = queries.channel(caller.organization_id, channel_id)
    form = ChannelForm(kind=found.kind, initial={"name": found.name}, changes=True)
    return _channel(Showing(request, user, caller, "channel"), found, form)


@page(Entry("channel-change", f"{_ONE}change/", Scope.ALERTS_WRITE, under="alerts"), WRITE)
def change(request: HttpRequest, user: User, caller: Caller, channel_id: UUID) -> HttpResponse:
    """Change a channel's name, or where it leads."""
    showing = Showing(request, user, caller, "channel")
    found = queries.channel(caller.organization_id, channel_id)
    form = ChannelForm(request.POST, kind=found.kind, changes=True)
    if form.is_valid():
        try:
            services.change_channel(
                organization_id=caller.organization_id,
                channel_id=channel_id,
                name=form.cleaned_data["name"],
                url=form.where.get("url"),
                address=form.where.get("address"),
                by_id=user.pk,
            )
        except Problem as problem:
            form.blame(problem)
        else:
            messages.success(request, "Channel saved.")
            return redirect(showing.to("channel", str(channel_id)))
    return _channel(showing, found, form)


@page(Entry("channel-test", f"{_ONE}test/", Scope.ALERTS_WRITE, under="alerts"), WRITE)
def test(request: HttpRequest, user: User, caller: Caller, channel_id: UUID) -> HttpResponse:
    """Send a test, and lead to what comes of it."""
    asked = services.request_test(organization_id=caller.organization_id, channel_id=channel_id)
    return redirect(Showing(request, user, caller, "channel-test").to("delivery", str(asked.pk)))


@page(Entry("channel-switch", f"{_ONE}switch/", Scope.ALERTS_WRITE, under="alerts"), WRITE)
def switch(request: HttpRequest, user: User, caller: Caller, channel_id: UUID) -> HttpResponse:
    """Enable a channel, or disable it, as the button that was pressed says."""
    wanted = {"on": True, "off": False}.get(request.POST.get("enabled", ""))
    if wanted is None:
        raise Problem(status=422, code="invalid", detail="Say whether the channel is to be on or off.")
    changed = services.change_channel(
        organization_id=caller.organization_id, channel_id=channel_id, enabled=wanted, by_id=user.pk
    )
    said = "enabled" if wanted else "disabled. Pending deliveries are cancelled"
    messages.success(request, f"{changed.name} {said}.")
    return _back(request, user, caller, channel_id)


@page(Entry("channel-confirm", f"{_ONE}confirm/", Scope.ALERTS_WRITE, under="alerts"), WRITE)
def confirm(request: HttpRequest, user: User, caller: Caller, channel_id: UUID) -> HttpResponse:
    """Ask the owner of a channel's address for their consent once more; who is that gives it so."""
    asked: dict[str, Any] = {"organization_id": caller.organization_id, "channel_id": channel_id}
    if services.is_owner(queries.channel(**asked), user.pk):
        changed = services.change_channel(enabled=True, by_id=user.pk, **asked)
        messages.success(request, f"{changed.name} enabled.")
    else:
        services.request_confirmation(**asked)
        messages.success(request, "A confirmation link is on its way to the address.")
    return _back(request, user, caller, channel_id)


@page(Entry("channel-rotate", f"{_ONE}rotate/", Scope.ALERTS_WRITE, under="alerts"), WRITE)
def rotate(request: HttpRequest, user: User, caller: Caller, channel_id: UUID) -> HttpResponse:
    """Give a webhook a new secret, and show it this once."""
    issued = services.rotate_secret(organization_id=caller.organization_id, channel_id=channel_id)
    return _secret(Showing(request, user, caller, "channel-rotate"), issued, is_new=False)


@page(Entry("channel-remove", f"{_ONE}remove/", Scope.ALERTS_WRITE, under="alerts"), WRITE)
def remove(request: HttpRequest, user: User, caller: Caller, channel_id: UUID) -> HttpResponse:
    """Remove a channel with its address and secret."""
    found = queries.channel(caller.organization_id, channel_id)
    services.delete_channel(organization_id=caller.organization_id, channel_id=channel_id)
    messages.success(request, f"Channel {found.name} deleted. Its deliveries stay in the log.")
    return redirect(Showing(request, user, caller, "channel-remove").to("channels"))


def _channel(showing: Showing, found: Channel, form: ChannelForm) -> HttpResponse:
    caller = showing.caller
    may = Scope.ALERTS_WRITE in caller.scopes
    key = str(found.pk)
    context: dict[str, Any] = {
        "channel": reading.read_one(caller, found, clock.now(), showing.to),
        "form": form,
        "change": showing.to("channel-change", key) if may else "",
        "log": showing.to("deliveries", channel=key) if may else "",
        "back": showing.to("channels"),
        "here": showing.to("channel", key),
    }
    return showing.render("portal/alerts/channel.html", context, status=422 if form.errors else 200)


def _made(showing: Showing, issued: Issued) -> HttpResponse:
    if issued.secret is not None:
        return _secret(showing, issued, is_new=True)
    what = "Send a test now." if issued.channel.enabled else "A confirmation link was sent to the address."
    messages.success(showing.request, f"Channel {issued.channel.name} added. {what}")
    return redirect(showing.to("channel", str(issued.channel.pk)))


def _secret(showing: Showing, issued: Issued, *, is_new: bool) -> HttpResponse:
    context = {
        "channel": issued.channel,
        "secret": issued.secret,
        "is_new": is_new,
        "url": showing.to("channel", str(issued.channel.pk)),
        "back": showing.to("channels"),
    }
    return showing.render("portal/alerts/channel_secret.html", context)


def _back(request: HttpRequest, user: User, caller: Caller, channel_id: UUID) -> HttpResponse:
    return redirect(Showing(request, user, caller, "channel-switch").to("channel", str(channel_id)))
