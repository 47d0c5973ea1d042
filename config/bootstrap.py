"""The three database roles and the database: made or mended, as often as one likes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

from config.databases import Address

SET_OPTION_SINCE = 160000

ADVICE = """\
The login {login!r} may not prepare the database {database!r} ({reason}).
Let an administrator run this there:

{statements}

or set DATABASE_ADMIN_URL to a login that may, and run `manage.py bootstrap_database` again."""


class BootstrapRefused(Exception):
    """The login may not prepare the database; the message says what to run instead."""


@dataclass(frozen=True, kw_only=True)
class Roles:
    """The names of the roles, and of the logins that act as the owner and as the application."""

    owner: str
    app: str
    lookup: str
    owner_login: str
    app_login: str


def bootstrap(admin: Address, *, database: str, roles: Roles, embedded: bool) -> list[str]:
    """Make what is missing of the roles and the database, and return the statements that did it.

    Raises: BootstrapRefused when the login of `admin` may not.
    """
    with psycopg.connect(**admin.conninfo(), autocommit=True) as connection:
        statements = [*_missing_roles(connection, roles, embedded=embedded)]
        done = _run(connection, admin, statements)
        done += _run(connection, admin, [*_missing_memberships(connection, roles)])
        done += _run(connection, admin, [*_missing_database(connection, database, roles)])
    with psycopg.connect(**admin.conninfo(name=database), autocommit=True) as connection:
        return done + _run(connection, admin, [*_missing_schema_rights(connection, roles)])


def _run(connection: psycopg.Connection[Any], admin: Address, statements: list[sql.Composed]) -> list[str]:
    texts = [statement.as_string(connection) for statement in statements]
    try:
        for statement in statements:
            connection.execute(statement)
    except psycopg.errors.InsufficientPrivilege as error:
        lines = "\n".join(f"    {text};" for text in texts)
        reason = str(error).splitlines()[0]
        database = connection.info.dbname
        raise BootstrapRefused(
            ADVICE.format(login=admin.user, database=database, reason=reason, statements=lines)
        ) from error
    return texts


def _missing_roles(
    connection: psycopg.Connection[Any], roles: Roles, *, embedded: bool
) -> list[sql.Composed]:
    # On the embedded server the roles sign in themselves; elsewhere logins of one's own step down to them.
    login = sql.SQL("LOGIN" if embedded else "NOLOGIN")
    wanted = {
        # Not inheriting: before PostgreSQL 16 the lookup role's policy would hold for its members, too.
        roles.owner: sql.SQL("{} CREATEDB NOINHERIT").format(login),
        roles.app: sql.SQL("{} NOCREATEDB").format(login),
        roles.lookup: sql.SQL("NOLOGIN NOCREATEDB").format(),
    }
    return [
        sql.SQL("CREATE ROLE {} {}").format(sql.Identifier(name), options)
        for name, options in wanted.items()
        if not _asks(connection, "SELECT count(*) > 0 FROM pg_roles WHERE rolname = %s", name)
    ]


def _missing_memberships(connection: psycopg.Connection[Any], roles: Roles) -> list[sql.Composed]:
    wanted = {(roles.lookup, roles.owner), (roles.owner, roles.owner_login), (roles.app, roles.app_login)}
    # Before PostgreSQL 16 a membership always allows SET ROLE, and its inheritance is the member's.
    since_16 = connection.info.server_version >= SET_OPTION_SINCE
    grant = sql.SQL("GRANT {} TO {} WITH INHERIT FALSE, SET TRUE" if since_16 else "GRANT {} TO {}")
    right = "SET" if since_16 else "MEMBER"
    return [
        grant.format(sql.Identifier(group), sql.Identifier(member))
        for group, member in sorted(wanted)
        if not _asks(connection, "SELECT pg_has_role(%s::name, %s::name, %s)", member, group, right)
    ]


def _missing_database(connection: psycopg.Connection[Any], database: str, roles: Roles) -> list[sql.Composed]:
    if _asks(connection, "SELECT count(*) > 0 FROM pg_database WHERE datname = %s", database):
        return []
    return [
        sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(database), sql.Identifier(roles.owner))
    ]


def _missing_schema_rights(connection: psycopg.Connection[Any], roles: Roles) -> list[sql.Composed]:
    # The owner passes its rights on: to the application, and to the lookup role for its one function.
    has = "SELECT has_schema_privilege(%s, 'public', %s) AND has_schema_privilege(%s, 'public', %s)"
    create, usage = "CREATE WITH GRANT OPTION", "USAGE WITH GRANT OPTION"
    if _asks(connection, has, roles.owner, create, roles.owner, usage):
        return []
    return [
        sql.SQL("GRANT USAGE, CREATE ON SCHEMA public TO {} WITH GRANT OPTION").format(
            sql.Identifier(roles.owner)
        )
    ]


def _asks(connection: psycopg.Connection[Any], question: str, *values: str) -> bool:
    row = connection.execute(question, values).fetchone()
    return row is not None and bool(row[0])
