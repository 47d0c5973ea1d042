"""The command that reads price lists."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from billing.models import Price
from organizations.tenancy import system_scope

pytestmark = pytest.mark.django_db

MAP = {
    "large": {"litellm_provider": "openai", "input_cost_per_token": 2e-06, "output_cost_per_second_4k": 1},
    "free": {"litellm_provider": "openai"},
}


def run(*arguments: str) -> str:
    said = io.StringIO()
    call_command("import_prices", *arguments, stdout=said)
    return said.getvalue()


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "prices.json"
    path.write_text(json.dumps(MAP))
    return str(path)


def test_the_installed_list_is_read_and_the_second_time_nothing_changes() -> None:
    first: dict[str, Any] = json.loads(run("--json"))
    assert first["added"] > 2_000
    assert (first["changed"], first["kept"], first["gone"]) == (0, 0, 0)
    assert all(each["reason"] == "no price of a known meter" for each in first["skipped"])
    with system_scope():
        number = Price.objects.count()
        assert number >= first["added"]
    again = json.loads(run("--json"))
    assert (again["added"], again["changed"], again["kept"]) == (0, 0, first["added"])
    with system_scope():
        assert Price.objects.count() == number


def test_a_map_is_read_and_what_is_left_out_is_told(file: str) -> None:
    assert run("--source", "litellm", "--file", file).splitlines() == [
        "1 added, 0 changed, 0 kept, 0 no longer listed.",
        "Skipped 1: no price of a known meter, e.g. free",
        "Left out of prices, since the book has no word for it:",
        "  output_cost_per_second_4k: 1 times",
    ]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--source", "litellm"], "needs --file"),
        (["--file", "x"], "--file is for litellm"),
        (["--source", "litellm", "--file", "/nowhere"], "No such file"),
        (["--currency", "dollars"], "ISO 4217"),
        (["--exchange-rate", "0"], "is not an exchange rate"),
        (["--from", "yesterday"], "yesterday"),
    ],
)
def test_what_can_not_be_read_is_refused(arguments: list[str], said: str) -> None:
    with pytest.raises(CommandError, match=said):
        run(*arguments)
    with system_scope():
        assert not Price.objects.exists()
