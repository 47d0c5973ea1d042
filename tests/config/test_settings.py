"""The two profiles: what a production start insists on, and what the example file explains."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import zoneinfo
from pathlib import Path

import pytest

from config import verify
from config.settings import CELERY_BROKER_URL, REDIS_URL
from tests.plugin import documented_variables

ROOT = Path(__file__).resolve().parents[2]


def check(tmp_path: Path, **changes: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, **verify.sample(tmp_path), **changes}
    command = [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def test_a_well_configured_production_start_has_nothing_to_report(tmp_path: Path) -> None:
    done = check(tmp_path)
    assert (done.returncode, done.stdout.strip()) == (0, "System check identified no issues (0 silenced).")


@pytest.mark.parametrize(
    ("changes", "report"),
    [
        ({"SECRET_KEY": ""}, "SECRET_KEY is not set: production needs one"),
        ({"SECRET_KEY": "short"}, "(security.W009)"),
        ({"HTTPS": "off"}, "(security.W008)"),
        ({"ALLOWED_HOSTS": ""}, "(security.W020)"),
        ({"ALLOWED_HOSTS": "*"}, "(headroom.W013)"),
        ({"DEBUG": "on"}, "(security.W018)"),
        ({"HSTS": "a year"}, "HSTS must be a duration such as 500ms"),
        ({"DATABASE_URL": ""}, "(headroom.W011)"),
        ({"DATABASE_URL": "mysql://a@b/c"}, "DATABASE_URL must be a URL that begins with postgresql://"),
        ({"REDIS_URL": ""}, "(headroom.W012)"),
        (
            {"HEADROOM_PROFILE": "staging"},
            "HEADROOM_PROFILE must be one of development, production, not 'staging'.",
        ),
    ],
)
def test_a_mistake_is_reported_by_its_name(tmp_path: Path, changes: dict[str, str], report: str) -> None:
    done = check(tmp_path, **changes)
    assert done.returncode == 1
    assert report in done.stdout + done.stderr


def test_the_example_explains_the_variables_that_are_read_and_no_others() -> None:
    sources = "".join(path.read_text() for path in (ROOT / "config").rglob("*.py"))
    read = set(re.findall(r"(?:env|environment)\.\w+\(\s*\"([A-Z_]+)\"", sources))
    assert read
    assert read == set(documented_variables())


def test_the_operations_page_has_every_variable_of_the_example() -> None:
    page = (ROOT / "docs" / "operations.md").read_text()
    assert [name for name in documented_variables() if f"`{name}`" not in page] == []


def test_time_zones_are_those_of_the_locked_package() -> None:
    assert zoneinfo.TZPATH == ()


def test_the_broker_is_the_same_redis() -> None:
    assert REDIS_URL.startswith("unix:///")
    assert (
        REDIS_URL.replace("unix://", "redis+socket://").replace("?db=", "?virtual_host=") == CELERY_BROKER_URL
    )


def test_a_development_start_makes_its_secret_once(tmp_path: Path) -> None:
    environment = {**os.environ, "SECRET_KEY": "", "HEADROOM_DATA": str(tmp_path / "data")}
    command = [sys.executable, "-c", "from config import settings; print(settings.SECRET_KEY)"]
    keys = {
        subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True).stdout
        for _ in range(2)
    }
    assert len(keys) == 1
    assert len(keys.pop().strip()) >= 50
    assert (tmp_path / "data" / "secret_key").stat().st_mode & 0o777 == 0o600
