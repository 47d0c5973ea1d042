"""The roles and the database are made once, mended when something is missing, and refused with advice."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from config.bootstrap import BootstrapRefused, Roles, bootstrap
from config.databases import Address, connection_settings, parse_address
from config.embedded import EmbeddedPostgres
from config.roles import Rights, read_rights

DATABASE = "elsewhere"
ROLES = Roles(owner="b_owner", app="b_app", lookup="b_lookup", owner_login="b_admin", app_login="b_web")
LOGINS = ("b_admin", "b_web", "b_nobody")


@pytest.fixture
def superuser(embedded_postgres: EmbeddedPostgres) -> Iterator[psycopg.Connection[Any]]:
    """A superuser on a server with three ordinary logins, the first of which may make roles and databases."""
    with psycopg.connect(embedded_postgres.url(database="postgres"), autocommit=True) as connection:
        _forget(connection)
        connection.execute("CREATE ROLE b_admin LOGIN CREATEROLE CREATEDB")
        connection.execute("CREATE ROLE b_web LOGIN")
        connection.execute("CREATE ROLE b_nobody LOGIN")
        yield connection
        _forget(connection)


def _forget(connection: psycopg.Connection[Any]) -> None:
    connection.execute(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")
    for role in (ROLES.app, ROLES.owner, ROLES.lookup, *LOGINS):
        connection.execute(f"DROP ROLE IF EXISTS {role}")


def address(server: EmbeddedPostgres, user: str, database: str = "postgres") -> Address:
    return parse_address(server.url(user=user, database=database), variable="a test")


def rights(server: EmbeddedPostgres, user: str, role: str) -> Rights:
    conninfo = address(server, user, DATABASE).conninfo(role=role)
    with psycopg.connect(**conninfo) as connection, connection.cursor() as cursor:
        return read_rights(cursor)


def test_a_superuser_makes_everything_and_a_second_run_nothing(
    embedded_postgres: EmbeddedPostgres, superuser: psycopg.Connection[Any]
) -> None:
    admin = address(embedded_postgres, "postgres")
    done = bootstrap(admin, database=DATABASE, roles=ROLES, embedded=False)
    assert done == [
        'CREATE ROLE "b_owner" NOLOGIN CREATEDB NOINHERIT',
        'CREATE ROLE "b_app" NOLOGIN NOCREATEDB',
        'CREATE ROLE "b_lookup" NOLOGIN NOCREATEDB',
        'GRANT "b_app" TO "b_web" WITH INHERIT FALSE, SET TRUE',
        'GRANT "b_lookup" TO "b_owner" WITH INHERIT FALSE, SET TRUE',
        'GRANT "b_owner" TO "b_admin" WITH INHERIT FALSE, SET TRUE',
        'CREATE DATABASE "elsewhere" OWNER "b_owner"',
    ]
    assert bootstrap(admin, database=DATABASE, roles=ROLES, embedded=False) == []


def test_a_login_that_may_make_roles_is_enough(
    embedded_postgres: EmbeddedPostgres, superuser: psycopg.Connection[Any]
) -> None:
    bootstrap(address(embedded_postgres, "b_admin"), database=DATABASE, roles=ROLES, embedded=False)
    assert rights(embedded_postgres, "b_admin", "b_owner").role == "b_owner"
    assert rights(embedded_postgres, "b_web", "b_app").role == "b_app"


def test_a_login_that_may_not_is_told_the_statements_to_run(
    embedded_postgres: EmbeddedPostgres, superuser: psycopg.Connection[Any]
) -> None:
    with pytest.raises(BootstrapRefused) as refused:
        bootstrap(address(embedded_postgres, "b_nobody"), database=DATABASE, roles=ROLES, embedded=False)
    assert "The login 'b_nobody' may not prepare the database" in str(refused.value)
    assert '    CREATE ROLE "b_lookup" NOLOGIN NOCREATEDB;' in str(refused.value)


def test_a_login_that_may_not_is_content_with_what_is_there(
    embedded_postgres: EmbeddedPostgres, superuser: psycopg.Connection[Any]
) -> None:
    bootstrap(address(embedded_postgres, "postgres"), database=DATABASE, roles=ROLES, embedded=False)
    nobody = address(embedded_postgres, "b_nobody")
    assert bootstrap(nobody, database=DATABASE, roles=ROLES, embedded=False) == []


def test_the_embedded_roles_sign_in_themselves(
    embedded_postgres: EmbeddedPostgres, superuser: psycopg.Connection[Any]
) -> None:
    own = Roles(owner="b_owner", app="b_app", lookup="b_lookup", owner_login="b_owner", app_login="b_app")
    bootstrap(address(embedded_postgres, "postgres"), database=DATABASE, roles=own, embedded=True)
    assert rights(embedded_postgres, "b_app", "b_app").excess() == []
    assert not rights(embedded_postgres, "b_app", "b_app").login_is_stronger


def test_a_connection_of_django_steps_down_to_its_role(
    embedded_postgres: EmbeddedPostgres, superuser: psycopg.Connection[Any]
) -> None:
    bootstrap(address(embedded_postgres, "postgres"), database=DATABASE, roles=ROLES, embedded=False)
    settings = connection_settings(address(embedded_postgres, "b_web", DATABASE), role="b_app")
    assert settings["OPTIONS"]["options"] == "-c role=b_app"
    found = rights(embedded_postgres, "b_web", "b_app")
    assert (found.role, found.login, found.excess(), found.login_is_stronger) == ("b_app", "b_web", [], False)


def test_a_superuser_that_steps_down_may_step_up_again_and_that_is_seen(
    embedded_postgres: EmbeddedPostgres, superuser: psycopg.Connection[Any]
) -> None:
    bootstrap(address(embedded_postgres, "postgres"), database=DATABASE, roles=ROLES, embedded=False)
    found = rights(embedded_postgres, "postgres", "b_app")
    assert (found.excess(), found.login_is_stronger) == ([], True)


def test_the_owner_of_tables_is_too_strong_to_serve(
    embedded_postgres: EmbeddedPostgres, superuser: psycopg.Connection[Any]
) -> None:
    bootstrap(address(embedded_postgres, "postgres"), database=DATABASE, roles=ROLES, embedded=False)
    owner = address(embedded_postgres, "b_admin", DATABASE).conninfo(role="b_owner")
    with psycopg.connect(**owner, autocommit=True) as connection:
        connection.execute("CREATE TABLE usage_record (id bigint)")
    expected = ["owns tables", "may truncate usage_record"]
    assert rights(embedded_postgres, "b_admin", "b_owner").excess() == expected
    assert rights(embedded_postgres, "b_web", "b_app").excess() == []


def test_a_superuser_is_too_strong_in_every_way(
    embedded_postgres: EmbeddedPostgres, superuser: psycopg.Connection[Any]
) -> None:
    bootstrap(address(embedded_postgres, "postgres"), database=DATABASE, roles=ROLES, embedded=False)
    excess = rights(embedded_postgres, "postgres", "postgres").excess()
    assert excess[:2] == ["is a superuser", "bypasses row-level security"]
