"""Rules: what the organization wants to be told of; made, changed, switched and removed."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from rest_framework.exceptions import ValidationError

from alerts.models import Condition, Rule
from alerts.rules import queries, services
from alerts.rules.serializers import RuleChange, RuleInput
from core.params import Params
from core.problems import Problem, as_problem
from organizations.models import User
from organizations.roles import Scope
from organizations.tenancy import Caller
from portal.filters import cleaned
from portal.forms_alerts import RuleForm
from portal.links import ORGANIZATION
from portal.pages.alerts import tabs
from portal.reading import rules as reading
from portal.registry import READ, WRITE, Entry, page
from portal.showing import Showing
from portal.tables import PARAMETERS, Sorting, sorting

_ONE: Final = "alerts/rules/<uuid:rule_id>/"


@page(Entry("rules", "alerts/rules/", Scope.USAGE_READ, under="alerts"))
def rules(request: HttpRequest, user: User, caller: Caller) -> HttpResponse:
    """Show all rules."""
    showing = Showing(request, user, caller, "rules")
    sort, place = _place(request)
    context = {
        "rules": reading.read(caller, sort, place, showing.to, showing.here),
        "tabs": tabs(showing),
        "new": showing.to("rule-new") if Scope.ALERTS_WRITE in caller.scopes else "",
        "here": showing.here(**place),
    }
    return showing.render("portal/alerts/rules.html", context)


@page(Entry("rule-new", "alerts/rules/new/", Scope.ALERTS_WRITE, under="alerts"), (*READ, *WRITE))
def make(request: HttpRequest, user: User, caller: Caller) -> HttpResponse:
    """Ask what is to be told, and make the rule."""
    showing = Showing(request, user, caller, "rule-new")
    form = RuleForm(request.POST or None, channels=reading.channel_choices(caller))
    if request.method == "POST" and form.is_valid():
        try:
            body = RuleInput(data=form.wanted)
            body.is_valid(raise_exception=True)
            made = services.create_rule(
                organization_id=caller.organization_id, created_by_id=user.pk, **body.validated_data
            )
        except (Problem, ValidationError) as error:
            _blame(form, error)
        else:
            messages.success(request, f"Rule {made.name} created.")
            return redirect(showing.to("rule", str(made.pk)))
    context = {"form": form, "metrics": reading.METRIC_NAMES, "back": showing.to("rules")}
    return showing.render("portal/alerts/rule_new.html", context, status=422 if form.errors else 200)


@page(Entry("rule", _ONE, Scope.USAGE_READ, under="alerts"))
def rule(request: HttpRequest, user: User, caller: Caller, rule_id: UUID) -> HttpResponse:
    """Show one rule."""
    Params(cleaned(request.GET), (ORGANIZATION,))
    found = queries.rule(caller.organization_id, rule_id)
    form = _form(caller, found, initial=reading.initial(found))
    return _rule(Showing(request, user, caller, "rule"), found, form)


@page(Entry("rule-change", f"{_ONE}change/", Scope.ALERTS_WRITE, under="alerts"), WRITE)
def change(request: HttpRequest, user: User, caller: Caller, rule_id: UUID) -> HttpResponse:
    """Change a rule."""
    showing = Showing(request, user, caller, "rule")
    found = queries.rule(caller.organization_id, rule_id)
    form = _form(caller, found, request.POST)
    if form is not None and form.is_valid():
        try:
            body = RuleChange(data=form.wanted)
            body.is_valid(raise_exception=True)
            services.change_rule(
                organization_id=caller.organization_id, rule_id=rule_id, **body.validated_data
            )
        except (Problem, ValidationError) as error:
            _blame(form, error)
        else:
            messages.success(request, "Rule saved.")
            return redirect(showing.to("rule", str(rule_id)))
    return _rule(showing, found, form)


@page(Entry("rule-switch", f"{_ONE}switch/", Scope.ALERTS_WRITE, under="alerts"), WRITE)
def switch(request: HttpRequest, user: User, caller: Caller, rule_id: UUID) -> HttpResponse:
    """Switch a rule on or off, as the button that was pressed says."""
    _, place = _place(request)
    wanted = {"on": True, "off": False}.get(request.POST.get("enabled", ""))
    if wanted is None:
        raise Problem(status=422, code="invalid", detail="Say whether the rule is to be on or off.")
    changed = services.change_rule(organization_id=caller.organization_id, rule_id=rule_id, enabled=wanted)
    said = "enabled" if wanted else "disabled. Its open alerts are resolved"
    messages.success(request, f"{changed.name} {said}.")
    return redirect(Showing(request, user, caller, "rule-switch").to("rules", **place))


@page(Entry("rule-remove", f"{_ONE}remove/", Scope.ALERTS_WRITE, under="alerts"), WRITE)
def remove(request: HttpRequest, user: User, caller: Caller, rule_id: UUID) -> HttpResponse:
    """Remove a rule of the organization's own."""
    found = queries.rule(caller.organization_id, rule_id)
    services.delete_rule(organization_id=caller.organization_id, rule_id=rule_id)
    messages.success(request, f"Rule {found.name} deleted. Its past alerts stay in the list.")
    return redirect(Showing(request, user, caller, "rule-remove").to("rules"))


def _place(request: HttpRequest) -> tuple[Sorting, dict[str, str]]:
    """Read where one is in the list, or where in it a switch stood; with what its address has of that.

    Raises: `Problem` 400.
    """
    params = Params(cleaned(request.GET), (ORGANIZATION, *PARAMETERS))
    sort = sorting(params, reading.SORTS, reading.SORTS[0], rising=reading.RISING)
    return sort, {name: text for name in PARAMETERS if (text := params.text(name))}


def _form(caller: Caller, found: Rule, *given: Any, **options: Any) -> RuleForm | None:
    """Return the form of a rule; None for those who may not change it."""
    if Scope.ALERTS_WRITE not in caller.scopes:
        return None
    told = reading.channel_choices(caller)
    built_in = Condition(found.condition) if found.code else None
    return RuleForm(*given, channels=told, built_in=built_in, **options)


def _rule(showing: Showing, found: Rule, form: RuleForm | None) -> HttpResponse:
    caller = showing.caller
    key = str(found.pk)
    context = {
        "rule": reading.read_one(caller, found, showing.to),
        "form": form,
        "metrics": reading.METRIC_NAMES,
        "change": showing.to("rule-change", key) if form is not None else "",
        "back": showing.to("rules"),
        "here": showing.to("rule", key),
    }
    is_wrong = form is not None and bool(form.errors)
    return showing.render("portal/alerts/rule.html", context, status=422 if is_wrong else 200)


def _blame(form: RuleForm, error: Exception) -> None:
    problem = error if isinstance(error, Problem) else as_problem(error)
    if problem is None:
        raise error
    form.blame(problem)
