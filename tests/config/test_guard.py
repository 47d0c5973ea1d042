"""Nothing is served under a role that row-level security doesn't bind."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings
from django.core.checks import run_checks
from django.core.exceptions import ImproperlyConfigured
from django.db import connection, connections
from django.db.backends.postgresql.base import DatabaseWrapper
from django.test import override_settings

from config import checks, guard
from tests.conftest import server_environment

ROOT = Path(__file__).resolve().parents[2]


def superuser_connection(alias: str) -> DatabaseWrapper:
    return DatabaseWrapper({**connections["default"].settings_dict, "USER": "postgres"}, alias=alias)


@pytest.mark.django_db(transaction=True)
def test_a_superuser_is_refused_and_its_connection_closed() -> None:
    strong = superuser_connection("default")
    strong.connect()
    with pytest.raises(ImproperlyConfigured, match="^The database role 'postgres' is a superuser and"):
        guard.refuse_stronger_role(connection=strong)
    assert strong.connection is None


@pytest.mark.django_db(transaction=True)
def test_the_owners_connection_is_left_alone() -> None:
    owner = superuser_connection("owner")
    owner.connect()
    guard.refuse_stronger_role(connection=owner)
    assert owner.connection is not None
    owner.close()


@pytest.mark.django_db
def test_the_applications_role_is_content() -> None:
    connection.ensure_connection()
    guard.refuse_stronger_role(connection=connection)
    assert run_checks(tags=["database"], databases=["default"]) == []


@pytest.mark.django_db(transaction=True)
def test_the_application_does_not_even_load_as_a_superuser() -> None:
    environment = {**os.environ, **server_environment(), "DATABASE_APP_ROLE": "postgres"}
    done = subprocess.run(
        [sys.executable, "-c", "import config.wsgi"],
        cwd=ROOT,
        env=environment | {"DATABASE_URL": environment["DATABASE_URL"].replace("headroom_app", "postgres")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "ImproperlyConfigured: The database role 'postgres' is a superuser" in done.stderr


@pytest.mark.django_db(transaction=True)
def test_the_check_reports_what_the_role_may_do(monkeypatch: pytest.MonkeyPatch) -> None:
    strong = superuser_connection("default")
    monkeypatch.setattr(checks, "connections", {"default": strong})
    found = checks.application_role(app_configs=None, databases=["default"])
    strong.close()
    assert [message.id for message in found][:2] == ["headroom.E001", "headroom.E001"]
    assert "The application's database role 'postgres' is a superuser." in [message.msg for message in found]


@pytest.mark.django_db(transaction=True)
def test_the_check_reports_a_database_that_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    away = DatabaseWrapper({**connections["default"].settings_dict, "HOST": "/nowhere"}, alias="default")
    monkeypatch.setattr(checks, "connections", {"default": away})
    assert [message.id for message in checks.application_role(app_configs=None, databases=["default"])] == [
        "headroom.E002"
    ]


def test_without_the_database_option_nothing_is_asked() -> None:
    assert checks.application_role(app_configs=None, databases=None) == []


def test_a_development_start_is_reported_when_deployed() -> None:
    found = {message.id for message in checks.production_profile(app_configs=None)}
    assert {"headroom.W010", "headroom.W011", "headroom.W012", "headroom.W013"} <= found


@override_settings(
    PROFILE="production",
    EMBEDDED_POSTGRES=False,
    EMBEDDED_REDIS=False,
    ALLOWED_HOSTS=["headroom.example"],
    DATABASE_URL=settings.DATABASE_OWNER_URL,
)
def test_signing_in_as_the_owner_is_reported_when_deployed() -> None:
    assert [message.id for message in checks.production_profile(app_configs=None)] == ["headroom.W014"]
