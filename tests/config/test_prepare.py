"""What a start prepares is done once, and again only when something has changed."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
from django.test import Client, override_settings

from config.env import Env
from config.up import demo, prepare
from config.up.announce import wait_until_ready
from config.up.banner import banner
from config.web import Binding, binding
from organizations.models import User
from tests.serving import free_port
from usage.demo.load import OWNER


@pytest.fixture
def small_demo(monkeypatch: pytest.MonkeyPatch) -> None:
    """A demo without its months of usage, which have tests of their own."""
    monkeypatch.setattr(demo, "load", lambda organization, days: None)


def test_static_files_are_collected_again_only_when_they_change(tmp_path: Path) -> None:
    with override_settings(STATIC_ROOT=str(tmp_path)):
        prepare.static_files()
        collected = tmp_path / "config" / "docs.css"
        assert collected.is_file()
        collected.unlink()
        prepare.static_files()
        assert not collected.exists()
        (tmp_path / prepare.FINGERPRINT).write_text("another")
        prepare.static_files()
        assert collected.is_file()


@pytest.mark.django_db(databases=["default", "owner"])
def test_nothing_waits_to_be_migrated() -> None:
    assert not prepare.unapplied()


@pytest.mark.usefixtures("small_demo")
@pytest.mark.django_db(transaction=True)
def test_an_empty_start_gets_a_demo_whose_sign_in_is_kept(tmp_path: Path) -> None:
    made = demo.ensure(tmp_path)
    assert made is not None
    assert made.owner == OWNER
    assert json.loads((tmp_path / demo.FILE).read_text())["api_key"] == made.api_key
    assert demo.ensure(tmp_path) == made


@pytest.mark.usefixtures("small_demo")
@pytest.mark.django_db(transaction=True)
def test_the_demo_has_an_operator_who_gets_into_the_admin(tmp_path: Path) -> None:
    made = demo.ensure(tmp_path)
    assert made is not None
    assert made.operator == demo.OPERATOR
    client = Client()
    form = {"login": made.operator, "password": made.operator_password}
    assert client.post("/sign-in/?next=/admin/", form).headers["Location"] == "/admin/"
    assert b"Busiest organizations" in client.get("/admin/").content


@pytest.mark.usefixtures("small_demo")
@pytest.mark.django_db(transaction=True)
def test_a_demo_that_was_made_without_an_operator_gets_one(tmp_path: Path) -> None:
    made = demo.ensure(tmp_path)
    assert made is not None
    kept = asdict(made)
    del kept["operator"], kept["operator_password"]
    (tmp_path / demo.FILE).write_text(json.dumps(kept))
    # Somebody's account of that address is left as it is.
    assert demo.ensure(tmp_path) == replace(made, operator="", operator_password="")
    User.objects.filter(email=demo.OPERATOR).delete()
    again = demo.ensure(tmp_path)
    assert again is not None
    assert again.operator == demo.OPERATOR
    assert demo.ensure(tmp_path) == again


@pytest.mark.django_db(transaction=True)
def test_usage_that_was_interrupted_while_it_loaded_is_taken_up_by_the_next_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, int]] = []

    def load(organization: str, days: int) -> None:
        asked.append((organization, days))
        if len(asked) == 1:
            raise KeyboardInterrupt

    monkeypatch.setattr(demo, "load", load)
    with pytest.raises(KeyboardInterrupt):
        demo.ensure(tmp_path)
    made = demo.ensure(tmp_path)
    assert made == demo.read(tmp_path) == demo.ensure(tmp_path)
    assert made is not None
    assert asked == [(made.organization, 90), (made.organization, 90), ("acme-labs", 30)]


@pytest.mark.usefixtures("small_demo")
@pytest.mark.django_db(transaction=True)
def test_no_demo_is_put_beside_organizations_that_are_there(tmp_path: Path) -> None:
    first = demo.ensure(tmp_path / "..")
    assert first is not None
    (tmp_path / ".." / demo.FILE).unlink()
    assert demo.ensure(tmp_path) is None


@pytest.mark.usefixtures("small_demo")
@pytest.mark.django_db(transaction=True)
def test_a_sign_in_of_another_database_is_not_shown(tmp_path: Path) -> None:
    kept: dict[str, Any] = {"organization": "gone", "owner": "o", "password": "p", "api_key": "k"}
    (tmp_path / demo.FILE).write_text(json.dumps(kept))
    made = demo.ensure(tmp_path)
    assert made is not None
    assert made.organization != "gone"


def test_a_kept_sign_in_that_is_damaged_counts_as_none(tmp_path: Path) -> None:
    (tmp_path / demo.FILE).write_text("{")
    assert demo.read(tmp_path) is None


def test_the_banner_shows_the_sign_in_and_a_whole_command() -> None:
    shown = demo.Demo(organization="acme", owner="o@demo.example", password="p w", api_key="hr_key")
    text = banner("http://127.0.0.1:8000", shown)
    assert "o@demo.example" in text
    assert "p w" in text
    command = next(line for line in text.splitlines() if line.startswith("curl"))
    assert command == (
        "curl -sS http://127.0.0.1:8000/api/v1/records -H 'Authorization: Bearer hr_key'"
        " -H 'Content-Type: application/json'"
        ' -d \'{"type":"conversation.completion","model":"gpt-4o",'
        '"tokens":{"prompt":1200,"completion":300}}\''
    )


def test_the_banner_shows_the_operators_sign_in_and_where_it_leads() -> None:
    shown = demo.Demo(
        organization="acme",
        owner="o@demo.example",
        password="p w",
        api_key="hr_key",
        operator="op@demo.example",
        operator_password="q r",
    )
    lines = banner("http://127.0.0.1:8000", shown).splitlines()
    place = lines.index("  Admin      http://127.0.0.1:8000/admin/")
    assert lines[place + 1 : place + 3] == ["  Sign in    op@demo.example", "  Password   q r"]


def test_the_banner_without_a_demo_says_how_to_get_an_organization() -> None:
    assert "manage.py create_organization NAME" in banner("http://127.0.0.1:8000", None)


def test_the_web_listens_where_the_environment_says() -> None:
    bound = binding(Env({"HOST": "0.0.0.0", "PORT": "9000", "WEB_WORKERS": "3", "WEB_THREADS": "5"}))
    assert bound == Binding(host="0.0.0.0", port=9000, workers=3, threads=5)
    assert bound.url == "http://127.0.0.1:9000"
    assert binding(Env({})).url == "http://127.0.0.1:8000"


def test_waiting_for_a_server_that_never_comes_ends() -> None:
    assert not wait_until_ready(f"http://127.0.0.1:{free_port()}", patience=0.3)
