"""Examples of answers in the OpenAPI document: what the API did answer, recorded by the tests."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any, Final

FILE: Final = Path(__file__).with_name("examples.json")
_PROBLEM: Final = {
    "type": "/api/docs/problems#invalid_parameter",
    "title": "Bad Request",
    "status": 400,
    "detail": "take must be a whole number from 1 to 1000.",
    "code": "invalid_parameter",
    "errors": [
        {
            "pointer": "/take",
            "code": "invalid_parameter",
            "detail": "take must be a whole number from 1 to 1000.",
        }
    ],
}


@cache
def recorded() -> dict[str, Any]:
    """Return the first success of each operation, by its id."""
    found: dict[str, Any] = json.loads(FILE.read_text())
    return found


def add_examples(result: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
    """Add an example to each operation's success in JSON, and to what problems look like."""
    result["components"]["schemas"]["Problem"]["examples"] = [_PROBLEM]
    for methods in result["paths"].values():
        for operation in methods.values():
            for status, response in operation["responses"].items():
                content = response.get("content", {}).get("application/json")
                if content and status < "300" and operation["operationId"] in recorded():
                    content["example"] = recorded()[operation["operationId"]]
    return result
