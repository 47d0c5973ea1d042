from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.backends.db import SessionStore
from django.db import connection
from django.http import HttpRequest
from django.test import RequestFactory

from core import keys
from core.problems import Problem
from organizations import door
from organizations.door import (
    caller_from_key,
    caller_from_session,
    choose_organization,
    enter,
    holds,
    memberships_of,
    recall,
)
from organizations.models import Credential, Organization, User
from organizations.roles import ALL_SCOPES, Role
from organizations.services import CreatedOrganization, revoke_credential, rotate_credential
from organizations.tenancy import system_scope
from tests.organizations.cast import caller, make_key, make_member, make_user

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


def request_of(
    user: User | AnonymousUser,
    *,
    header: str | None = None,
    named: str | None = None,
    chosen: str | None = None,
) -> HttpRequest:
    query = {"organization": named} if named else {}
    request = RequestFactory().get("/", query, headers={"X-Organization": header} if header else {})
    request.user = user
    request.session = SessionStore()
    if chosen is not None:
        request.session["organization"] = chosen
    return request


def refusal(header: str | None) -> Problem:
    with pytest.raises(Problem) as caught:
        caller_from_key(header)
    return caught.value


def last_use(client_id: str) -> datetime | None:
    with system_scope():
        return Credential.objects.get(client_id=client_id).last_used_at


def test_a_key_becomes_its_organization_with_its_terms(acme: CreatedOrganization) -> None:
    credential = acme.issued.credential
    assert caller_from_key(f"Bearer {acme.issued.key}") == caller(
        organization_id=acme.organization.pk,
        organization=acme.organization.slug,
        credential_id=credential.pk,
        client_id=credential.client_id,
        scopes=frozenset(ALL_SCOPES),
    )


def test_an_organizations_own_rate_goes_before_its_plans(acme: CreatedOrganization) -> None:
    with system_scope():
        Organization.objects.filter(pk=acme.organization.pk).update(
            requests_per_minute=7, timezone="Asia/Kathmandu", currency="NPR"
        )
    found = caller_from_key(f"Bearer {acme.issued.key}")
    assert found.plan.requests_per_minute == 7
    assert (found.timezone, found.rollup_timezone, found.currency) == ("Asia/Kathmandu", "UTC", "NPR")


def test_the_scheme_is_read_in_any_case(acme: CreatedOrganization) -> None:
    assert caller_from_key(f"bearer  {acme.issued.key} ").organization == acme.organization.slug


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer ", "Basic abc", "hr_abc", "Token hr_abc"])
def test_without_a_key_there_is_a_challenge_and_no_query(header: str | None) -> None:
    problem = refusal(header)  # a test that does not ask for the database can't reach it
    assert (problem.status, problem.code) == (401, "unauthorized")
    assert problem.headers == {"WWW-Authenticate": 'Bearer realm="Headroom"'}


def test_a_mistyped_key_is_refused_before_the_database_is_asked(
    acme: CreatedOrganization, django_assert_num_queries: Any
) -> None:
    key = acme.issued.key
    typo = key[:10] + ("a" if key[10] != "a" else "b") + key[11:]
    for bad in (typo, key[:-1], key + "0", key.swapcase(), "é" * 39, "\ud800"):
        with django_assert_num_queries(0):
            problem = refusal(f"Bearer {bad}")
        assert (problem.status, problem.code) == (401, "invalid_key")
        assert problem.headers["WWW-Authenticate"] == 'Bearer realm="Headroom", error="invalid_token"'


