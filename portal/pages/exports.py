"""Exports: asked for, followed, and taken."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect

from core import clock
from core.params import Params
from core.periods import day_bounds, zone
from core.problems import Problem
from organizations.models import User
from organizations.roles import Scope
from organizations.tenancy import Caller
from portal import timeline
from portal.filters import cleaned
from portal.forms import ExportForm
from portal.links import ORGANIZATION
from portal.reading import exports as reading
from portal.reading import reports
from portal.registry import READ, WRITE, Entry, Group, page
from portal.showing import Showing
from usage.exports import access, services


@page(
    Entry("exports", "exports/", Scope.USAGE_READ, label="Exports", group=Group.BUILD, place=2),
    (*READ, *WRITE),
)
def exports(request: HttpRequest, user: User, caller: Caller) -> HttpResponse:
    """Show exports, and note one that is asked for."""
    showing = Showing(request, user, caller, "exports")
    form = ExportForm(request.POST or None, datasets=access.readable(caller))
    if request.method == "POST" and form.is_valid():
        try:
            _ask(caller, form.cleaned_data)
        except Problem as problem:
            form.blame(problem)
        else:
            messages.success(request, "Export started. Its file will appear below.")
            return redirect(showing.here())
    line = timeline.read(Params(cleaned(request.GET), (ORGANIZATION, *timeline.NAMES)), showing)
    found = reading.read(caller, line, showing.to)
    context = {
        "exports": found,
        # What asks for the changing part has these.
        "reports": reports.read(caller, clock.now(), showing.to) if showing.layout else None,
        "form": form,
        "allowed": caller.plan.exports,
        "times": [line.column("Requested")],
        **line.context(line.following(found.after)),
    }
    return showing.render("portal/exports.html", context, status=422 if form.errors else 200)


@page(Entry("export-file", "exports/<uuid:export_id>/file/", Scope.USAGE_READ, under="exports"))
def file(request: HttpRequest, user: User, caller: Caller, export_id: UUID) -> HttpResponseBase:
    """Answer an export's file."""
    return access.download(caller, access.export_for(caller, export_id))


def _ask(caller: Caller, asked: dict[str, Any]) -> None:
    tz = zone(caller.timezone)
    first, last = asked["first"], asked["last"]
    services.request_export(
        caller=caller,
        dataset=asked["dataset"],
        format_=asked["format"],
        window=access.window(
            caller,
            _bound(first, lambda day: day_bounds(day, tz).start),
            _bound(last, lambda day: day_bounds(day, tz).end),
        ),
    )


def _bound(day: date | None, of: Any) -> datetime | None:
    return None if day is None else of(day)
