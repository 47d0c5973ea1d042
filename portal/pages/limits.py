"""Spend limits: how they stand, set, changed and removed; what happened to them; one tried on the past."""

from __future__ import annotations

from typing import Any, Final

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from billing.models import Enforcement, Window
from billing.queries.limits import Standing, standing
from billing.services.limits import Terms, plan_required, remove_limit, set_limit
from core import clock
from core.paging import CursorPage
from core.params import Params
from organizations import queries
from organizations.models import Credential, User
from organizations.roles import Scope
from organizations.tenancy import Caller
from portal import numbers, timeline
from portal.filters import cleaned
from portal.layout import Link
from portal.limit_forms import TermsForm, TrialForm
from portal.links import ORGANIZATION
from portal.reading import limits as reading
from portal.reading.asking import keys_of
from portal.reading.limits.trial import Wanted
from portal.registry import READ, WRITE, Entry, Group, page
from portal.showing import Showing
from portal.tables import page_number

TABS: Final = {"limits": "Spend limit", "limit-history": "History", "limit-trial": "Simulation"}
LATEST: Final = 5
TERMS: Final = ("clientId", "limit", "window", "enforcement", "warnAt")


@page(Entry("limits", "limits/", Scope.BILLING_READ, label="Spend limit", group=Group.MONEY, place=2))
def limits(request: HttpRequest, user: User, caller: Caller) -> HttpResponse:
    """Show how the limits stand."""
    showing = Showing(request, user, caller, "limits")
    params = Params(cleaned(request.GET), (ORGANIZATION, "page"))
    number = page_number(params)
    found = reading.read(caller, clock.now(), number, showing.to, showing.here)
    context = {
        "limits": found,
        "latest": reading.history(caller, CursorPage(LATEST, "desc", None), kind="", key=None, to=showing.to),
        "set": showing.to("limit-set") if _may_set(caller) else "",
        "remove": showing.to("limit-remove") if Scope.BILLING_WRITE in caller.scopes else "",
        "history": showing.to("limit-history"),
        "trial": showing.to("limit-trial"),
        "refusal": "" if caller.plan.spend_limit else plan_required(caller).detail,
        "tabs": _tabs(showing),
        "here": showing.here(page=str(number)) if number > 1 else showing.here(),
    }
    return showing.render("portal/limits/page.html", context)


@page(Entry("limit-set", "limits/set/", Scope.BILLING_WRITE, under="limits"), (*READ, *WRITE))
def set_one(request: HttpRequest, user: User, caller: Caller) -> HttpResponse:
    """Ask what a limit is to be, and set it."""
    showing = Showing(request, user, caller, "limit-set")
    params = Params(cleaned(request.GET), (ORGANIZATION, *TERMS))
    if not caller.plan.spend_limit and request.method != "POST":
        # The page of the limits says which plans have them.
        return redirect(showing.to("limits"))
    key = _key(caller, params.text("clientId"))
    found = _standing(caller, key)
    keys = _choices(key)
    initial = _given(params) if "limit" in params else _initial(found, key)
    form = TermsForm(request.POST or None, currency=caller.currency, keys=keys, initial=initial)
    if request.method == "POST" and form.is_valid():
        chosen = _key(caller, form.cleaned_data["clientId"])
        set_limit(caller=caller, credential_id=chosen.pk if chosen else None, terms=_terms(form))
        whose = f"for {chosen.name}" if chosen else "for the organization"
        messages.success(request, f"Spend limit {whose} saved. It applies from now on.")
        return redirect(showing.to("limits"))
    context = {
        "form": form,
        "title": "Edit spend limit" if found else "Set spend limit",
        "is_change": found is not None,
        "back": showing.to("limits"),
        "trial": showing.to("limit-trial"),
    }
    return showing.render("portal/limits/set.html", context, status=422 if form.errors else 200)


@page(Entry("limit-remove", "limits/remove/", Scope.BILLING_WRITE, under="limits"), WRITE)
def remove(request: HttpRequest, user: User, caller: Caller) -> HttpResponse:
    """Remove a limit."""
    showing = Showing(request, user, caller, "limit-remove")
    key = _key(caller, request.POST.get("clientId") or None)
    remove_limit(organization_id=caller.organization_id, credential_id=key.pk if key else None)
    whose = f"for {key.name}" if key else "for the organization"
    messages.success(request, f"Spend limit {whose} removed.")
    return redirect(showing.to("limits"))


