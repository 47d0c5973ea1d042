"""The OpenAPI document is complete and true: every operation's answers are what it says, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from django.test import Client
from drf_spectacular.generators import SchemaGenerator
from jsonschema import Draft202012Validator

from tests.usage.exports import support
from tests.usage.factories import Answer, Api, Tenant, make_tenant
from usage import partitions
from usage.rollups.fold import fold_pending

pytestmark = pytest.mark.django_db

RECORD = {
    "id": "call-1",
    "type": "processor.run",
    "clientId": None,
    "endpoint": "/v1/parse",
    "capability": "parsing",
    "model": "gpt-4o",
    "provider": "openai",
    "status": "error",
    "statusCode": 504,
    "errorType": "timeout",
    "latencyMs": 812.25,
    "tokens": {"prompt": 100, "completion": 20, "cachedPrompt": 40, "cacheWrite": 10, "reasoning": 5},
    "quantities": {"pages": 3, "credits": "1.5"},
    "cost": "0.0612",
    "botId": "bot-1",
    "meta": {"team": "search", "attempt": 2, "dry": False, "note": None},
}
OF_NOBODY = "00000000-0000-0000-0000-000000000000"
SPARSE = {"type": "conversation.completion"}


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    """The document, with every object closed: a member that it does not name is an error."""
    generator: Any = SchemaGenerator
    schema: dict[str, Any] = json.loads(json.dumps(generator().get_schema(request=None, public=True)))
    for component in schema["components"]["schemas"].values():
        _close(component)
    return schema


@pytest.fixture
def acme(db: None) -> Tenant:
    """An organization without any use."""
    partitions.forget()
    return make_tenant("Acme")


@pytest.fixture
def used(acme: Tenant) -> Tenant:
    """The organization with a full and a sparse record, folded, and another pending."""
    client = {"clientId": acme.client_id}
    assert acme.api.call("POST", "/records", [{**RECORD, **client}, SPARSE]).status == 200
    fold_pending()
    assert acme.api.call("POST", "/records", {**RECORD, **client, "id": "call-2"}).status == 200
    return acme


CASES: dict[str, Callable[[Tenant], list[Answer]]] = {
    "listAuditEntries": lambda t: [t.api.get("/audit"), t.api.get("/audit", take="0")],
    "listKeys": lambda t: [t.api.get("/keys"), t.api.get("/keys", bogus="1")],
    "createKey": lambda t: [
        t.api.call("POST", "/keys", {"name": "New", "scopes": ["usage:read"]}),
        t.api.call("POST", "/keys", {"name": "New", "scopes": ["usage:fly"]}),
    ],
    "getKey": lambda t: [t.api.get(f"/keys/{t.client_id}"), t.api.get("/keys/cl_none")],
    "revokeKey": lambda t: [
        t.api.call("DELETE", f"/keys/{_new_key(t)}"),
        t.api.call("DELETE", "/keys/cl_none"),
    ],
    "rotateKey": lambda t: [t.api.call("POST", f"/keys/{_new_key(t)}/rotate")],
    "listRecords": lambda t: [
        t.api.get("/records"),
        t.api.get("/records", cursor="x"),
        t.api.get("/records", clientId="cl_x"),
    ],
    "createRecords": lambda t: [
        t.api.call("POST", "/records", [SPARSE, {"type": ""}]),
        t.api.call("POST", "/records", [{"type": ""}]),
        t.api.call("POST", "/records", b"[", content_type="application/json"),
        t.api.call("POST", "/records", b"a", content_type="text/plain"),
        t.api.call("POST", "/records", [SPARSE] * 10_001),
    ],
    "getRecord": lambda t: [t.api.get("/records/call-1"), t.api.get("/records/none")],
    "getUsage": lambda t: [t.api.get("/usage"), t.api.get("/usage", timezone="Nowhere")],
    "getUsageSeries": lambda t: [t.api.get("/usage/series"), t.api.get("/usage/series", days="91")],
    "queryUsage": lambda t: [
        t.api.get(
            "/usage/query", metrics="requests,cost,latency.p95,errorRate,credits", groupBy="model,statusCode"
        ),
        t.api.get("/usage/query", metrics="speed"),
    ],
    "getKeyUsage": lambda t: [
        t.api.get("/usage/keys"),
        t.api.get("/usage/keys", includeEndpoints="false", includeErrors="false", includeLatency="false"),
        t.api.get("/usage/keys", timeframe="2w"),
        t.api.get("/usage/keys", keyId="cl_none"),
    ],
    "getModelUsage": lambda t: [t.api.get("/usage/models"), t.api.get("/usage/models", granularity="eon")],
    "requestExport": lambda t: [
        t.api.call("POST", "/exports", {"dataset": "daily", "format": "xlsx", "from": 0}),
        t.api.call("POST", "/exports", {"dataset": "dreams", "format": "csv"}),
        t.api.call("POST", "/exports", b"a", content_type="text/plain"),
    ],
    "listExports": lambda t: [
        _listed(t),
        t.api.get("/exports", state="lost"),
    ],
    "getExport": lambda t: [
        t.api.get(f"/exports/{_export(t, written=True)}"),
        t.api.get(f"/exports/{_export(t)}"),
        t.api.get(f"/exports/{OF_NOBODY}"),
    ],
    "downloadExport": lambda t: [
        _as_text(t.api.get(f"/exports/{_export(t, written=True)}/file")),
        t.api.get(f"/exports/{_export(t)}/file"),
        t.api.get(f"/exports/{OF_NOBODY}/file"),
    ],
    "getCapabilityUsage": lambda t: [t.api.get("/usage/capabilities", granularity="month")],
}


def test_every_operation_has_its_answers_checked(document: dict[str, Any]) -> None:
    operations = {operation["operationId"] for _, _, operation in _operations(document)}
    assert operations == CASES.keys()


@pytest.mark.parametrize("operation_id", sorted(CASES))
def test_answers_are_what_the_document_says(
    operation_id: str, document: dict[str, Any], used: Tenant
) -> None:
    operation = next(o for _, _, o in _operations(document) if o["operationId"] == operation_id)
    answers = CASES[operation_id](used)
    assert answers[0].status < 300
    for answer in answers:
        _check(document, operation, answer)


def test_no_key_and_a_wrong_key_are_problems_as_documented(document: dict[str, Any], acme: Tenant) -> None:
    for path, method, operation in _operations(document):
        target = path.removeprefix("/api/v1").replace("{client_id}", "cl_none").replace("{record_id}", "none")
        target = target.replace("{export_id}", OF_NOBODY)
        for api in (_Anonymous(), Api("hr_" + "0" * 36)):
            answer = api.call(method.upper(), target, {} if method == "post" else None)
            assert answer.status == 401
            _check(document, operation, answer)


def test_the_document_is_openapi_3_1(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1")
    answer = Client().get("/api/schema/")
    assert answer.status_code == 200


def _operations(document: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [(path, method, o) for path, item in document["paths"].items() for method, o in item.items()]


def _check(document: dict[str, Any], operation: dict[str, Any], answer: Answer) -> None:
    responses = operation["responses"]
    assert str(answer.status) in responses, f"{operation['operationId']} does not document {answer.status}"
    if answer.status == 204:
        return
    media_type = answer.headers["Content-Type"].partition(";")[0]
    schema = responses[str(answer.status)]["content"][media_type]["schema"]
    Draft202012Validator({**schema, "components": document["components"]}).validate(answer.body)


def _close(schema: Any) -> None:
    if isinstance(schema, dict):
        if "properties" in schema:
            schema.setdefault("additionalProperties", False)
        for member in schema.values():
            _close(member)
    elif isinstance(schema, list):
        for member in schema:
            _close(member)


def _new_key(tenant: Tenant) -> str:
    answer = tenant.api.call("POST", "/keys", {"name": "Passing", "scopes": ["usage:read"]})
    client_id: str = answer.body["clientId"]
    return client_id


def _export(tenant: Tenant, *, written: bool = False) -> str:
    asked = support.ask(tenant)
    found: str = (support.write(tenant, asked) if written else asked)["id"]
    return found


def _as_text(answer: Answer) -> Answer:
    return replace(answer, body=answer.body.decode())


class _Anonymous(Api):
    def __init__(self) -> None:
        super().__init__("")
        self._client = Client()


def _listed(tenant: Tenant) -> Answer:
    for written in (True, False):
        _export(tenant, written=written)
    return tenant.api.get("/exports")
