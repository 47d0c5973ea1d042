from typing import Any

import pytest
from django.apps import apps
from django.test import Client

from organizations.audit import audit_page
from organizations.models import Credential, Organization, Plan
from organizations.roles import ALL_SCOPES, Role
from organizations.services import (
    CreatedOrganization,
    accept_invitation,
    change_plan,
    change_role,
    invite,
    remove_member,
    rename,
)
from organizations.tenancy import Actor, system_scope, tenant_scope
from tests.organizations.cast import by_key, make_key, make_member, make_user, signed_in

AUDIT = "/api/v1/audit"
KEYS = "/api/v1/keys"


def entries(client: Client, query: str = "") -> list[dict[str, Any]]:
    response = client.get(AUDIT + query)
    assert response.status_code == 200, response.content
    return list(response.json()["items"])


@pytest.fixture
def owner(acme: CreatedOrganization) -> Client:
    """Acme's owner, signed in."""
    return signed_in(acme.owner)


def test_the_trail_begins_with_the_organization_itself(acme: CreatedOrganization, owner: Client) -> None:
    told = [(entry["kind"], entry["action"], entry["subject"]) for entry in entries(owner, "?order=asc")]
    assert told == [
        ("organization", "created", acme.organization.slug),
        ("member", "created", acme.owner.email),
        ("credential", "created", acme.issued.credential.client_id),
    ]


def test_a_change_tells_who_and_from_what_to_what(acme: CreatedOrganization, owner: Client) -> None:
    with tenant_scope(acme.organization.pk, actor=Actor(kind="user", user_id=acme.owner.pk)):
        rename(organization_id=acme.organization.pk, name="Acme Ltd")
        change_plan(organization_id=acme.organization.pk, plan="enterprise")
    plan, name = entries(owner, "?take=2")
    assert name["changes"] == [{"field": "name", "before": "Acme", "after": "Acme Ltd"}]
    assert plan["changes"] == [{"field": "plan", "before": "professional", "after": "enterprise"}]
    assert plan["actor"] == {"kind": "user", "user": acme.owner.email, "clientId": None, "job": None}
    assert plan["id"] > name["id"]
    assert plan["at"].endswith("Z")


def test_what_is_done_by_key_names_the_key(acme: CreatedOrganization, owner: Client) -> None:
    client = by_key(acme.issued.key)
    made = client.post(KEYS, {"name": "CI", "scopes": ["usage:read"]}, content_type="application/json").json()
    rotated = client.post(f"{KEYS}/{made['clientId']}/rotate").json()
    client.delete(f"{KEYS}/{made['clientId']}")
    revoke, rotate, create = entries(owner, "?kind=credential&take=3")
    by = {"kind": "credential", "user": None, "clientId": acme.issued.credential.client_id, "job": None}
    assert create["actor"] == rotate["actor"] == revoke["actor"] == by
    assert {entry["subject"] for entry in (create, rotate, revoke)} == {made["clientId"]}
    assert create["changes"] == [
        {"field": "name", "before": None, "after": "CI"},
        {"field": "environment", "before": None, "after": "production"},
        {"field": "scopes", "before": None, "after": ["usage:read"]},
        {"field": "keyHint", "before": None, "after": made["keyHint"]},
    ]
    assert rotate["changes"] == [
        {"field": "keyHint", "before": made["keyHint"], "after": rotated["keyHint"]},
        {"field": "rotatedAt", "before": None, "after": rotated["rotatedAt"]},
    ]
    assert [change["field"] for change in revoke["changes"]] == ["revokedAt"]


def test_what_a_session_does_names_the_member(acme: CreatedOrganization, owner: Client) -> None:
    owner.post(KEYS, {"name": "CI", "scopes": ["usage:read"]}, content_type="application/json")
    assert entries(owner)[0]["actor"]["user"] == acme.owner.email


def test_people_come_change_and_go_in_the_trail(acme: CreatedOrganization, owner: Client) -> None:
    organization_id, user = acme.organization.pk, make_user()
    issued = invite(organization_id=organization_id, email=user.email, role="analyst", invited_by_id=None)
    accept_invitation(token=issued.token, user=user)
    change_role(organization_id=organization_id, user_id=user.pk, role=Role.ADMIN)
    remove_member(organization_id=organization_id, user_id=user.pk)
    told = [(entry["kind"], entry["action"], entry["subject"]) for entry in entries(owner, "?take=5")]
    assert told == [
        ("member", "deleted", user.email),
        ("member", "updated", user.email),
        ("member", "created", user.email),
        ("invitation", "updated", user.email),
        ("invitation", "created", user.email),
    ]
    gone = entries(owner, "?kind=member&take=1")[0]
    assert gone["changes"] == [{"field": "role", "before": "admin", "after": None}]


def test_changes_made_in_bulk_and_in_sql_are_in_the_trail_too(
    acme: CreatedOrganization, owner: Client
) -> None:
    with system_scope(actor=Actor(kind="system", job="clean-up")):
        Organization.objects.filter(pk=acme.organization.pk).update(currency="EUR")
    entry = entries(owner)[0]
    assert entry["changes"] == [{"field": "currency", "before": "USD", "after": "EUR"}]
    assert entry["actor"] == {"kind": "system", "user": None, "clientId": None, "job": "clean-up"}


