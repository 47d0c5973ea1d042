"""What the OpenAPI document says of the door, keys and the audit trail, held against real answers."""

from typing import Any

import jsonschema
import pytest
from drf_spectacular.generators import SchemaGenerator

from organizations import urls
from organizations.services import CreatedOrganization
from tests.organizations.cast import by_key


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    """The document of this room's paths alone."""
    make: Any = SchemaGenerator
    found: dict[str, Any] = make(patterns=urls.urlpatterns).get_schema(request=None, public=True)
    return found


def schema_of(document: dict[str, Any], path: str, method: str, status: str) -> dict[str, Any]:
    content = document["paths"][path][method]["responses"][status]["content"]
    (body,) = content.values()
    return {**body["schema"], "components": document["components"]}


def test_every_operation_can_be_called_by_key_and_by_session(document: dict[str, Any]) -> None:
    operations = [operation for path in document["paths"].values() for operation in path.values()]
    assert len(operations) == 6
    assert all(operation["security"] == [{"key": []}, {"session": []}] for operation in operations)
    assert document["components"]["securitySchemes"] == {
        "key": {"type": "http", "scheme": "bearer", "bearerFormat": "hr_…"},
        "session": {"type": "apiKey", "in": "cookie", "name": "sessionid"},
    }


def test_an_input_has_no_other_members_than_its_fields(document: dict[str, Any]) -> None:
    body = document["components"]["schemas"]["CredentialInputRequest"]
    assert body["additionalProperties"] is False
    assert list(body["properties"]) == ["name", "environment", "scopes"]


def test_the_answers_are_as_the_document_has_them(
    document: dict[str, Any], acme: CreatedOrganization
) -> None:
    client = by_key(acme.issued.key)
    made = client.post(
        "/api/v1/keys", {"name": "CI", "scopes": ["usage:read"]}, content_type="application/json"
    )
    one = f"/api/v1/keys/{made.json()['clientId']}"
    answers = [
        ("/keys", "post", made),
        ("/keys", "get", client.get("/api/v1/keys")),
        ("/keys", "post", client.post("/api/v1/keys", {"x": 1}, content_type="application/json")),
        ("/keys", "get", client.get("/api/v1/keys?x=1")),
        ("/keys/{client_id}", "get", client.get(one)),
        ("/keys/{client_id}", "get", client.get("/api/v1/keys/x")),
        ("/keys/{client_id}/rotate", "post", client.post(f"{one}/rotate")),
        ("/audit", "get", client.get("/api/v1/audit")),
    ]
    statuses = []
    for path, method, response in answers:
        statuses.append(response.status_code)
        jsonschema.validate(response.json(), schema_of(document, path, method, str(response.status_code)))
    assert statuses == [201, 200, 422, 400, 200, 404, 200, 200]