def test_an_unknown_key_costs_one_query(db: Any, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(1):
        problem = refusal(f"Bearer {keys.generate()}")
    assert (problem.status, problem.code) == (401, "invalid_key")


def test_a_known_key_costs_one_query(acme: CreatedOrganization, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(1):
        caller_from_key(f"Bearer {acme.issued.key}")


def test_a_revoked_key_is_known_and_refused(acme: CreatedOrganization) -> None:
    revoke_credential(organization_id=acme.organization.pk, client_id=acme.issued.credential.client_id)
    problem = refusal(f"Bearer {acme.issued.key}")
    assert (problem.status, problem.code) == (403, "credential_revoked")
    assert last_use(acme.issued.credential.client_id) is None


def test_a_rotated_key_is_unknown_and_its_successor_works(acme: CreatedOrganization) -> None:
    issued = rotate_credential(
        organization_id=acme.organization.pk, client_id=acme.issued.credential.client_id
    )
    assert refusal(f"Bearer {acme.issued.key}").status == 401
    assert caller_from_key(f"Bearer {issued.key}").client_id == acme.issued.credential.client_id


def test_the_last_use_is_noted_once_a_minute(acme: CreatedOrganization) -> None:
    header, client_id = f"Bearer {acme.issued.key}", acme.issued.credential.client_id
    noted = []
    for seconds in (0, 1, 59.999, 60, 61, 119, 121):
        with time_machine.travel(NOON + timedelta(seconds=seconds), tick=False):
            caller_from_key(header)
        noted.append(last_use(client_id))
    minute = timedelta(minutes=1)
    assert noted == [
        NOON,
        NOON,
        NOON,
        NOON + minute,
        NOON + minute,
        NOON + minute,
        NOON + minute + timedelta(seconds=61),
    ]


def test_a_key_opens_its_own_organization_only(
    acme: CreatedOrganization, globex: CreatedOrganization
) -> None:
    assert caller_from_key(f"Bearer {globex.issued.key}").organization_id == globex.organization.pk
    assert caller_from_key(f"Bearer {acme.issued.key}").organization_id == acme.organization.pk


def test_a_key_has_the_scopes_it_was_given(acme: CreatedOrganization) -> None:
    issued = make_key(acme, "usage:read", "usage:write")
    assert caller_from_key(f"Bearer {issued.key}").scopes == {"usage:read", "usage:write"}


def test_the_door_opens_no_scope(acme: CreatedOrganization) -> None:
    caller_from_key(f"Bearer {acme.issued.key}")
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM organizations_credential")
        assert cursor.fetchone() == (0,)


def test_who_entered_is_remembered_without_a_query(
    acme: CreatedOrganization, django_assert_num_queries: Any
) -> None:
    header = f"Bearer {acme.issued.key}"
    assert recall(header) is None
    entry = enter(header)
    with django_assert_num_queries(0):
        assert recall(header) is entry
        assert recall(f"Bearer {keys.generate()}") is None
    with django_assert_num_queries(1):
        assert holds(entry)
    assert entry.caller == caller_from_key(header)


CHANGES = {
    "revoked": "UPDATE organizations_credential SET revoked_at = now()",
    "scopes": "UPDATE organizations_credential SET scopes = '{usage:read}'",
    "key": "UPDATE organizations_credential SET key_hash = sha256(key_hash)",
    "name": "UPDATE organizations_organization SET name = 'Other'",
    "time zone": "UPDATE organizations_organization SET timezone = 'Asia/Kathmandu'",
    "currency": "UPDATE organizations_organization SET currency = 'NPR'",
    "own rate": "UPDATE organizations_organization SET requests_per_minute = 7",
    "plan": "UPDATE organizations_organization SET plan_id = (SELECT max(id) FROM organizations_plan"
    " WHERE slug = 'free')",
    "history": "UPDATE organizations_plan SET history_days = 3",
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_what_is_remembered_holds_until_anything_of_it_changes(
    acme: CreatedOrganization, change: str
) -> None:
    entry = enter(f"Bearer {acme.issued.key}")
    with time_machine.travel(NOON), system_scope():
        assert holds(entry)  # noting the use is no change
        assert holds(entry)
        with connection.cursor() as cursor:
            cursor.execute(change)
        assert not holds(entry)


def test_a_key_that_is_refused_is_forgotten(acme: CreatedOrganization) -> None:
    header = f"Bearer {acme.issued.key}"
    enter(header)
    revoke_credential(organization_id=acme.organization.pk, client_id=acme.issued.credential.client_id)
    assert refusal(header).code == "credential_revoked"
    assert recall(header) is None


def test_no_more_entries_are_remembered_than_there_is_room_for(
    acme: CreatedOrganization, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(door, "_REMEMBERED", 2)
    monkeypatch.setattr(door, "_entries", {})
    headers = [f"Bearer {make_key(acme, 'usage:read').key}" for _ in range(3)]
    for header in headers:
        enter(header)
        enter(header)
    assert [recall(header) is not None for header in headers] == [False, False, True]


def test_a_member_becomes_their_organization_with_their_roles_scopes(acme: CreatedOrganization) -> None:
    analyst = make_member(acme, Role.ANALYST)
    found = caller_from_session(request_of(analyst))
    assert asdict(found) == asdict(
        caller(
            organization_id=acme.organization.pk,
            organization=acme.organization.slug,
            user_id=analyst.pk,
            role="analyst",
            scopes=frozenset({"usage:read", "billing:read"}),
        )
    )


def test_the_header_chooses_before_the_session_before_the_name(
    acme: CreatedOrganization, globex: CreatedOrganization
) -> None:
    from organizations.services import add_member

    add_member(organization_id=globex.organization.pk, user_id=acme.owner.pk, role=Role.ANALYST)
    mine, theirs = acme.organization.slug, globex.organization.slug
    assert caller_from_session(request_of(acme.owner)).organization == mine
    assert caller_from_session(request_of(acme.owner, chosen=theirs)).organization == theirs
    assert caller_from_session(request_of(acme.owner, chosen=theirs, header=mine)).organization == mine
    assert caller_from_session(request_of(acme.owner, chosen=theirs, named=mine)).organization == mine
    assert caller_from_session(request_of(acme.owner, header=mine, named=mine)).organization == mine
    assert caller_from_session(request_of(acme.owner, chosen="gone")).organization == mine
    with pytest.raises(Problem, match="400 invalid_parameter"):
        caller_from_session(request_of(acme.owner, header=mine, named=theirs))
    assert [membership.role for membership in memberships_of(acme.owner)] == ["owner", "analyst"]


def test_choosing_is_kept_in_the_session_and_only_ones_own(
    acme: CreatedOrganization, globex: CreatedOrganization
) -> None:
    request = request_of(acme.owner)
    choose_organization(request, acme.organization.slug)
    assert request.session["organization"] == acme.organization.slug
    with pytest.raises(Problem, match="403 not_a_member"):
        choose_organization(request, globex.organization.slug)
    with pytest.raises(Problem, match="401"):
        choose_organization(request_of(AnonymousUser()), acme.organization.slug)


def test_an_organization_that_is_anothers_and_one_that_is_not_there_look_the_same(
    acme: CreatedOrganization, globex: CreatedOrganization
) -> None:
    details = []
    for slug in (globex.organization.slug, "nowhere"):
        with pytest.raises(Problem, match="403 not_a_member"):
            caller_from_session(request_of(acme.owner, named=slug))
        with pytest.raises(Problem) as caught:
            caller_from_session(request_of(acme.owner, header=slug))
        details.append((caught.value.status, caught.value.code, caught.value.detail.replace(slug, "…")))
    assert details[0] == details[1] == (403, "not_a_member", "You do not belong to an organization '…'.")


def test_who_belongs_nowhere_or_is_not_signed_in_is_refused(db: Any) -> None:
    with pytest.raises(Problem, match="403 not_a_member"):
        caller_from_session(request_of(make_user()))
    with pytest.raises(Problem, match="401 unauthorized"):
        caller_from_session(request_of(AnonymousUser()))
    gone = make_user()
    gone.is_active = False
    with pytest.raises(Problem, match="401 unauthorized"):
        caller_from_session(request_of(gone))