def test_use_leaves_no_trace_and_secrets_never_do(acme: CreatedOrganization, owner: Client) -> None:
    before = len(entries(owner))
    by_key(acme.issued.key).get(KEYS)
    with tenant_scope(acme.organization.pk):
        Credential.objects.update(environment="production")
    assert len(entries(owner)) == before
    columns = {
        column.name for column in apps.get_model("organizations", "CredentialEvent")._meta.get_fields()
    }
    assert {"key_hash", "last_used_at"} & columns == set()


def test_pages_follow_each_other_both_ways_while_more_comes(acme: CreatedOrganization, owner: Client) -> None:
    for number in range(5):
        rename(organization_id=acme.organization.pk, name=f"Acme {number}")
    everything = [entry["id"] for entry in entries(owner)]
    for order in ("desc", "asc"):
        seen, cursor = [], ""
        while True:
            page = owner.get(f"{AUDIT}?take=3&order={order}{cursor}")
            seen += [entry["id"] for entry in page.json()["items"]]
            if page.json()["cursor"] is None:
                assert "Link" not in page.headers
                break
            assert page.headers["Link"].endswith('; rel="next"')
            cursor = f"&cursor={page.json()['cursor']}"
            if order == "desc" and len(seen) == 3:
                rename(organization_id=acme.organization.pk, name="In between")
        expected = everything if order == "desc" else [*reversed(everything), max(seen)]
        assert seen == expected


def test_a_cursor_belongs_to_its_filters_and_its_organization(
    acme: CreatedOrganization, globex: CreatedOrganization, owner: Client
) -> None:
    cursor = owner.get(f"{AUDIT}?take=1").json()["cursor"]
    refused = [
        owner.get(f"{AUDIT}?kind=member&cursor={cursor}"),
        owner.get(f"{AUDIT}?order=asc&cursor={cursor}"),
        owner.get(f"{AUDIT}?cursor={cursor}x"),
        signed_in(globex.owner).get(f"{AUDIT}?cursor={cursor}"),
    ]
    for response in refused:
        assert (response.status_code, response.json()["code"]) == (400, "invalid_cursor")
    assert owner.get(f"{AUDIT}?take=9&cursor={cursor}").status_code == 200


def test_nobody_reads_anothers_trail(
    acme: CreatedOrganization, globex: CreatedOrganization, owner: Client
) -> None:
    assert globex.organization.slug not in str(entries(owner))
    assert acme.organization.slug not in str(entries(signed_in(globex.owner)))


@pytest.mark.parametrize("role", Role.values)
def test_only_owners_and_admins_read_the_trail(acme: CreatedOrganization, role: str) -> None:
    response = signed_in(make_member(acme, role)).get(AUDIT)
    assert response.status_code == (200 if role in ("owner", "admin") else 403)


@pytest.mark.parametrize("scope", ALL_SCOPES)
def test_a_key_reads_the_trail_if_it_may_manage_keys(acme: CreatedOrganization, scope: str) -> None:
    response = by_key(make_key(acme, scope).key).get(AUDIT)
    assert response.status_code == (200 if scope == "keys:write" else 403)


def test_a_kind_that_does_not_exist_is_refused(owner: Client) -> None:
    response = owner.get(f"{AUDIT}?kind=member,plan")
    assert response.status_code == 400
    assert "accepted: alertChannel, alertRule, credential, discount, grant, " in response.json()["detail"]


def test_changes_of_plans_are_kept_too(db: Any) -> None:
    plan = Plan.objects.get(slug="free")
    plan.requests_per_minute = 61
    plan.save(update_fields=["requests_per_minute"])
    newest = apps.get_model("organizations", "PlanEvent").objects.order_by("-pgh_id").first()
    assert (newest.pgh_label, newest.slug, newest.requests_per_minute) == ("update", "free", 61)


def test_a_person_who_is_gone_is_still_told_of(acme: CreatedOrganization, owner: Client) -> None:
    member = make_member(acme, Role.ANALYST)
    with system_scope(actor=Actor(kind="user", user_id=member.pk)):
        rename(organization_id=acme.organization.pk, name="Acme Ltd")
        identity = member.pk
        member.delete()
    gone, renamed = entries(owner)[:2]
    assert renamed["actor"]["user"] == f"user {identity}"
    assert (gone["action"], gone["subject"]) == ("deleted", f"user {identity}")


def test_a_page_costs_three_queries_whatever_its_kinds(
    acme: CreatedOrganization, django_assert_num_queries: Any
) -> None:
    from core.paging import CursorPage

    with tenant_scope(acme.organization.pk), django_assert_num_queries(3):  # events, users, plans
        found, _ = audit_page(acme.organization.pk, CursorPage(take=100, order="desc", cursor=None))
    assert len(found) == 3
