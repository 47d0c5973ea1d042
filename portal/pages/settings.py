"""Settings: the organization, its people, and who changed what."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from core import clock
from core.params import Params
from core.problems import Problem
from organizations import queries, services
from organizations.audit import KINDS
from organizations.models import User
from organizations.roles import Role, Scope, may_assign
from organizations.tenancy import Caller
from portal import mail, timeline
from portal.filters import cleaned
from portal.forms import InviteForm, OrganizationForm
from portal.layout import Link
from portal.links import ORGANIZATION
from portal.reading import audit as trail
from portal.reading import channels
from portal.reading import settings as reading
from portal.registry import READ, WRITE, Entry, Group, page
from portal.showing import Showing
from portal.tables import PARAMETERS, Sorting, page_number, sorting

TABS: Final = {
    "settings": "Organization",
    "members": "Members",
    "webhooks": "Webhook secrets",
    "audit": "Audit trail",
}
MEMBERS_PLACE: Final = ("search", *PARAMETERS, "invitations")
WEBHOOKS_PLACE: Final = ("sort", "order")
AUDIT_SIZE: Final = 50
SCOPE: Final = Scope.USAGE_READ


@page(
    Entry("settings", "settings/", SCOPE, managers=True, label="Settings", group=Group.MANAGE, place=9),
    (*READ, *WRITE),
)
def settings(request: HttpRequest, user: User, caller: Caller) -> HttpResponse:
    """Show the organization, and change its name and time zone."""
    showing = Showing(request, user, caller, "settings")
    organization = queries.organization(caller.organization_id)
    now = {
        "name": organization.name,
        "timezone": organization.timezone,
        "second_factor": organization.require_second_factor,
    }
    form = OrganizationForm(request.POST or None, initial=now)
    if request.method == "POST" and form.is_valid():
        try:
            _change(caller, form)
        except Problem as problem:
            form.blame(problem)
        else:
            messages.success(request, "Settings saved.")
            return redirect(showing.here())
    context = {"form": form, "organization": organization, "tabs": _tabs(showing)}
    return showing.render("portal/settings.html", context, status=422 if form.errors else 200)


@page(Entry("members", "settings/members/", SCOPE, managers=True, under="settings"))
def members(request: HttpRequest, user: User, caller: Caller) -> HttpResponse:
    """Show the members, and the invitations that are open."""
    showing = Showing(request, user, caller, "members")
    return _members(showing, InviteForm(roles=_roles(caller)), _place(request))


@page(Entry("invite", "settings/members/invite/", SCOPE, managers=True, under="settings"), WRITE)
def invite(request: HttpRequest, user: User, caller: Caller) -> HttpResponse:
    """Offer a membership: by e-mail, and as a link to hand over."""
    showing, place = Showing(request, user, caller, "members"), _place(request)
    form = InviteForm(request.POST, roles=_roles(caller))
    if not form.is_valid():
        return _members(showing, form, place)
    try:
        issued = services.invite(
            organization_id=caller.organization_id,
            invited_by_id=user.pk,
            by_role=caller.role,
            **form.cleaned_data,
        )
    except Problem as problem:
        form.blame(problem)
        return _members(showing, form, place)
    link = request.build_absolute_uri(showing.to("invitation", issued.token).partition("?")[0])
    mail.invite(issued.invitation, caller.organization_name, user, link)
    made = {"email": issued.invitation.email, "link": link}
    return _members(showing, InviteForm(roles=_roles(caller)), place, made=made)


@page(
    Entry("withdraw", "settings/members/withdraw/<int:invitation>/", SCOPE, managers=True, under="settings"),
    WRITE,
)
def withdraw(request: HttpRequest, user: User, caller: Caller, invitation: int) -> HttpResponse:
    """End an open invitation."""
    place = _place(request)
    services.withdraw_invitation(organization_id=caller.organization_id, invitation_id=invitation)
    messages.success(request, "Invitation revoked.")
    return redirect(Showing(request, user, caller, "members").here(**place.given))


@page(Entry("role", "settings/members/<int:member>/role/", SCOPE, managers=True, under="settings"), WRITE)
def role(request: HttpRequest, user: User, caller: Caller, member: int) -> HttpResponse:
    """Give a member another role."""
    place = _place(request)
    wanted = request.POST.get("role", "")
    if wanted not in Role.values:
        raise Problem(status=422, code="invalid", detail=f"Choose one of {', '.join(Role.labels)}.")
    changed = services.change_role(
        organization_id=caller.organization_id, user_id=member, role=wanted, by_role=caller.role
    )
    messages.success(request, f"Role changed to {Role(changed.role).label}.")
    return redirect(Showing(request, user, caller, "members").here(**place.given))


@page(Entry("remove", "settings/members/<int:member>/remove/", SCOPE, managers=True, under="settings"), WRITE)
def remove(request: HttpRequest, user: User, caller: Caller, member: int) -> HttpResponse:
    """End a membership."""
    place = _place(request)
    services.remove_member(organization_id=caller.organization_id, user_id=member, by_role=caller.role)
    messages.success(request, "Member removed.")
    return redirect(Showing(request, user, caller, "members").here(**place.given))


@page(Entry("webhooks", "settings/webhooks/", Scope.ALERTS_WRITE, managers=True, under="settings"))
def webhooks(request: HttpRequest, user: User, caller: Caller) -> HttpResponse:
    """Show the webhooks whose messages are signed, and offer new secrets."""
    showing = Showing(request, user, caller, "webhooks")
    params = Params(cleaned(request.GET), (ORGANIZATION, *WEBHOOKS_PLACE))
    names = channels.SIGNING_SORTS
    sort = sorting(params, names, names[0], rising=channels.RISING)
    context = {
        "webhooks": channels.signing(caller, sort, clock.now(), showing.to, showing.here),
        "tabs": _tabs(showing),
        "new": showing.to("channel-new", kind="webhook"),
        "here": showing.here(**{name: params.text(name, "") or "" for name in WEBHOOKS_PLACE}),
    }
    return showing.render("portal/webhooks.html", context)


@page(Entry("audit", "settings/audit/", SCOPE, managers=True, under="settings"))
def audit(request: HttpRequest, user: User, caller: Caller) -> HttpResponse:
    """Show who changed what."""
    showing = Showing(request, user, caller, "audit")
    params = Params(cleaned(request.GET), (ORGANIZATION, "kind", *timeline.NAMES))
    kind = params.choice("kind", sorted(KINDS), "")
    line = timeline.read(params, showing, {"kind": kind})
    found = trail.audit(caller, line.page(AUDIT_SIZE), kind)
    names = {"": "All", **{name: trail.kind_label(name) for name in sorted(KINDS)}}
    context = {
        "audit": found,
        "tabs": _tabs(showing),
        "kinds": [Link(label, line.at(kind=name), name == kind) for name, label in names.items()],
        "times": [line.column()],
        **line.context(found.cursor),
    }
    return showing.render("portal/audit.html", context)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where one is on the page of members; ``given`` is what its address has of that."""

    sort: Sorting
    search: str
    invitations: int
    given: dict[str, str]


