"""The OpenAPI document as the contract tests read it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from drf_spectacular.generators import SchemaGenerator


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one path, below the base path of the API."""

    path: str
    method: str
    id: str
    parameters: tuple[dict[str, Any], ...]
    body: dict[str, Any]
    responses: dict[str, Any]

    @property
    def query(self) -> list[dict[str, Any]]:
        """Its query parameters."""
        return [parameter for parameter in self.parameters if parameter["in"] == "query"]

    def at(self, places: dict[str, str]) -> str:
        """Return its path with values for the parameters of the path."""
        return self.path.format(**places)


@cache
def document() -> dict[str, Any]:
    """Return the whole document; not to be changed."""
    generator: Any = SchemaGenerator
    found: dict[str, Any] = json.loads(json.dumps(generator().get_schema(request=None, public=True)))
    return found


def operations() -> Iterator[Operation]:
    """Yield every operation."""
    for path, methods in document()["paths"].items():
        for method, operation in methods.items():
            yield Operation(
                path.removeprefix("/api/v1"),
                method.upper(),
                operation["operationId"],
                tuple(operation.get("parameters", ())),
                operation.get("requestBody", {}).get("content", {}),
                operation["responses"],
            )


def resolved(schema: dict[str, Any]) -> dict[str, Any]:
    """Return what a schema refers to, or the schema."""
    if "$ref" not in schema:
        return schema
    found: dict[str, Any] = document()["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return resolved(found)


def named(operation_id: str) -> Operation:
    """Return the operation of that id."""
    return next(operation for operation in operations() if operation.id == operation_id)
