"""Alerts: what fired, what still holds, and one of them in full."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from django.http import HttpRequest, HttpResponse

from alerts.events.queries import EventQuery, event
from alerts.models import Severity
from core import clock
from core.params import Params
from organizations.models import User
from organizations.roles import Scope
from organizations.tenancy import Caller
from portal import timeline
from portal.filters import cleaned
from portal.layout import Link
from portal.links import ORGANIZATION
from portal.reading import alerts as reading
from portal.registry import Entry, Group, page
from portal.showing import Showing

STATES: Final = {"": "All", "open": "Open", "resolved": "Resolved"}
SEVERITIES: Final = {"": "Any", **dict(Severity.choices)}
TABS: Final = {"alerts": "Events", "rules": "Rules", "channels": "Channels", "deliveries": "Deliveries"}
_OPEN: Final = {"open": True, "resolved": False}


@page(Entry("alerts", "alerts/", Scope.USAGE_READ, label="Alerts", group=Group.ANALYZE, place=4))
def alerts(request: HttpRequest, user: User, caller: Caller) -> HttpResponse:
    """Show events, those that hold first."""
    showing = Showing(request, user, caller, "alerts")
    params = Params(cleaned(request.GET), (ORGANIZATION, "state", "severity", *timeline.NAMES))
    state = params.choice("state", [name for name in STATES if name], "")
    severity = params.choice("severity", Severity.values, "")
    line = timeline.read(params, showing, {"state": state, "severity": severity})
    query = EventQuery(
        take=reading.PAGE,
        descending=line.descending,
        after=line.after,
        severities=(severity,) if severity else (),
        is_open=_OPEN.get(state),
    )
    found = reading.read(caller, query, showing.to)
    context = {
        "events": found,
        "tabs": tabs(showing),
        "states": [Link(said, line.at(state=one), one == state) for one, said in STATES.items()],
        "severities": [
            Link(str(said), line.at(severity=one), one == severity) for one, said in SEVERITIES.items()
        ],
        "is_filtered": bool(state or severity),
        "is_parted": not state,
        "all_open": line.at(state="open"),
        **line.context(line.following(found.after)),
    }
    return showing.render("portal/alerts/events.html", context)


@page(Entry("alert", "alerts/events/<uuid:event_id>/", Scope.USAGE_READ, under="alerts"))
def alert(request: HttpRequest, user: User, caller: Caller, event_id: UUID) -> HttpResponse:
    """Show one event in full."""
    showing = Showing(request, user, caller, "alert")
    Params(cleaned(request.GET), (ORGANIZATION,))
    found = event(caller.organization_id, event_id)
    context = {
        "alert": reading.read_one(caller, found, clock.now(), showing.to),
        "back": showing.to("alerts"),
        "here": showing.to("alert", str(event_id)),
    }
    return showing.render("portal/alerts/event.html", context)


def tabs(showing: Showing) -> list[Link]:
    """Return the parts of the alerts that the member may see."""
    may_log = Scope.ALERTS_WRITE in showing.caller.scopes
    shown = {name: label for name, label in TABS.items() if may_log or name != "deliveries"}
    return [Link(label, showing.to(name), name == showing.name) for name, label in shown.items()]
