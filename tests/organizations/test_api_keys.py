from typing import Any

import pytest
from django.test import Client

from core import keys
from organizations.models import Credential
from organizations.roles import ALL_SCOPES, Role
from organizations.services import CreatedOrganization
from organizations.tenancy import system_scope
from tests.organizations.cast import by_key, make_key, make_member, make_user, signed_in

KEYS = "/api/v1/keys"
FIELDS = [
    "clientId",
    "name",
    "environment",
    "scopes",
    "keyHint",
    "createdBy",
    "createdAt",
    "lastUsedAt",
    "rotatedAt",
    "revokedAt",
]


def create(client: Client, **body: Any) -> Any:
    return client.post(
        KEYS, {"name": "CI", "scopes": ["usage:write"], **body}, content_type="application/json"
    )


def problem(response: Any) -> tuple[int, str]:
    assert response.headers["Content-Type"] == "application/problem+json"
    return response.status_code, response.json()["code"]


@pytest.fixture
def client(acme: CreatedOrganization) -> Client:
    """A client with acme's first key."""
    return by_key(acme.issued.key)


def test_a_created_keys_secret_is_shown_once_and_works(acme: CreatedOrganization, client: Client) -> None:
    response = create(client, environment="staging", scopes=["keys:write", "usage:read"])
    made = response.json()
    assert response.status_code == 201
    assert list(made) == [*FIELDS, "apiKey"]
    assert response.headers["Location"] == f"http://testserver{KEYS}/{made['clientId']}"
    assert response.headers["Cache-Control"] == "no-store"
    assert (made["name"], made["environment"], made["scopes"]) == (
        "CI",
        "staging",
        ["keys:write", "usage:read"],
    )
    assert made["keyHint"] == made["apiKey"][-4:]
    again = by_key(made["apiKey"]).get(f"{KEYS}/{made['clientId']}")
    assert list(again.json()) == FIELDS
    listed = client.get(KEYS)
    assert made["apiKey"] not in again.content.decode() + listed.content.decode()


def test_keys_are_listed_newest_first_a_page_at_a_time(acme: CreatedOrganization, client: Client) -> None:
    made = [create(client, name=f"n{number}").json()["clientId"] for number in range(3)]
    everything = client.get(KEYS).json()
    expected = [*reversed(made), acme.issued.credential.client_id]
    assert [item["clientId"] for item in everything["items"]] == expected
    assert everything["pagination"] == {"total": 4, "limit": 100, "offset": 0, "hasMore": False}
    second = client.get(f"{KEYS}?limit=2&offset=1").json()
    assert [item["clientId"] for item in second["items"]] == expected[1:3]
    assert second["pagination"] == {"total": 4, "limit": 2, "offset": 1, "hasMore": True}


def test_a_key_tells_who_made_it_and_when_it_was_used(acme: CreatedOrganization, client: Client) -> None:
    item = client.get(f"{KEYS}/{acme.issued.credential.client_id}").json()
    assert item["createdBy"] == acme.owner.email
    assert item["lastUsedAt"].endswith("Z")
    assert (item["rotatedAt"], item["revokedAt"]) == (None, None)


def test_a_rotated_key_has_a_new_secret_at_once(acme: CreatedOrganization, client: Client) -> None:
    made = create(client, scopes=["usage:read", "keys:write"]).json()
    rotated = client.post(f"{KEYS}/{made['clientId']}/rotate")
    assert rotated.status_code == 200
    assert rotated.json()["rotatedAt"] is not None
    assert problem(by_key(made["apiKey"]).get(KEYS)) == (401, "invalid_key")
    assert by_key(rotated.json()["apiKey"]).get(KEYS).status_code == 200


def test_a_revoked_key_is_refused_and_still_listed(acme: CreatedOrganization, client: Client) -> None:
    made = create(client, scopes=["keys:write"]).json()
    for _ in range(2):
        response = client.delete(f"{KEYS}/{made['clientId']}")
        assert (response.status_code, response.content) == (204, b"")
    assert problem(by_key(made["apiKey"]).get(KEYS)) == (403, "credential_revoked")
    assert problem(client.post(f"{KEYS}/{made['clientId']}/rotate")) == (409, "credential_revoked")
    assert client.get(f"{KEYS}/{made['clientId']}").json()["revokedAt"] is not None


