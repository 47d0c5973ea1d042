"""Every request on the page of the API's reference is taken as it is, with a key of one's own."""

from __future__ import annotations

import re
import shlex
from html import unescape
from typing import Any

import pytest
from django.db import transaction
from jsonschema import Draft202012Validator

from organizations.roles import Role, scopes_of
from portal.first_key import PLACEHOLDER
from tests.billing.pricing import price
from tests.contracts.document import Operation, document, operations
from tests.contracts.test_schema_fuzz import acme, examples
from tests.portal.pages import add_member, signed_in
from tests.usage.factories import Answer, Api, Tenant

__all__ = ["acme"]

BASE = "http://testserver/api/v1"
JSON = "application/json"
NO_USE = {"confirmAlertChannel": (409, "no_confirmation_needed")}
"""What is refused for what the objects at hand are, and how."""


def commands(page: Any) -> dict[str, str]:
    """Return the page's commands, by operation."""
    found = re.findall(r'<code id="command-(\w+)">(.*?)</code>', page.content.decode(), flags=re.DOTALL)
    return {operation: unescape(command) for operation, command in found}


def run(command: str, key: str, own: dict[str, str]) -> Answer:
    """Do what a shell and curl would do; ``own`` is written in place of the names in capitals."""
    for name, value in own.items():
        command = re.sub(rf"\b{name.upper()}\b", value, command)
    words = shlex.split(command.replace("\\\n", " ").replace(PLACEHOLDER, key))
    assert words[:2] == ["curl", "-sS"]
    method, address, body, headers = "GET", "", b"", {}
    rest = iter(words[2:])
    for word in rest:
        match word:
            case "-X":
                method = next(rest)
            case "-d":
                body = next(rest).encode()
            case "-H":
                name, _, value = next(rest).partition(": ")
                headers[name] = value
            case _:
                address = word
    assert headers.pop("Authorization") == f"Bearer {key}"
    assert address.startswith(BASE)
    content_type = headers.pop("Content-Type", "")
    return Api(key).call(method, address.removeprefix(BASE), body, content_type=content_type, headers=headers)


@pytest.mark.django_db
def test_every_request_of_the_reference_is_taken(acme: Tenant) -> None:
    price(model="gpt-4o")
    own = examples(acme)
    key = acme.another_credential("Reference", scopes=sorted(scopes_of(Role.OWNER))).api.key
    page = signed_in(add_member(acme)).get("/reference/")
    found = commands(page)
    assert found.keys() == {operation.id for operation in operations()}
    accepted = re.findall(r'data-label="Accepts">([^<]*)<', page.content.decode())
    assert "" not in accepted
    assert "date-time, integer" in accepted
    refused = {}
    for name, command in found.items():
        # Each finds everything as it was, whatever the others delete.
        with transaction.atomic():
            answer = run(command, key, own)
            transaction.set_rollback(True)
        if answer.status >= 400:
            refused[name] = (answer.status, answer.body.get("code"))
    assert refused == NO_USE


@pytest.mark.parametrize("operation", list(operations()), ids=lambda operation: operation.id)
def test_every_request_has_an_example_that_is_as_its_schema_says(operation: Operation) -> None:
    body = [operation.body[JSON]] if JSON in operation.body else []
    query = [one for one in operation.query if one.get("required") or "example" in one]
    for shown in (*body, *query):
        schema = {**shown["schema"], "components": document()["components"]}
        Draft202012Validator(schema).validate(shown["example"])
