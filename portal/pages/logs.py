"""The usage logs: every record, with filters; and one of them in full."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse

from core import clock
from core.moments import format_moment, parse_moment
from core.params import Params
from core.problems import invalid_parameter
from organizations.models import User
from organizations.roles import Scope
from organizations.tenancy import Caller
from portal import filters, timeline, times
from portal.bar import bar
from portal.filters import params_of
from portal.links import ORGANIZATION
from portal.reading import logs as reading
from portal.reading.asking import Asker
from portal.registry import Entry, Group, page
from portal.showing import Showing
from usage.links import LINKS
from usage.reading import STATUS_CODES

_FORM = ("metaKey", "metaValue", "link", "linkId")
_NAMES = {
    **reading.LABELS,
    "missing": "Missing",
    "createdAt": "Stored",
    "since": "Since",
    "before": "Before",
}


@page(Entry("logs", "logs/", Scope.USAGE_READ, label="Usage logs", group=Group.ANALYZE, place=3))
def logs(request: HttpRequest, user: User, caller: Caller) -> HttpResponse:
    """Show records, newest first unless they are asked for from the oldest on."""
    showing = Showing(request, user, caller, "logs")
    params = params_of(request.GET, (*reading.OWN, *reading.MOMENTS, *_FORM, *timeline.NAMES), deep=("meta",))
    now = clock.now()
    chosen = filters.read(params, caller, now)
    own = _own(params)
    line = timeline.read(params, showing, {**chosen.parameters, **own})
    found = reading.read(caller, chosen, own, now, line=line, to=showing.to)
    fixed = {name: value for name, value in own.items() if name not in ("status", "type")}
    context = {
        # Other days or another model are chosen from whole days again.
        "bar": bar(
            showing,
            Asker(caller, chosen),
            _without(fixed, *reading.MOMENTS) | line.kept,
            elsewhere=_without(own, *reading.MOMENTS) | line.kept,
        ),
        "logs": found,
        # What the form beside the bar hands on: all that is chosen already and is not among its fields.
        "hidden": {**chosen.parameters, **_without(own, *reading.LABELS), **line.kept}
        | ({"organization": showing.kept} if showing.kept else {}),
        "status": own.get("status", ""),
        "type": own.get("type", ""),
        "own": own,
        "codes": (STATUS_CODES[0], STATUS_CODES[-1]),
        "links": LINKS,
        "tags": [
            (_NAMES.get(name, name), _said(name, value, chosen), line.at(**{name: ""}))
            for name, value in fixed.items()
        ],
        **line.context(found.following),
        "is_first": "cursor" not in params,
    }
    response = showing.render("portal/logs.html", context)
    if any(name in request.GET for name in _FORM):
        # What the form calls by two fields has one name in addresses.
        response["HX-Push-Url"] = line.at()
    return response


@page(Entry("record", "logs/<path:record_id>/", Scope.USAGE_READ, under="logs"))
def record(request: HttpRequest, user: User, caller: Caller, record_id: str) -> HttpResponse:
    """Show one record in full."""
    showing = Showing(request, user, caller, "record")
    now = clock.now()
    chosen = filters.read(Params(request.GET, (ORGANIZATION,)), caller, now)
    found = reading.read_one(caller, record_id, chosen, now, showing.to)
    return showing.render("portal/record.html", {"record": found, "back": showing.to("logs")})


def _own(params: Params) -> dict[str, str]:
    """Return the page's own filters, as the API calls them."""
    found: dict[str, Any] = {name: params.text(name) for name in reading.OWN}
    found |= {f"meta[{key}]": value for key, value in params.deep("meta").items()}
    moments = {name: params.moment(name) for name in reading.MOMENTS}
    found |= {name: format_moment(moment) for name, moment in moments.items() if moment is not None}
    if (key := params.text("metaKey")) is not None:
        found[f"meta[{key}]"] = params.text("metaValue", "")
    if (name := params.text("link")) is not None:
        if name not in LINKS:
            raise invalid_parameter("link", f"Invalid link: {name[:40]!r}; accepted: {', '.join(LINKS)}.")
        found[name] = params.text("linkId")
    return {name: value for name, value in found.items() if value}


def _said(name: str, value: str, chosen: filters.Filters) -> str:
    """Write a filter's value, moments as the organization's clocks show them."""
    is_moment = name in (*reading.MOMENTS, "createdAt")
    return times.second(parse_moment(value), chosen.zone) if is_moment else value


def _without(own: dict[str, str], *names: str) -> dict[str, str]:
    return {key: value for key, value in own.items() if key not in names}
