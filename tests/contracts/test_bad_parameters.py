"""Every parameter and every field that is bad is named by a problem which says what is accepted."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from config.reference import FAULTS, PROBLEMS
from tests.contracts.document import Operation, operations, resolved
from tests.usage.factories import Answer, Tenant, make_tenant, record
from usage import partitions

pytestmark = pytest.mark.django_db

BODIES: dict[str, dict[str, Any]] = {
    "authorize": {"model": "large"},
    "changeAlertChannel": {"name": "Renamed"},
    "changeAlertRule": {"name": "Renamed"},
    "changeReport": {"name": "Renamed"},
    "createAlertChannel": {"kind": "email", "name": "Finance", "address": "finance@acme.example"},
    "createAlertRule": {
        "name": "Busy",
        "metric": "requests",
        "condition": "above",
        "window": "1h",
        "threshold": ["10"],
    },
    "createKey": {"name": "New", "environment": "staging", "scopes": ["usage:read"]},
    "createRecords": {"type": "x"},
    "createReport": {"name": "For the board", "cadence": "weekly", "members": ["owner@acme.example"]},
    "requestExport": {"dataset": "daily", "format": "csv"},
    "setSpendLimit": {"limit": "10"},
    "testReport": {"channel": "00000000-0000-0000-0000-000000000000"},
}
"""A body of each operation that has one, to be spoiled field by field."""

REQUIRED = {"compareCosts": {"model": "large"}, "replaySpendLimit": {"limit": "10"}}
"""The parameters that an operation can't do without."""

NOTHING = "00000000-0000-0000-0000-000000000000"
PLACES = {
    "channel_id": NOTHING,
    "delivery_id": NOTHING,
    "event_id": NOTHING,
    "report_id": NOTHING,
    "client_id": "cl_none",
    "export_id": NOTHING,
    "record_id": "call-1",
    "reference": "none",
    "reservation_id": "none",
    "rule_id": NOTHING,
}

GATEWAYS = {"authorizeEnvoy", "authorizeForward", "authorizeNginx"}
"""What they are asked with is the client's own request: its query is none of the gate's business."""

OPERATIONS = [operation for operation in operations() if operation.id not in GATEWAYS]
QUERIES = [
    pytest.param(operation, parameter, id=f"{operation.id}-{parameter['name']}")
    for operation in OPERATIONS
    for parameter in operation.query
]


@pytest.fixture
def acme(db: None) -> Tenant:
    """An organization with a record."""
    partitions.forget()
    tenant = make_tenant("Acme")
    tenant.api.keep(record("call-1"))
    return tenant


def call(tenant: Tenant, operation: Operation, **request: Any) -> Answer:
    request.setdefault("body", BODIES.get(operation.id))
    request["query"] = {**REQUIRED.get(operation.id, {}), **request.get("query", {})}
    return tenant.api.call(operation.method, operation.at(PLACES), **request)


def problem(answer: Answer, pointer: str) -> str:
    """Return the detail of a problem that names the parameter or field, and is itself in the reference."""
    assert answer.status in (400, 422), answer.body
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.body["code"] in PROBLEMS
    fault = answer.errors[0]
    assert fault["code"] in {*PROBLEMS, *FAULTS}
    assert fault["pointer"] == pointer or fault["pointer"].startswith(f"{pointer}/"), fault
    return str(fault["detail"])


def test_every_operation_can_be_asked_well_enough_to_be_asked_badly() -> None:
    assert BODIES.keys() == {operation.id for operation in OPERATIONS if operation.body}
    required = {o.id: {p["name"] for p in o.query if p.get("required")} for o in OPERATIONS}
    assert {name: set(values) for name, values in REQUIRED.items()} == {
        n: v for n, v in required.items() if v
    }
    in_paths = {p["name"] for o in OPERATIONS for p in o.parameters if p["in"] == "path"}
    assert PLACES.keys() == in_paths


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.id)
def test_a_parameter_that_there_is_not_is_answered_with_those_there_are(
    operation: Operation, acme: Tenant
) -> None:
    detail = problem(call(acme, operation, query={"bogus": "1"}), "/bogus")
    listed = re.fullmatch(r"There is no parameter 'bogus'; accepted: (.*)\.", detail)
    assert listed is not None, detail
    names = {f"{p['name']}[key]" if p.get("style") == "deepObject" else p["name"] for p in operation.query}
    assert set(listed[1].split(", ")) == (names or {"none"})