def _place(request: HttpRequest) -> _Place:
    """Read where one is on the page of members, or where on it a form stood.

    Raises: `Problem` 400.
    """
    params = Params(cleaned(request.GET), (ORGANIZATION, *MEMBERS_PLACE))
    return _Place(
        sort=sorting(params, reading.SORTS, reading.SORTS[0], rising=reading.SORTS),
        search=params.text("search", "") or "",
        invitations=page_number(params, "invitations"),
        given={name: text for name in MEMBERS_PLACE if (text := params.text(name))},
    )


def _members(
    showing: Showing, form: InviteForm, at: _Place, *, made: dict[str, str] | None = None
) -> HttpResponse:
    caller, sort = showing.caller, at.sort
    order = {"sort": sort.by, "order": "desc" if sort.descending else "asc"}
    place = {"search": at.search, **order, "page": str(sort.page), "invitations": str(at.invitations)}

    def here(**parameters: str) -> str:
        return showing.here(**{**place, **parameters})

    to: reading.To = partial(showing.to, **at.given)
    context: dict[str, Any] = {
        "members": reading.people(caller, sort, at.search, to=to, here=partial(here, page="")),
        "invitations": reading.invitations(caller, at.invitations, to=to, here=here),
        "search": at.search,
        "sorting": order,
        "action": showing.here().partition("?")[0],
        "kept": showing.kept,
        "form": form,
        "made": made,
        "roles": _roles(caller),
        "invite": to("invite"),
        "tabs": _tabs(showing),
    }
    return showing.render("portal/members.html", context, status=422 if form.errors else 200)


def _change(caller: Caller, form: OrganizationForm) -> None:
    wanted = form.cleaned_data
    if "name" in form.changed_data:
        services.rename(organization_id=caller.organization_id, name=wanted["name"])
    if "timezone" in form.changed_data:
        services.set_timezone(organization_id=caller.organization_id, timezone=wanted["timezone"])
    if "second_factor" in form.changed_data:
        services.require_second_factor(
            organization_id=caller.organization_id, required=wanted["second_factor"], by_id=caller.user_id
        )


def _roles(caller: Caller) -> list[tuple[str, str]]:
    """Return the roles that the member may give."""
    return [(one.value, one.label) for one in Role if may_assign(caller.role or "", one.value)]


def _tabs(showing: Showing) -> list[Link]:
    return [Link(label, showing.to(name), name == showing.name) for name, label in TABS.items()]
