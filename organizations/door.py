"""The one door: from a key or a session to the organization it speaks for."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple

from django.contrib.auth.models import AnonymousUser
from django.db import connection
from django.http import HttpRequest

from core import clock, keys
from core.problems import Problem, forbidden, invalid_parameter, unauthorized
from organizations.factors import check_second_factor
from organizations.models import Membership, Organization, Plan, User
from organizations.roles import scopes_of
from organizations.tenancy import Caller, PlanTerms, system_scope

CHOICE_HEADER: Final = "X-Organization"
CHOICE_PARAM: Final = "organization"
SESSION_CHOICE: Final = "organization"


class _Opened(NamedTuple):
    """The row that the door's function returns, in the order of its columns."""

    organization_id: int
    organization: str
    organization_name: str
    timezone: str
    rollup_timezone: str
    currency: str
    plan: str
    plan_name: str
    history_days: int | None
    exports: bool
    requests_per_minute: int
    spend_limit: bool
    invoices: bool
    api_access: bool
    credential_id: int
    client_id: str
    scopes: list[str]
    revoked_at: datetime | None


@dataclass(frozen=True, slots=True)
class Entry:
    """What the door made of a key: the caller, and its own words for that.

    As long as the door says of ``key_hash`` what ``answer`` has as text, the caller is the same.
    """

    key_hash: bytes
    answer: str
    caller: Caller


_DOOR: Final = (
    f"SELECT {', '.join(_Opened._fields)}, opened::text FROM organizations_open_door(%s, %s) AS opened"
)
_REMEMBERED: Final = 4096
_entries: dict[bytes, Entry] = {}
"""The last entries of this process, by the hashes of their keys; each holds only where it is confirmed."""


def caller_from_key(authorization: str | None) -> Caller:
    """Return the caller that an ``Authorization: Bearer`` header stands for.

    Raises: `Problem` 401 without a key, or with one that is malformed (before the database is
    asked) or unknown; 403 ``credential_revoked``.
    Tenancy: needs no scope and opens none; notes the credential's last use once a minute.
    """
    return enter(authorization).caller


def enter(authorization: str | None) -> Entry:
    """Ask the door about an ``Authorization: Bearer`` header, and remember what it says.

    Raises: as `caller_from_key`.
    """
    key_hash = keys.hash_key(_bearer(authorization))
    _entries.pop(key_hash, None)
    with connection.cursor() as cursor:
        cursor.execute(_DOOR, [key_hash, clock.now()])
        values = cursor.fetchone()
    if values is None:
        raise _bad_key("There is no such key.")
    opened = _Opened(*values[:-1])
    if opened.revoked_at is not None:
        raise forbidden("This key has been revoked.", code="credential_revoked")
    if len(_entries) >= _REMEMBERED:
        _entries.clear()
    entry = _entries[key_hash] = Entry(key_hash, values[-1], _caller_from_key(opened))
    return entry


def recall(authorization: str | None) -> Entry | None:
    """Return what the door last said of a header in this process, without asking; None if it never did.

    It may say otherwise by now: nothing may be kept or answered for the caller before the entry has been
    confirmed, by `holds` or by the very statement that keeps it.
    """
    scheme, _, key = (authorization or "").partition(" ")
    return _entries.get(keys.hash_key(key)) if scheme == "Bearer" else None


def holds(entry: Entry) -> bool:
    """Ask the door again, and return whether it still says the same.

    Tenancy: as `caller_from_key`.
    """
    with connection.cursor() as cursor:
        cursor.execute(_DOOR, [entry.key_hash, clock.now()])
        values = cursor.fetchone()
    return values is not None and values[-1] == entry.answer


def caller_from_session(request: HttpRequest) -> Caller:
    """Return the caller that a signed-in member is, in the organization they chose.

    The choice is the ``X-Organization`` header or the parameter ``organization``, else the session's, else
    the member's first.
    Raises: `Problem` 401 when nobody is signed in, 400 when header and parameter differ, 403 when they don't
    belong to the organization chosen or to any, or have no second factor where the organization requires one.
    Tenancy: looks through the whole system for this user's memberships only.
    """
    user = request.user
    if isinstance(user, AnonymousUser) or not user.is_active:
        raise unauthorized("Sign in, or send a key in the Authorization header.")
    memberships = memberships_of(user)
    wanted = _wanted(request)
    last = request.session.get(SESSION_CHOICE)
    membership = _usual(memberships, last) if wanted is None else _chosen(memberships, wanted)
    return caller_of(membership)


