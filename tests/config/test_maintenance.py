"""While the operator works on it, everybody is told so, and when to come back."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from config import maintenance
from core import clock
from tests.portal.pages import text
from tests.usage.factories import make_tenant, record


@pytest.fixture(autouse=True)
def data(settings: Any, tmp_path: Path) -> Path:
    """A data directory of the test's own."""
    settings.DATA_DIR = tmp_path
    return tmp_path


def switch(*arguments: str, capsys: pytest.CaptureFixture[str] | None = None) -> str:
    """Run the command and return what it says."""
    call_command("maintenance", *arguments)
    return "" if capsys is None else capsys.readouterr().out.strip()


def test_pages_say_when_to_come_back(client: Client) -> None:
    switch("on", "--minutes", "30", "--message", "The <b>database</b> moves.")
    page = client.get("/usage/")
    assert page.status_code == 503
    assert 1700 < int(page["Retry-After"]) <= 1800
    assert "script-src 'self'" in page["Content-Security-Policy"]
    assert "Down for maintenance" in text(page)
    assert "&lt;b&gt;database&lt;/b&gt; moves." in page.content.decode()
    assert "no-store" in page["Cache-Control"]


def test_the_api_answers_a_problem(client: Client) -> None:
    switch("on")
    answer = client.get("/api/v1/usage")
    assert (answer.status_code, answer["Retry-After"]) == (503, "300")
    assert answer["Content-Type"] == "application/problem+json"
    assert json.loads(answer.content)["code"] == "maintenance"


@pytest.mark.django_db
def test_records_are_taken_in_unless_they_are_to_wait() -> None:
    acme = make_tenant("Acme")
    switch("on")
    acme.api.keep(record("one"))
    assert acme.api.get("/usage").status == 503
    switch("on", "--records")
    assert acme.api.send([record("two")]).status == 503
    switch("off")
    assert acme.api.get("/usage").body["requests"]["total"] == 1


def test_probes_and_the_pages_files_are_answered(client: Client) -> None:
    switch("on", "--records")
    assert client.get("/healthz").status_code == 200
    assert client.get("/static/portal/nothing.css").status_code != 503


def test_an_end_that_has_passed_says_to_come_back_soon(client: Client) -> None:
    maintenance.begin(maintenance.Notice(until=clock.now() - timedelta(hours=1)))
    assert client.get("/")["Retry-After"] == "60"


def test_a_file_made_by_hand_is_enough(client: Client, data: Path) -> None:
    (data / "maintenance.json").write_text("")
    assert client.get("/")["Retry-After"] == "300"


def test_it_says_how_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    assert switch("status", capsys=capsys) == "No maintenance: everything is answered."
    assert switch("on", capsys=capsys) == "Maintenance: records and the gate are answered."
    assert switch("status", capsys=capsys) == "Maintenance: records and the gate are answered."
    assert switch("off", capsys=capsys) == "No maintenance: everything is answered."
    assert not maintenance.end()


@pytest.mark.parametrize(
    "arguments",
    [
        ("on", "--minutes", "0"),
        ("on", "--minutes", "10081"),
        ("off", "--minutes", "5"),
        ("on", "--message", "x" * 501),
    ],
)
def test_what_makes_no_sense_is_refused(arguments: tuple[str, ...]) -> None:
    with pytest.raises(CommandError):
        switch(*arguments)
