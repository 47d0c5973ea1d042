"""Every success in the OpenAPI document has an example, which is one that the API did answer.

With RECORD_EXAMPLES=1 in the environment, the answers of this run become the examples.
"""

from __future__ import annotations

import json
import os
from typing import Any, Final

import pytest
import time_machine
from jsonschema import Draft202012Validator

from config.examples import FILE, recorded
from tests.contracts.document import Operation, document, named, operations
from tests.contracts.test_openapi import CASES, acme, used
from tests.usage.factories import NOW, Tenant

__all__ = ["acme", "used"]

RECORDING: Final = "RECORD_EXAMPLES" in os.environ
MOST_ITEMS: Final = 2
SECRET: Final = "hr_" + "0" * 36

ANSWERED: Final = [
    operation.id
    for operation in operations()
    if any(
        "application/json" in response.get("content", {})
        for status, response in operation.responses.items()
        if status < "300"
    )
]


def successes(operation: Operation) -> list[tuple[str, dict[str, Any]]]:
    """Return the media types of an operation's success with what is said of them."""
    return [
        (media_type, content)
        for status, response in operation.responses.items()
        if status < "300"
        for media_type, content in response.get("content", {}).items()
    ]


@pytest.mark.parametrize("operation", list(operations()), ids=lambda operation: operation.id)
def test_every_success_has_an_example_that_is_as_its_schema_says(operation: Operation) -> None:
    for media_type, content in successes(operation):
        if content["schema"].get("format") == "binary":
            continue
        shown = [each["value"] for each in content.get("examples", {}).values()]
        shown += [content["example"]] if "example" in content else []
        assert shown, f"{operation.id} has no example of {media_type}: record one (RECORD_EXAMPLES=1)."
        for value in shown:
            schema = {**content["schema"], "components": document()["components"]}
            Draft202012Validator(schema).validate(value)


def test_what_problems_look_like_is_shown() -> None:
    problem = document()["components"]["schemas"]["Problem"]
    (example,) = problem["examples"]
    Draft202012Validator({**problem, "components": document()["components"]}).validate(example)


@pytest.mark.django_db
@pytest.mark.parametrize("operation_id", ANSWERED)
def test_an_answer_has_the_members_of_its_example(operation_id: str, request: pytest.FixtureRequest) -> None:
    with time_machine.travel(NOW):
        tenant: Tenant = request.getfixturevalue("used")
        answer = CASES[operation_id](tenant)[0].body
    if RECORDING:
        known = json.loads(FILE.read_text())
        known[operation_id] = shortened(answer)
        FILE.write_text(json.dumps(known, indent=1, ensure_ascii=False, sort_keys=True) + "\n")
        recorded.cache_clear()
    assert_alike(shortened(answer), recorded()[operation_id])


def shortened(value: Any) -> Any:
    """Return an answer with lists cut short, and without a secret."""
    if isinstance(value, list):
        return [shortened(each) for each in value[:MOST_ITEMS]]
    if isinstance(value, dict):
        return {name: SECRET if name == "apiKey" else shortened(each) for name, each in value.items()}
    return value


def assert_alike(answer: Any, example: Any) -> None:
    """Compare the members of an answer with those of its example; null may be more in the other."""
    if isinstance(answer, dict) and isinstance(example, dict):
        # Of what has no names of its own, such as quantities, one may be empty.
        assert answer.keys() == example.keys() or not (answer and example)
        for name in answer.keys() & example.keys():
            assert_alike(answer[name], example[name])
    elif isinstance(answer, list) and isinstance(example, list):
        for one, other in zip(answer, example, strict=False):
            assert_alike(one, other)
    else:
        assert answer is None or example is None or not isinstance(answer, dict | list), (answer, example)


def test_examples_are_those_of_operations_that_there_are() -> None:
    assert recorded().keys() <= {operation.id for operation in operations()}
    assert named("listRecords").id in recorded()