@page(Entry("limit-history", "limits/history/", Scope.BILLING_READ, under="limits"))
def history(request: HttpRequest, user: User, caller: Caller) -> HttpResponse:
    """Show what happened to limits."""
    showing = Showing(request, user, caller, "limit-history")
    params = Params(cleaned(request.GET), (ORGANIZATION, "kind", "clientId", *timeline.NAMES))
    kind = params.choice("kind", reading.KINDS, "")
    key = _key(caller, params.text("clientId"))
    line = timeline.read(params, showing, {"kind": kind, "clientId": key.client_id if key else ""})
    found = reading.history(
        caller, line.page(reading.PAGE_SIZE), time=line.column(), kind=kind, key=key, to=showing.to
    )
    context = {
        "history": found,
        "kinds": [("", "All events", not kind)]
        + [(name, label, name == kind) for name, label in reading.KINDS.items()],
        "keys": [("", "All limits", key is None)]
        + [(one.client_id, f"{one.name} ({one.client_id})", one == key) for one in keys_of()],
        "kept": showing.kept,
        "action": showing.here().partition("?")[0],
        **line.context(found.following),
        "is_first": line.cursor is None,
        "tabs": _tabs(showing),
    }
    return showing.render("portal/limits/history.html", context)


@page(Entry("limit-trial", "limits/trial/", Scope.BILLING_READ, under="limits"))
def trial(request: HttpRequest, user: User, caller: Caller) -> HttpResponse:
    """Ask which limit to try, and show what it would have done."""
    showing = Showing(request, user, caller, "limit-trial")
    params = Params(cleaned(request.GET), (ORGANIZATION, *TERMS, "weeks"))
    asked = "limit" in params or "weeks" in params
    key = _key(caller, params.text("clientId"))
    form = TrialForm(
        {**_defaults(), **request.GET.dict()} if asked else None,
        currency=caller.currency,
        keys=_choices(key),
        initial=_initial(_standing(caller, key), key),
    )
    found = None
    if asked and form.is_valid():
        found = reading.trial(caller, _wanted(form, key), clock.now(), showing.to)
    context = {
        "form": form,
        "trial": found,
        "kept": showing.kept,
        "action": showing.here().partition("?")[0],
        "set": showing.to("limit-set", **_tried(form)) if found is not None and _may_set(caller) else "",
        "tabs": _tabs(showing),
    }
    return showing.render("portal/limits/trial.html", context, status=422 if asked and form.errors else 200)


def _may_set(caller: Caller) -> bool:
    return Scope.BILLING_WRITE in caller.scopes and caller.plan.spend_limit


def _tabs(showing: Showing) -> list[Link]:
    return [Link(label, showing.to(name), name == showing.name) for name, label in TABS.items()]


def _key(caller: Caller, client_id: str | None) -> Credential | None:
    return queries.credential(caller.organization_id, client_id) if client_id else None


def _choices(key: Credential | None) -> list[Credential]:
    """Return the keys that a limit can be for: those in use, and the one that was asked for."""
    return [one for one in keys_of() if one.revoked_at is None or one == key]


def _standing(caller: Caller, key: Credential | None) -> Standing | None:
    return standing(
        caller.organization_id, key.pk if key else None, timezone=caller.timezone, now=clock.now()
    )


def _initial(found: Standing | None, key: Credential | None) -> dict[str, Any]:
    """Return what the form begins with: the limit as it is, if there is one."""
    begun: dict[str, Any] = {"clientId": key.client_id if key else ""}
    if found is None:
        return begun
    return begun | {
        "limit": numbers.exact_money(found.limit_nanos).replace(",", ""),
        "window": found.window.value,
        "enforcement": found.enforcement.value,
        "warnAt": ", ".join(map(str, found.warn_at)),
    }


def _tried(form: TrialForm) -> dict[str, str]:
    """Return the terms that were tried, for the address where they can be set."""
    return {name: form.data.get(name, "") for name in TERMS}


def _given(params: Params) -> dict[str, Any]:
    """Return what the form begins with where the address has the terms; what it leaves out is empty."""
    return {name: params.text(name, "") for name in TERMS}


def _defaults() -> dict[str, Any]:
    """Return what an address may leave out."""
    names = ("window", "enforcement", "warnAt", "weeks")
    fields: dict[str, Any] = TrialForm.base_fields
    return {name: fields[name].initial for name in names}


def _terms(form: TermsForm) -> Terms:
    data = form.cleaned_data
    return Terms(data["limit"], Window(data["window"]), data["warnAt"], Enforcement(data["enforcement"]))


def _wanted(form: TrialForm, key: Credential | None) -> Wanted:
    data = form.cleaned_data
    return Wanted(data["limit"], data["window"], data["enforcement"], data["warnAt"], int(data["weeks"]), key)
