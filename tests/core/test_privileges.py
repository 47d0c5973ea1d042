from typing import Any

import psycopg
import pytest
from django.core.management import CommandParser, load_command_class


def test_the_application_may_use_what_the_owner_makes_but_not_change_it(
    owner_connection: psycopg.Connection[Any], app_connection: psycopg.Connection[Any]
) -> None:
    owner_connection.execute("CREATE TABLE made_later (id bigserial PRIMARY KEY, n integer)")
    try:
        app_connection.execute("INSERT INTO made_later (n) VALUES (1)")
        app_connection.execute("UPDATE made_later SET n = 2")
        app_connection.execute("DELETE FROM made_later")
        for forbidden in (
            "TRUNCATE made_later",
            "DROP TABLE made_later",
            "ALTER TABLE made_later ADD m integer",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                app_connection.execute(forbidden)
    finally:
        owner_connection.execute("DROP TABLE made_later")


def test_migrate_is_the_owners_unless_told_otherwise() -> None:
    command = load_command_class("core", "migrate")
    parser = command.create_parser("manage.py", "migrate")
    assert isinstance(parser, CommandParser)
    assert parser.parse_args([]).database == "owner"
    assert parser.parse_args(["--database", "default"]).database == "default"