@pytest.mark.parametrize("client_id", ["cl_" + "0" * 20, "x", "0", "%00", "null"])
@pytest.mark.parametrize(("method", "suffix"), [("get", ""), ("delete", ""), ("post", "/rotate")])
def test_a_key_that_does_not_exist_is_not_found(
    client: Client, method: str, suffix: str, client_id: str
) -> None:
    assert problem(getattr(client, method)(f"{KEYS}/{client_id}{suffix}")) == (404, "not_found")


@pytest.mark.parametrize(("method", "suffix"), [("get", ""), ("delete", ""), ("post", "/rotate")])
def test_another_organizations_key_does_not_exist(
    client: Client, globex: CreatedOrganization, method: str, suffix: str
) -> None:
    theirs = globex.issued.credential.client_id
    assert problem(getattr(client, method)(f"{KEYS}/{theirs}{suffix}")) == (404, "not_found")
    assert theirs not in client.get(KEYS).content.decode()
    assert by_key(globex.issued.key).get(f"{KEYS}/{theirs}").json()["revokedAt"] is None


@pytest.mark.parametrize("scope", ALL_SCOPES)
def test_keys_need_their_scope(acme: CreatedOrganization, scope: str) -> None:
    found = by_key(make_key(acme, scope).key).get(KEYS)
    assert found.status_code == (200 if scope == "keys:write" else 403)
    if scope != "keys:write":
        assert found.json()["detail"] == "This key does not have the scope keys:write."


def test_a_key_makes_and_rotates_none_that_may_more_than_itself(acme: CreatedOrganization) -> None:
    weak = by_key(make_key(acme, "keys:write", "usage:read").key)
    assert problem(create(weak, scopes=["usage:read", "billing:write"])) == (403, "scope_required")
    strong = acme.issued.credential.client_id
    assert problem(weak.post(f"{KEYS}/{strong}/rotate")) == (403, "scope_required")
    assert create(weak, scopes=["usage:read"]).status_code == 201


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        ({"name": ""}, "/name", "blank"),
        ({"name": 5}, "/name", "invalid"),
        ({"name": "x" * 101}, "/name", "max_length"),
        ({"name": "a\x00b"}, "/name", "null_characters_not_allowed"),
        ({"environment": "x" * 41}, "/environment", "max_length"),
        ({"scopes": []}, "/scopes", "min_length"),
        ({"scopes": ["everything"]}, "/scopes/0", "invalid_choice"),
        ({"scopes": "usage:read"}, "/scopes", "not_a_list"),
        ({"scope": ["usage:read"]}, "/scope", "unknown_field"),
        ({"clientId": "cl_" + "0" * 20}, "/clientId", "unknown_field"),
        ({"keyHash": "x"}, "/keyHash", "unknown_field"),
    ],
)
def test_a_body_that_will_not_do_is_told_where(
    client: Client, body: dict[str, Any], pointer: str, code: str
) -> None:
    response = create(client, **body)
    assert problem(response) == (422, "invalid")
    assert [(error["pointer"], error["code"]) for error in response.json()["errors"]] == [(pointer, code)]


@pytest.mark.parametrize("body", [b"{", b"", b"\xff", b'{"name": NaN}'])
def test_what_is_not_json_is_refused(client: Client, body: bytes) -> None:
    response = client.post(KEYS, body, content_type="application/json")
    assert response.status_code in (400, 422)
    assert response.headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize(
    "media_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"]
)
def test_only_json_is_read(client: Client, media_type: str) -> None:
    assert problem(client.post(KEYS, b"{}", content_type=media_type)) == (415, "unsupported_media_type")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("put", ""),
        ("patch", ""),
        ("delete", ""),
        ("options", ""),
        ("post", "/x"),
        ("put", "/x"),
        ("get", "/x/rotate"),
    ],
)
def test_other_methods_are_named_as_not_allowed(client: Client, method: str, path: str) -> None:
    response = getattr(client, method)(KEYS + path)
    assert problem(response) == (405, "method_not_allowed")
    assert response.headers["Allow"]


def test_head_is_answered_as_get_without_the_body(client: Client) -> None:
    response = client.head(KEYS)
    assert (response.status_code, response.content) == (200, b"")


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("?page=2", "unknown_parameter"),
        ("?limit=x", "invalid_parameter"),
        ("?limit=1&limit=2", "repeated_parameter"),
    ],
)
def test_a_parameter_that_will_not_do_is_refused(client: Client, query: str, code: str) -> None:
    assert problem(client.get(KEYS + query)) == (400, code)