def _wanted(request: HttpRequest) -> str | None:
    header, parameter = request.headers.get(CHOICE_HEADER), request.GET.get(CHOICE_PARAM)
    if header is not None and parameter is not None and header != parameter:
        raise invalid_parameter(CHOICE_PARAM, f"{CHOICE_PARAM} and the header {CHOICE_HEADER} differ.")
    return parameter if header is None else header


def caller_of(membership: Membership) -> Caller:
    """Return the caller that a member is in one organization; its organization and plan are at hand.

    Raises: `Problem` 403 without a second factor where the organization requires one.
    """
    check_second_factor(membership)
    return _caller_from_membership(membership)


def memberships_of(user: User) -> list[Membership]:
    """Return the user's memberships with their organizations and plans, by the organizations' names.

    Tenancy: looks through the whole system.
    """
    with system_scope():
        found = Membership.objects.filter(user=user).select_related("organization__plan")
        return list(found.order_by("organization__name", "organization_id"))


def choose_organization(request: HttpRequest, slug: str) -> None:
    """Keep the member's choice in the session.

    Raises: `Problem` 403 when they don't belong to it.
    """
    user = request.user
    if isinstance(user, AnonymousUser):
        raise unauthorized("Sign in to choose an organization.")
    request.session[SESSION_CHOICE] = _chosen(memberships_of(user), slug).organization.slug


def terms(plan: Plan, organization: Organization) -> PlanTerms:
    """Return what the organization is entitled to by its plan and its own override."""
    return PlanTerms(
        slug=plan.slug,
        name=plan.name,
        history_days=plan.history_days,
        exports=plan.exports,
        requests_per_minute=organization.requests_per_minute or plan.requests_per_minute,
        spend_limit=plan.spend_limit,
        invoices=plan.invoices,
        api_access=plan.api_access,
    )


def _bearer(authorization: str | None) -> str:
    if not authorization:
        raise unauthorized("Send a key: Authorization: Bearer hr_….")
    scheme, _, key = authorization.partition(" ")
    key = key.strip()
    if scheme.lower() != "bearer" or not key:
        raise unauthorized("The Authorization header must be of the form Bearer hr_….")
    if not keys.is_well_formed(key):
        raise _bad_key("The key is mistyped or cut short: its checksum does not fit.")
    return key


def _bad_key(detail: str) -> Problem:
    return unauthorized(detail, code="invalid_key", error="invalid_token")


def _caller_from_key(opened: _Opened) -> Caller:
    return Caller(
        organization_id=opened.organization_id,
        organization=opened.organization,
        organization_name=opened.organization_name,
        timezone=opened.timezone,
        rollup_timezone=opened.rollup_timezone,
        currency=opened.currency,
        plan=PlanTerms(
            slug=opened.plan,
            name=opened.plan_name,
            history_days=opened.history_days,
            exports=opened.exports,
            requests_per_minute=opened.requests_per_minute,
            spend_limit=opened.spend_limit,
            invoices=opened.invoices,
            api_access=opened.api_access,
        ),
        credential_id=opened.credential_id,
        client_id=opened.client_id,
        user_id=None,
        role=None,
        scopes=frozenset(opened.scopes),
    )


def _caller_from_membership(membership: Membership) -> Caller:
    organization = membership.organization
    return Caller(
        organization_id=organization.pk,
        organization=organization.slug,
        organization_name=organization.name,
        timezone=organization.timezone,
        rollup_timezone=organization.rollup_timezone,
        currency=organization.currency,
        plan=terms(organization.plan, organization),
        credential_id=None,
        client_id=None,
        user_id=membership.user_id,
        role=membership.role,
        scopes=scopes_of(membership.role),
    )


def _chosen(memberships: list[Membership], slug: str) -> Membership:
    for membership in memberships:
        if membership.organization.slug == slug:
            return membership
    # The same answer whether or not the organization exists.
    raise forbidden(f"You do not belong to an organization {slug[:63]!r}.", code="not_a_member")


def _usual(memberships: list[Membership], last: str | None) -> Membership:
    if not memberships:
        raise forbidden("You do not belong to any organization.", code="not_a_member")
    return next((m for m in memberships if m.organization.slug == last), memberships[0])
