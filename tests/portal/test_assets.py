"""The script that draws charts is made once, whole, and again for another version."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from portal import assets


@pytest.fixture
def target(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the script goes in this test."""
    path = tmp_path / "generated" / "vega.js"
    monkeypatch.setattr(assets, "path", lambda: path)
    return path


def test_the_script_is_made_once(target: Path) -> None:
    assert assets.build()
    made = target.read_text()
    assert made.startswith("/* vl-convert ")
    # Nothing but what the pages call is left in the window.
    assert "(() => {" in made[:40]
    assert "window.vegaEmbed=" in made.replace(" ", "")
    assert not assets.build()
    assert [one.name for one in target.parent.iterdir()] == ["vega.js"]


def test_another_version_makes_it_again(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vl_convert.javascript_bundle", lambda snippet: "bundle")
    target.parent.mkdir()
    target.write_text("/* vl-convert 0.0.1 */\nold")
    assert assets.build()
    assert "bundle" in target.read_text()


def test_the_command_says_what_it_did(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vl_convert.javascript_bundle", lambda snippet: "bundle")
    said = [io.StringIO(), io.StringIO()]
    for output in said:
        call_command("build_assets", stdout=output)
    assert [output.getvalue().strip() for output in said] == [f"{target} written", f"{target} is up to date"]


def test_collecting_never_leaves_it_out(tmp_path: Path, settings: Any) -> None:
    settings.STATIC_ROOT = str(tmp_path / "collected")
    call_command("collectstatic", interactive=False, verbosity=0)
    assert (tmp_path / "collected" / assets.NAME).is_file()