def test_a_parameter_where_none_is_read_is_refused(client: Client) -> None:
    assert problem(client.post(f"{KEYS}?name=x")) == (400, "unknown_parameter")


@pytest.mark.parametrize("accept", ["text/html", "application/xml", "application/json", "*/*"])
def test_the_answer_is_json_whatever_is_asked_for(client: Client, accept: str) -> None:
    response = client.get(KEYS, headers={"Accept": accept})
    assert (response.status_code, response.headers["Content-Type"]) == (200, "application/json")


ROLE_STATUSES = {Role.OWNER: 200, Role.ADMIN: 200, Role.DEVELOPER: 200, Role.BILLING: 403, Role.ANALYST: 403}


@pytest.mark.parametrize("role", Role.values)
def test_a_members_role_decides(acme: CreatedOrganization, role: str) -> None:
    assert signed_in(make_member(acme, role)).get(KEYS).status_code == ROLE_STATUSES[Role(role)]


def test_a_developer_has_only_their_own_keys_and_they_only_do_usage(acme: CreatedOrganization) -> None:
    developer = make_member(acme, Role.DEVELOPER)
    client = signed_in(developer)
    made = create(client, scopes=["usage:write", "usage:read"]).json()
    assert made["createdBy"] == developer.email
    assert problem(create(client, scopes=["keys:write"])) == (403, "scope_required")
    listed = client.get(KEYS).json()
    assert [item["clientId"] for item in listed["items"]] == [made["clientId"]]
    assert listed["pagination"]["total"] == 1
    others = f"{KEYS}/{acme.issued.credential.client_id}"
    for response in (client.get(others), client.delete(others), client.post(f"{others}/rotate")):
        assert problem(response) == (404, "not_found")
    assert client.post(f"{KEYS}/{made['clientId']}/rotate").status_code == 200
    assert client.delete(f"{KEYS}/{made['clientId']}").status_code == 204


def test_a_session_writes_only_with_its_csrf_token(acme: CreatedOrganization) -> None:
    client = signed_in(acme.owner, check_csrf=True)
    assert client.get(KEYS).status_code == 200
    assert problem(create(client)) == (403, "csrf_failed")
    client.cookies["csrftoken"] = token = "t" * 32
    body = {"name": "CI", "scopes": ["usage:write"]}
    response = client.post(KEYS, body, content_type="application/json", headers={"X-CSRFToken": token})
    assert response.status_code == 201


def test_a_key_needs_no_csrf_token(acme: CreatedOrganization) -> None:
    client = Client(headers={"Authorization": f"Bearer {acme.issued.key}"}, enforce_csrf_checks=True)
    assert create(client).status_code == 201


def test_a_session_chooses_among_its_own_organizations(
    acme: CreatedOrganization, globex: CreatedOrganization
) -> None:
    theirs = globex.organization.slug
    assert problem(signed_in(acme.owner, organization=theirs).get(KEYS)) == (403, "not_a_member")
    assert problem(signed_in(make_user()).get(KEYS)) == (403, "not_a_member")
    assert signed_in(globex.owner, organization=theirs).get(KEYS).status_code == 200


def test_a_stranger_is_challenged(db: Any) -> None:
    response = Client().get(KEYS)
    assert problem(response) == (401, "unauthorized")
    assert response.headers["WWW-Authenticate"] == 'Bearer realm="Headroom"'


def test_a_bad_key_is_not_made_good_by_a_session(acme: CreatedOrganization) -> None:
    client = signed_in(acme.owner)
    response = client.get(KEYS, headers={"Authorization": f"Bearer {keys.generate()}"})
    assert problem(response) == (401, "invalid_key")


def test_what_is_refused_changes_nothing(acme: CreatedOrganization, client: Client) -> None:
    create(client, scopes=["everything"])
    create(client, name="")
    with system_scope():
        assert Credential.objects.count() == 1


def test_a_page_of_keys_costs_one_query_more_than_its_scope(
    client: Client, django_assert_num_queries: Any
) -> None:
    client.get(KEYS)
    # The door; the savepoint and the scope, and leaving both; the page and its count.
    with django_assert_num_queries(7):
        client.get(KEYS)