@pytest.mark.parametrize(("operation", "parameter"), QUERIES)
def test_a_value_that_is_bad_is_answered_with_what_is_accepted(
    operation: Operation, parameter: dict[str, Any], acme: Tenant
) -> None:
    name = parameter["name"]
    tried = 0
    for sent, value, accepted in bad(name, parameter["schema"]):
        detail = problem(call(acme, operation, query={sent: value}), f"/{sent}")
        for word in accepted:
            assert word in detail, (value, detail)
        tried += 1
    assert tried


@pytest.mark.parametrize(("operation", "parameter"), QUERIES)
def test_a_parameter_is_given_once(operation: Operation, parameter: dict[str, Any], acme: Tenant) -> None:
    name = parameter["name"] + ("[a]" if parameter.get("style") == "deepObject" else "")
    assert "more than once" in problem(call(acme, operation, query={name: ["1", "1"]}), f"/{name}")


Bad = Iterator[tuple[str, str, list[str]]]
"""Parameters as they are sent, bad values, and words that the refusal has to say."""


def bad(name: str, schema: dict[str, Any]) -> Bad:
    """Yield values that are bad by what is declared."""
    if "enum" in schema:
        return ((name, value, schema["enum"]) for value in ("bogus", "", schema["enum"][0].upper()))
    if "anyOf" in schema:
        values = ("yesterday", "", "2026-02-30T00:00:00Z", "2026-01-01T00:00:00", "1899-12-31T00:00:00Z")
        return ((name, value, [name]) for value in values)
    if schema.get("format") == "iana-time-zone":
        return ((name, value, ["IANA"]) for value in ("Nowhere/Land", "", "../etc/passwd"))
    kinds: dict[str, Callable[[str, dict[str, Any]], Bad]] = {
        "integer": numbers, "boolean": flags, "object": members, "string": texts,
    }  # fmt: skip
    return kinds[schema["type"]](name, schema)


def numbers(name: str, schema: dict[str, Any]) -> Bad:
    """Yield what is no number, and numbers beyond the bounds."""
    low, high = schema["minimum"], schema["maximum"]
    for value in ("x", "", "1.5", str(low - 1), str(high + 1), "9" * 30):
        yield name, value, [str(low), str(high)]


def flags(name: str, schema: dict[str, Any]) -> Bad:
    """Yield what is neither true nor false."""
    return ((name, value, ["true", "false"]) for value in ("perhaps", "", "TRUE"))


def members(name: str, schema: dict[str, Any]) -> Bad:
    """Yield a member without a name, and one that no text can be."""
    yield f"{name}[]", "x", ["key"]
    yield f"{name}[a]", "\0", ["printable"]


def texts(name: str, schema: dict[str, Any]) -> Bad:
    """Yield bad texts: empty, too long, with the one character that no text has, and none of a list."""
    yield name, "", []
    yield name, "x" * (schema.get("maxLength", 4096) + 1), []
    yield name, "\0", []
    listed = re.fullmatch(r"\^\(([A-Za-z|]+)\)\(,\(\1\)\)\*\$", schema.get("pattern", ""))
    if listed:
        yield name, "bogus", listed[1].split("|")


def fields() -> Iterator[Any]:
    for operation in OPERATIONS:
        for media_type, content in operation.body.items():
            if media_type == "application/json":
                schema = content["schema"]
                properties = resolved(schema.get("oneOf", [schema])[0])["properties"]
                for name in properties:
                    yield pytest.param(operation, name, id=f"{operation.id}-{name}")


@pytest.mark.parametrize(("operation", "name"), list(fields()))
def test_a_field_of_another_type_is_named(operation: Operation, name: str, acme: Tenant) -> None:
    spoiled: tuple[Any, ...] = ({"x": {}}, [[]], "\0")
    for value in spoiled:
        problem(call(acme, operation, body={**BODIES[operation.id], name: value}), f"/{name}")


@pytest.mark.parametrize("operation", [o for o in OPERATIONS if o.body], ids=lambda operation: operation.id)
def test_a_field_that_there_is_not_is_answered_with_those_there_are(
    operation: Operation, acme: Tenant
) -> None:
    detail = problem(call(acme, operation, body={**BODIES[operation.id], "bogus": 1}), "/bogus")
    schema = operation.body["application/json"]["schema"]
    for name in resolved(schema.get("oneOf", [schema])[0])["properties"]:
        assert name in detail
