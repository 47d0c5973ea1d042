"""Imports: a file uploaded, its columns told apart, taken in, and followed."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import FileResponse, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect

from core import clock
from core.params import Params
from core.problems import not_found
from organizations.models import User
from organizations.roles import Scope
from organizations.tenancy import Caller
from portal import timeline
from portal.filters import cleaned
from portal.forms_imports import UploadForm
from portal.links import ORGANIZATION
from portal.reading import import_draft
from portal.reading import imports as reading
from portal.reading.exports import size
from portal.registry import READ, WRITE, Entry, Group, page
from portal.showing import Showing
from portal.uploads import was_too_large
from usage.imports.errors import ImportProblem
from usage.imports.jobs import files, services
from usage.imports.jobs.queries import import_of
from usage.models import Import, ImportState


@page(
    Entry("imports", "imports/", Scope.USAGE_WRITE, label="Imports", group=Group.BUILD, place=2),
    (*READ, *WRITE),
)
def imports(request: HttpRequest, user: User, caller: Caller) -> HttpResponse:
    """Show imports, and keep a file that is uploaded."""
    showing = Showing(request, user, caller, "imports")
    most = size(settings.IMPORT_MAX_BYTES)
    form = UploadForm(most=most)
    if request.method == "POST":
        form = UploadForm(request.POST, request.FILES, most=most, is_too_large=was_too_large(request))
        if form.is_valid() and (kept := _receive(caller, form)) is not None:
            return redirect(showing.to("import", str(kept.pk)))
    line = timeline.read(Params(cleaned(request.GET), (ORGANIZATION, *timeline.NAMES)), showing)
    found = reading.read(caller, line, showing.to)
    context = {
        "imports": found,
        "form": form,
        "times": [line.column("Uploaded")],
        **line.context(line.following(found.after)),
    }
    status = 413 if was_too_large(request) else 422 if form.errors else 200
    return showing.render("portal/imports.html", context, status=status)


@page(
    Entry("import", "imports/<uuid:import_id>/", Scope.USAGE_WRITE, under="imports"),
    (*READ, *WRITE),
)
def one(request: HttpRequest, user: User, caller: Caller, import_id: UUID) -> HttpResponse:
    """Show an import; of a draft, keep what is chosen, and start it."""
    showing = Showing(request, user, caller, "import")
    found = import_of(caller.organization_id, import_id)
    here = showing.to("import", str(import_id))
    context: dict[str, Any] = {
        "one": reading.one(found, caller, clock.now(), showing.to),
        "here": here,
        "cancel": showing.to("import-cancel", str(import_id)),
        "back": showing.to("imports"),
    }
    if found.state != ImportState.DRAFT:
        return redirect(here) if request.method == "POST" else showing.render("portal/import.html", context)
    is_whole = showing.layout is not None
    try:
        draft = import_draft.read(found, request.POST if request.method == "POST" else None, caller)
    except ImportProblem as problem:
        return showing.render("portal/import.html", {**context, "problem": str(problem)})
    if request.method == "POST" and draft.is_valid and is_whole:
        if "start" in request.POST:
            services.start(found)
        return redirect(here)
    return showing.render(
        "portal/import.html",
        {**context, "draft": draft},
        status=200 if draft.is_valid or not is_whole else 422,
    )


@page(Entry("import-cancel", "imports/<uuid:import_id>/cancel/", Scope.USAGE_WRITE, under="imports"), WRITE)
def cancel(request: HttpRequest, user: User, caller: Caller, import_id: UUID) -> HttpResponse:
    """End an import, or discard a draft."""
    showing = Showing(request, user, caller, "import-cancel")
    found = import_of(caller.organization_id, import_id)
    if not services.cancel(found):
        messages.info(request, "The import had ended already.")
    elif found.state == ImportState.DRAFT:
        messages.success(request, f"{found.name} was discarded.")
        return redirect(showing.to("imports"))
    return redirect(showing.to("import", str(import_id)))


@page(Entry("import-refused", "imports/<uuid:import_id>/refused/", Scope.USAGE_WRITE, under="imports"))
def refused(request: HttpRequest, user: User, caller: Caller, import_id: UUID) -> HttpResponseBase:
    """Answer the refused lines as CSV."""
    found = import_of(caller.organization_id, import_id)
    try:
        file = files.storage().open(found.refusals_file) if found.refusals_file else None
    except FileNotFoundError:
        file = None
    if file is None:
        raise not_found("There are no refused lines of this import, or they are no longer kept.")
    return FileResponse(
        file, as_attachment=True, filename=f"refused-lines-{found.pk}.csv", content_type="text/csv"
    )


def _receive(caller: Caller, form: UploadForm) -> Import | None:
    file = form.cleaned_data["file"]
    try:
        return services.receive(caller=caller, name=file.name, file=file)
    except ImportProblem as problem:
        form.add_error("file", str(problem))
        return None
