"""API keys: the use of all of them and of each; made, rotated and revoked."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from core import clock
from core.params import Params
from core.problems import Problem
from organizations import queries, services
from organizations.models import Credential, User
from organizations.roles import Role, Scope, grantable
from organizations.services import IssuedCredential
from organizations.tenancy import Caller
from portal import first_key, tables
from portal.filters import cleaned
from portal.forms import SCOPES, KeyForm
from portal.layout import Link
from portal.links import ORGANIZATION
from portal.reading import key as reading_one
from portal.reading import keys as reading
from portal.registry import READ, WRITE, Entry, Group, page
from portal.showing import Showing


@page(Entry("keys", "keys/", Scope.USAGE_READ, label="API keys", group=Group.BUILD, place=1))
def keys(request: HttpRequest, user: User, caller: Caller) -> HttpResponse:
    """Show all keys with their use."""
    showing = Showing(request, user, caller, "keys")
    params = Params(cleaned(request.GET), (ORGANIZATION, "timeframe", *tables.PARAMETERS))
    timeframe = params.choice("timeframe", reading.TIMEFRAMES, reading.DEFAULT_TIMEFRAME)
    sort = tables.sorting(params, reading.SORTS, "requests", rising=("name",))
    own = {"timeframe": "" if timeframe == reading.DEFAULT_TIMEFRAME else timeframe}

    def here(**parameters: str) -> str:
        return showing.here(**{**own, **parameters})

    found = reading.read(caller, timeframe, clock.now(), sort=sort, to=showing.to, here=here)
    context = {
        "keys": found,
        "timeframes": _timeframes(showing, timeframe),
        "new": showing.to("key-new") if Scope.KEYS_WRITE in caller.scopes else "",
        "here": here(**{name: params.text(name, "") or "" for name in tables.PARAMETERS}),
    }
    return showing.render("portal/keys.html", context)


@page(Entry("key-new", "keys/new/", Scope.KEYS_WRITE, under="keys"), (*READ, *WRITE))
def make(request: HttpRequest, user: User, caller: Caller) -> HttpResponse:
    """Ask what a new key is to be, make it, and show its secret this once."""
    showing = Showing(request, user, caller, "key-new")
    may = grantable(caller.role, caller.scopes)
    form = KeyForm(request.POST or None, grantable=may)
    if request.method == "POST" and form.is_valid():
        try:
            issued = services.create_credential(
                organization_id=caller.organization_id,
                created_by_id=user.pk,
                grantable=may,
                **form.cleaned_data,
            )
        except Problem as problem:
            form.blame(problem)
        else:
            return _secret(showing, issued, "API key created")
    context = {"form": form, "back": showing.to("keys")}
    return showing.render("portal/key_new.html", context, status=422 if form.errors else 200)


@page(Entry("key", "keys/<slug:client_id>/", Scope.USAGE_READ, under="keys"))
def key(request: HttpRequest, user: User, caller: Caller, client_id: str) -> HttpResponse:
    """Show one key's use."""
    showing = Showing(request, user, caller, "key")
    params = Params(cleaned(request.GET), (ORGANIZATION, "timeframe", *tables.PARAMETERS))
    timeframe = params.choice("timeframe", reading.TIMEFRAMES, reading.DEFAULT_TIMEFRAME)
    sort = tables.sorting(params, reading_one.SORTS, "requests", rising=("name",))
    credential = queries.credential(caller.organization_id, client_id)
    own = {"timeframe": "" if timeframe == reading.DEFAULT_TIMEFRAME else timeframe}

    def here(**parameters: str) -> str:
        return showing.to("key", client_id, **{**own, **parameters})

    context = {
        "key": reading_one.read(
            caller, credential, timeframe, clock.now(), sort=sort, to=showing.to, here=here
        ),
        "credential": credential,
        "scopes": [SCOPES[scope] for scope in credential.scopes],
        "timeframes": _timeframes(showing, timeframe, client_id),
        "back": showing.to("keys", **own),
        "records": showing.to("logs", clientId=client_id),
        "usage": showing.to("usage", clientId=client_id),
        "may_change": _may_change(caller, credential),
        "rotate": showing.to("key-rotate", client_id),
        "revoke": showing.to("key-revoke", client_id),
        "here": here(**{name: params.text(name, "") or "" for name in tables.PARAMETERS}),
    }
    return showing.render("portal/key.html", context)


@page(Entry("key-rotate", "keys/<slug:client_id>/rotate/", Scope.KEYS_WRITE, under="keys"), WRITE)
def rotate(request: HttpRequest, user: User, caller: Caller, client_id: str) -> HttpResponse:
    """Give a key a new secret, and show it this once."""
    issued = services.rotate_credential(
        organization_id=caller.organization_id,
        client_id=client_id,
        owned_by_id=_owner(caller),
        grantable=grantable(caller.role, caller.scopes),
    )
    return _secret(Showing(request, user, caller, "key-rotate"), issued, "API key rotated")


@page(Entry("key-revoke", "keys/<slug:client_id>/revoke/", Scope.KEYS_WRITE, under="keys"), WRITE)
def revoke(request: HttpRequest, user: User, caller: Caller, client_id: str) -> HttpResponse:
    """End a key for good."""
    revoked = services.revoke_credential(
        organization_id=caller.organization_id, client_id=client_id, owned_by_id=_owner(caller)
    )
    messages.success(request, f"API key {revoked.name} revoked. Requests with it are now rejected.")
    return redirect(Showing(request, user, caller, "key-revoke").to("key", client_id))


def _secret(showing: Showing, issued: IssuedCredential, title: str) -> HttpResponse:
    context: dict[str, Any] = {
        "title": title,
        "issued": issued,
        "command": first_key.command(showing.request, issued.key),
        "sends": Scope.USAGE_WRITE in issued.credential.scopes,
        "key_page": showing.to("key", issued.credential.client_id),
        "back": showing.to("keys"),
    }
    return showing.render("portal/key_secret.html", context)


def _timeframes(showing: Showing, chosen: str, *places: str) -> list[Link]:
    name = "key" if places else "keys"
    return [
        Link(label, showing.to(name, *places, timeframe=value), value == chosen)
        for value, label in reading.TIMEFRAMES.items()
    ]


def _owner(caller: Caller) -> int | None:
    """Return whose keys a member may change: developers only theirs."""
    return caller.user_id if caller.role == Role.DEVELOPER else None


def _may_change(caller: Caller, credential: Credential) -> bool:
    if Scope.KEYS_WRITE not in caller.scopes or credential.revoked_at is not None:
        return False
    owner = _owner(caller)
    return owner is None or credential.created_by_id == owner
