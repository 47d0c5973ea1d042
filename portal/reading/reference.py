"""What the API page shows: every operation of the API's own description, each with a request to copy."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final
from urllib.parse import quote, urlencode

from drf_spectacular.generators import SchemaGenerator

from portal.first_key import PLACEHOLDER

_METHODS: Final = ("get", "post", "put", "patch", "delete")
_JSON: Final = "application/json"


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


def read(base: str, own: Mapping[str, Any]) -> list[Section]:
    """Return all operations, by the first part of their paths.

    ``base`` is where the server answers; ``own`` are members of bodies that are the reader's instead of the
    example's.
    """
    found: dict[str, list[Operation]] = {}
    schema = _schema()
    for path, methods in schema["paths"].items():
        name = path.removeprefix("/api/v1/").partition("/")[0]
        for method in _METHODS:
            if method in methods:
                found.setdefault(name, []).append(_operation(base, path, method, methods[method], own))
    return [Section(name, operations) for name, operations in sorted(found.items())]


@cache
def _schema() -> dict[str, Any]:
    generator: Any = SchemaGenerator()  # type: ignore[no-untyped-call] # it has no types
    schema: dict[str, Any] = generator.get_schema(request=None, public=True)
    return schema


def _operation(
    base: str, path: str, method: str, described: dict[str, Any], own: Mapping[str, Any]
) -> Operation:
    return Operation(
        id=described["operationId"],
        method=method.upper(),
        path=path,
        summary=described.get("summary", ""),
        description=described.get("description", ""),
        parameters=[
            _parameter(one) for one in described.get("parameters", []) if one["in"] in ("query", "path")
        ],
        command=_command(base, path, method, described, own),
    )


def _parameter(one: dict[str, Any]) -> Parameter:
    schema = one.get("schema", {})
    ways = schema.get("enum") or [_kind(way) for way in schema.get("anyOf", [schema])]
    accepted = ", ".join(map(str, ways))
    default = schema.get("default")
    said = one.get("description", "")
    more = "" if default is None else f" By default {str(default).lower() if default is True else default}."
    return Parameter(one["name"], f"{said}{more}", accepted, bool(one.get("required")))


def _kind(schema: dict[str, Any]) -> str:
    return "date-time" if schema.get("format") == "date-time" else str(schema.get("type", ""))


def _command(base: str, path: str, method: str, described: dict[str, Any], own: Mapping[str, Any]) -> str:
    asked = {}
    for one in described.get("parameters", []):
        if one["in"] == "path":
            path = path.replace(f"{{{one['name']}}}", quote(one["name"].upper()))
        elif one["in"] == "query" and "example" in one:
            asked[one["name"]] = one["example"]
    verb = "" if method == "get" else f"-X {method.upper()} "
    address = f"{base}{path}{'?' if asked else ''}{urlencode(asked, safe=',')}"
    # Shells take what a query begins with for a pattern.
    lines = [f"curl -sS {verb}{shlex.quote(address)}", f'  -H "Authorization: Bearer {PLACEHOLDER}"']
    body = described.get("requestBody", {}).get("content", {}).get(_JSON, {}).get("example")
    if body is not None:
        sent = json.dumps({name: own.get(name, value) for name, value in body.items()}, ensure_ascii=False)
        lines += [f"  -H 'Content-Type: {_JSON}'", f"  -d {shlex.quote(sent)}"]
    return " \\\n".join(lines)
