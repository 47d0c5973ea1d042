"""Scheduled reports: made, changed, sent by hand, ended, and one's own subscription to them."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from alerts.consent.services import unmute
from alerts.reports import queries, services
from core.problems import Problem
from organizations.models import Membership, User
from organizations.roles import Scope
from organizations.tenancy import Caller
from portal.forms import ReportForm
from portal.reading import reports as reading
from portal.registry import READ, WRITE, Entry, page
from portal.showing import Showing

SCOPE: Final = Scope.ALERTS_WRITE
AGAIN: Final = "again"


@page(Entry("report-new", "exports/reports/new/", SCOPE, under="exports"), (*READ, *WRITE))
def make(request: HttpRequest, user: User, caller: Caller) -> HttpResponse:
    """Ask what a new report is to be, and make it."""
    showing = Showing(request, user, caller, "report-new")
    form = _form(request, caller, {"members": [user.email]})
    if request.method == "POST" and form.is_valid():
        try:
            services.create_report(
                organization_id=caller.organization_id, created_by_id=user.pk, **form.terms()
            )
        except Problem as problem:
            form.blame(problem)
        else:
            messages.success(request, f"Report {form.cleaned_data['name']} scheduled.")
            return redirect(showing.to("exports"))
    return _shown(showing, form, "Schedule report", "Schedule report")


@page(Entry("report", "exports/reports/<uuid:report_id>/", SCOPE, under="exports"), (*READ, *WRITE))
def change(request: HttpRequest, user: User, caller: Caller, report_id: UUID) -> HttpResponse:
    """Show what a report is, and change it."""
    showing = Showing(request, user, caller, "report")
    found = queries.report(caller.organization_id, report_id)
    form = _form(request, caller, reading.chosen(found))
    if request.method == "POST" and form.is_valid():
        try:
            services.change_report(
                organization_id=caller.organization_id, report_id=report_id, **form.terms()
            )
        except Problem as problem:
            form.blame(problem)
        else:
            messages.success(request, f"Report {form.cleaned_data['name']} saved.")
            return redirect(showing.to("exports"))
    return _shown(showing, form, found.name, "Save")


@page(Entry("report-send", "exports/reports/<uuid:report_id>/send/", SCOPE, under="exports"), WRITE)
def send(request: HttpRequest, user: User, caller: Caller, report_id: UUID) -> HttpResponse:
    """Send the last report that was due to the member who asks."""
    told = services.request_test(organization_id=caller.organization_id, report_id=report_id, user_id=user.pk)
    messages.success(request, f"The latest report is on its way to {told.recipient}.")
    return _back(request, user, caller)


@page(Entry("report-end", "exports/reports/<uuid:report_id>/end/", SCOPE, under="exports"), WRITE)
def end(request: HttpRequest, user: User, caller: Caller, report_id: UUID) -> HttpResponse:
    """End a report for good."""
    services.delete_report(organization_id=caller.organization_id, report_id=report_id)
    messages.success(request, "Report deleted. It will no longer be sent.")
    return _back(request, user, caller)


@page(
    Entry(
        "report-subscription",
        "exports/reports/<uuid:report_id>/subscription/",
        Scope.USAGE_READ,
        under="exports",
    ),
    WRITE,
)
def subscription(request: HttpRequest, user: User, caller: Caller, report_id: UUID) -> HttpResponse:
    """End one's own subscription to a report, or take that back."""
    asked: dict[str, Any] = {"organization_id": caller.organization_id, "report_id": report_id}
    if request.POST.get("action") == AGAIN:
        services.subscribe_again(user_id=user.pk, **asked)
        messages.success(request, "You are subscribed to the report again.")
    else:
        services.unsubscribe(user_id=user.pk, **asked)
        messages.success(request, "You are unsubscribed from the report.")
    return _back(request, user, caller)


@page(Entry("alert-mails", "exports/alert-mails/", Scope.USAGE_READ, under="exports"), WRITE)
def alert_mails(request: HttpRequest, user: User, caller: Caller) -> HttpResponse:
    """Have oneself sent mails of alerts again, after one unsubscribed."""
    unmute(Membership.objects.get(organization_id=caller.organization_id, user=user))
    messages.success(request, "You are subscribed to alert e-mails again.")
    return _back(request, user, caller)


def _form(request: HttpRequest, caller: Caller, initial: dict[str, object]) -> ReportForm:
    return ReportForm(
        request.POST or None,
        initial=initial,
        members=reading.member_choices(caller),
        channels=reading.channel_choices(caller),
    )


def _shown(showing: Showing, form: ReportForm, title: str, button: str) -> HttpResponse:
    context = {"form": form, "title": title, "button": button, "back": showing.to("exports")}
    return showing.render("portal/report.html", context, status=422 if form.errors else 200)


def _back(request: HttpRequest, user: User, caller: Caller) -> HttpResponse:
    return redirect(Showing(request, user, caller, "exports").here())
