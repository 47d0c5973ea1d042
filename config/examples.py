"""Examples in the OpenAPI document: what can be asked, and what the API did answer, recorded by the tests."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any, Final

FILE: Final = Path(__file__).with_name("examples.json")
_JSON: Final = "application/json"
BODIES: Final[dict[str, dict[str, Any]]] = {
    "authorize": {"estimatedCost": "0.05"},
    "changeAlertChannel": {"enabled": False},
    "changeAlertRule": {"threshold": ["80", "100"]},
    "changeReport": {"hour": 9},
    "createAlertChannel": {
        "kind": "webhook",
        "name": "On call",
        "url": "https://hooks.example.com/headroom",
    },
    "createAlertRule": {
        "name": "Spend this month",
        "metric": "cost",
        "condition": "above",
        "threshold": ["50", "100"],
        "window": "month",
    },
    "createKey": {"name": "Dashboard", "scopes": ["usage:read"]},
    "createRecords": {
        "type": "conversation.completion",
        "model": "gpt-4o",
        "tokens": {"prompt": 1200, "completion": 300},
    },
    "createReport": {"name": "Week in review", "cadence": "weekly", "members": ["ops@example.com"]},
    "requestExport": {"dataset": "daily", "format": "csv"},
    "setSpendLimit": {"limit": "500", "window": "week", "warnAt": [50, 80, 95]},
    "testReport": {"channel": "3f0c8a52-6d1b-4e7a-9b43-5d2c1e8f7a90"},
}
"""What is sent, by operation."""

QUERIES: Final[dict[str, dict[str, str]]] = {
    "compareCosts": {"model": "gpt-4o"},
    "queryUsage": {"groupBy": "model", "metrics": "requests,cost"},
    "replaySpendLimit": {"limit": "500"},
}
"""Query parameters that an operation requires, or says little without."""

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
    """Add an example to each operation's request and success in JSON, and to what problems look like."""
    result["components"]["schemas"]["Problem"]["examples"] = [_PROBLEM]
    for methods in result["paths"].values():
        for operation in methods.values():
            _add_request(operation)
            _add_answers(operation)
    return result


def _add_request(operation: dict[str, Any]) -> None:
    name = operation["operationId"]
    if name in BODIES:
        operation["requestBody"]["content"][_JSON]["example"] = BODIES[name]
    shown = QUERIES.get(name, {})
    for parameter in operation.get("parameters", []):
        if parameter["in"] == "query" and parameter["name"] in shown:
            parameter["example"] = shown[parameter["name"]]


def _add_answers(operation: dict[str, Any]) -> None:
    for status, response in operation["responses"].items():
        content = response.get("content", {}).get(_JSON)
        if content and status < "300" and operation["operationId"] in recorded():
            content["example"] = recorded()[operation["operationId"]]
