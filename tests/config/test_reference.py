"""Every code that a room can answer with is explained, at the address that its problems name."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.test import Client

from config.reference import FAULTS, PROBLEMS
from core.problems import TYPE_BASE

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("core", "organizations", "usage", "billing", "alerts", "portal")
POSITIONAL = {"Fault", "FieldError", "invalid_field"}


def codes() -> dict[str, str]:
    """Return every code written in the rooms, with a place where it is."""
    found: dict[str, str] = {}
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text())):
                for code in _codes(node):
                    found[code] = f"{path.relative_to(ROOT)}:{getattr(node, 'lineno', 0)}"
    return found


def _codes(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Call):
        yield from (_text(keyword.value) for keyword in node.keywords if keyword.arg == "code")
        name = getattr(node.func, "id", getattr(node.func, "attr", ""))
        if name in POSITIONAL and len(node.args) > 1:
            yield _text(node.args[1])
    elif isinstance(node, ast.FunctionDef):
        given = node.args
        positional = zip(reversed(given.args), reversed(given.defaults), strict=False)
        keywords = zip(given.kwonlyargs, given.kw_defaults, strict=True)
        yield from (_text(value) for argument, value in [*positional, *keywords] if argument.arg == "code")


def _text(node: ast.AST | None) -> str:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def test_every_code_in_the_rooms_is_explained() -> None:
    known = {*PROBLEMS, *FAULTS, ""}
    found = codes()
    assert len(found) > 20
    assert {code: where for code, where in found.items() if code not in known} == {}


@pytest.mark.parametrize("code", sorted({*PROBLEMS, *FAULTS}))
def test_a_problems_type_leads_to_its_entry(client: Client, code: str) -> None:
    address, _, anchor = f"{TYPE_BASE}{code}".partition("#")
    page = client.get(address)
    assert page.status_code == 200
    assert page.content.decode().count(f'<dt id="{anchor}">') == 1
