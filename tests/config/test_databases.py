"""URLs become connections that act as the role they are meant to have."""

from __future__ import annotations

import pytest
from django.core.exceptions import ImproperlyConfigured

from config.databases import connection_settings, parse_address


def test_every_part_of_a_url_is_kept() -> None:
    address = parse_address(
        "postgresql://al%40ice:p%2Fw@db.example:6543/usage?sslmode=require", variable="DATABASE_URL"
    )
    settings = connection_settings(address, role="headroom_app")
    assert (settings["USER"], settings["PASSWORD"]) == ("al@ice", "p/w")
    assert (settings["HOST"], settings["PORT"], settings["NAME"]) == ("db.example", "6543", "usage")
    assert settings["OPTIONS"] == {
        "sslmode": "require",
        "options": "-c role=headroom_app",
        "connect_timeout": "5",
        "prepare_threshold": 5,
    }
    assert settings["CONN_MAX_AGE"] is None
    assert settings["CONN_HEALTH_CHECKS"] is True


def test_behind_a_pooler_nothing_is_prepared() -> None:
    address = parse_address("postgresql://headroom_app@pooler/headroom", variable="DATABASE_URL")
    settings = connection_settings(address, role="headroom_app", pooled=True)
    assert settings["OPTIONS"]["prepare_threshold"] is None


def test_a_host_option_names_a_socket_directory() -> None:
    address = parse_address("postgresql://headroom_app@/headroom?host=/tmp/a%20b", variable="DATABASE_URL")
    assert connection_settings(address, role="headroom_app")["HOST"] == "/tmp/a b"


def test_a_login_that_is_the_role_does_not_step_down() -> None:
    address = parse_address("postgresql://headroom_app@db/headroom", variable="DATABASE_URL")
    assert "options" not in connection_settings(address, role="headroom_app")["OPTIONS"]
    assert address.conninfo(role="headroom_app") == {
        "dbname": "headroom",
        "user": "headroom_app",
        "host": "db",
    }


def test_start_up_options_of_the_url_are_kept_beside_the_role() -> None:
    address = parse_address(
        "postgresql://alice@db/headroom?options=-c%20work_mem%3D8MB", variable="DATABASE_URL"
    )
    expected = "-c work_mem=8MB -c role=headroom_app"
    assert connection_settings(address, role="headroom_app")["OPTIONS"]["options"] == expected
    assert address.conninfo(role="headroom_app")["options"] == expected


@pytest.mark.parametrize("url", ["postgresql://db.example/headroom", "postgresql://alice@db.example/"])
def test_a_url_without_user_or_database_is_refused_by_its_name(url: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="^DATABASE_OWNER_URL must name a user and a database"):
        parse_address(url, variable="DATABASE_OWNER_URL")


def test_a_password_is_not_shown_with_its_address() -> None:
    assert "hidden" not in repr(
        parse_address("postgresql://alice:hidden@db/headroom", variable="DATABASE_URL")
    )
