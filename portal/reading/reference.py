"""What the API page shows: every operation of the API's own description, each with a request to copy."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from typing import Any, Final
from urllib.parse import quote

from drf_spectacular.generators import SchemaGenerator

from portal.first_key import PLACEHOLDER

_METHODS: Final = ("get", "post", "put", "patch", "delete")
_JSON: Final = "application/json"
_DEPTH: Final = 4
_NAMED: Final = {"record_id": "RECORD_ID", "client_id": "CLIENT_ID"}
_EXAMPLES: Final[dict[str, Any]] = {
    "string": "…",
    "integer": 1,
    "number": 1,
    "boolean": True,
    "uuid": "00000000-0000-0000-0000-000000000000",
    "date-time": "2026-01-31T12:00:00Z",
}


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of an operation."""

    name: str
    said: str
    accepted: str
    is_required: bool


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation; ``command`` is run in a shell."""

    id: str
    method: str
    path: str
    summary: str
    description: str
    parameters: list[Parameter]
    command: str


@dataclass(frozen=True, slots=True)
class Section:
    """The operations on one kind of thing."""

    name: str
    operations: list[Operation]

    @property
    def label(self) -> str:
        """What its heading says."""
        return self.name.replace("-", " ").capitalize()


def read(base: str) -> list[Section]:
    """Return all operations, by the first part of their paths; ``base`` is where the server answers."""
    found: dict[str, list[Operation]] = {}
    schema = _schema()
    for path, methods in schema["paths"].items():
        name = path.removeprefix("/api/v1/").partition("/")[0]
        for method in _METHODS:
            if method in methods:
                found.setdefault(name, []).append(_operation(base, path, method, methods[method], schema))
    return [Section(name, operations) for name, operations in sorted(found.items())]


@cache
def _schema() -> dict[str, Any]:
    generator: Any = SchemaGenerator()  # type: ignore[no-untyped-call] # it has no types
    schema: dict[str, Any] = generator.get_schema(request=None, public=True)
    return schema


def _operation(base: str, path: str, method: str, described: dict[str, Any], schema: Any) -> Operation:
    return Operation(
        id=described["operationId"],
        method=method.upper(),
        path=path,
        summary=described.get("summary", ""),
        description=described.get("description", ""),
        parameters=[
            _parameter(one) for one in described.get("parameters", []) if one["in"] in ("query", "path")
        ],
        command=_command(base, path, method, described, schema),
    )


def _parameter(one: dict[str, Any]) -> Parameter:
    schema = one.get("schema", {})
    accepted = ", ".join(map(str, schema.get("enum", []))) or str(schema.get("type", ""))
    default = schema.get("default")
    said = one.get("description", "")
    more = "" if default is None else f" By default {str(default).lower() if default is True else default}."
    return Parameter(one["name"], f"{said}{more}", accepted, bool(one.get("required")))


def _command(base: str, path: str, method: str, described: dict[str, Any], schema: Any) -> str:
    for one in described.get("parameters", []):
        if one["in"] == "path":
            path = path.replace(f"{{{one['name']}}}", _NAMED.get(one["name"], quote(one["name"].upper())))
    verb = "" if method == "get" else f"-X {method.upper()} "
    lines = [f"curl -sS {verb}{base}{path}", f'  -H "Authorization: Bearer {PLACEHOLDER}"']
    body = described.get("requestBody", {}).get("content", {}).get(_JSON, {}).get("schema")
    if body is not None:
        example = json.dumps(_example(body, schema, _DEPTH), ensure_ascii=False)
        lines += [f"  -H 'Content-Type: {_JSON}'", f"  -d '{example}'"]
    return " \\\n".join(lines)


def _example(described: dict[str, Any], schema: Any, depth: int) -> Any:
    """Return the least that the schema takes: what is required, by its first way."""
    described = _resolved(described, schema)
    for name in ("const", "default", "example"):
        if name in described:
            return described[name]
    if described.get("enum"):
        return described["enum"][0]
    kind = described.get("type", "object")
    kind = next((one for one in kind if one != "null"), "string") if isinstance(kind, list) else kind
    if kind == "array":
        return [_example(described["items"], schema, depth - 1)] if depth else []
    if kind == "object":
        return _object(described, schema, depth)
    return _EXAMPLES.get(described.get("format", ""), _EXAMPLES.get(kind))


def _object(described: dict[str, Any], schema: Any, depth: int) -> dict[str, Any]:
    members = described.get("properties", {})
    return {name: _example(members[name], schema, depth - 1) for name in described.get("required", [])}


def _resolved(described: dict[str, Any], schema: Any) -> dict[str, Any]:
    while True:
        first = next((described[name][0] for name in ("oneOf", "anyOf", "allOf") if name in described), None)
        if "$ref" in described:
            described = schema["components"]["schemas"][described["$ref"].rpartition("/")[2]]
        elif first is not None:
            described = first
        else:
            return described
