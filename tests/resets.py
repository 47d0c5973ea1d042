"""Emptying the test database after a test that committed, through the role that owns the tables."""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg import sql

SCHEMA = "seeds"
KEPT = ("django_migrations", "django_content_type", "auth_permission")

TABLES = """
SELECT c.relname FROM pg_class c
 WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND c.relname <> ALL (%s)
 ORDER BY c.relname
"""
NUMBERED = """
SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attidentity <> ''
"""
TRUNCATE_TRIGGERS = """
SELECT t.tgrelid::regclass::text, t.tgname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
 WHERE NOT t.tgisinternal AND t.tgenabled <> 'D' AND (t.tgtype & 32) <> 0 AND c.relkind = 'r'
   -- Tables that refer to these are emptied with them.
   AND (t.tgrelid::regclass::text = ANY (%s) OR NOT c.relispartition)
"""


def remember_seeds(connection: psycopg.Connection[Any]) -> None:
    """Copy the rows that migrations put in, so that every test may begin with them."""
    with connection.transaction():
        _open_row_security(connection)
        connection.execute(
            sql.SQL("DROP SCHEMA IF EXISTS {0} CASCADE; CREATE SCHEMA {0}").format(_name(SCHEMA))
        )
        for table in _filled(connection, _tables(connection)):
            connection.execute(
                sql.SQL("CREATE TABLE {} AS TABLE {}").format(_name(SCHEMA, table), _name(table))
            )


def reset(connection: psycopg.Connection[Any]) -> None:
    """Empty every table that has rows, and put the seeds back where they were touched."""
    with connection.transaction():
        _open_row_security(connection)
        connection.execute("SET LOCAL lock_timeout = '20s'")
        seeds = _seeds(connection)
        touched = [table for table in _filled(connection, _tables(connection)) if table not in seeds]
        touched += [table for table in seeds if _differs(connection, table)]
        if touched:
            _truncate(connection, touched)
            for table in _filled_less(connection, seeds):
                _restore(connection, table)


def _truncate(connection: psycopg.Connection[Any], tables: list[str]) -> None:
    triggers = connection.execute(TRUNCATE_TRIGGERS, [tables]).fetchall()
    for verb in ("DISABLE", "ENABLE"):
        if verb == "ENABLE":
            names = sql.SQL(", ").join(map(_name, tables))
            connection.execute(sql.SQL("TRUNCATE {} RESTART IDENTITY CASCADE").format(names))
        for table, trigger in triggers:
            statement = sql.SQL("ALTER TABLE {} {} TRIGGER {}")
            connection.execute(statement.format(_name(table), sql.SQL(verb), _name(trigger)))


def _restore(connection: psycopg.Connection[Any], table: str) -> None:
    # Without its triggers: putting a seed back is no event of the audit trail.
    connection.execute(sql.SQL("ALTER TABLE {} DISABLE TRIGGER USER").format(_name(table)))
    statement = sql.SQL("INSERT INTO {} OVERRIDING SYSTEM VALUE TABLE {}")
    connection.execute(statement.format(_name(table), _name(SCHEMA, table)))
    connection.execute(sql.SQL("ALTER TABLE {} ENABLE TRIGGER USER").format(_name(table)))
    for (column,) in connection.execute(NUMBERED, [table]).fetchall():
        # Emptying the table began its numbers anew, and the seeds have the first.
        last = sql.SQL("SELECT setval(pg_get_serial_sequence({}, {}), max({})) FROM {}")
        connection.execute(last.format(table, column, _name(column), _name(table)))


def _open_row_security(connection: psycopg.Connection[Any]) -> None:
    connection.execute("SELECT set_config('headroom.system', 'on', true)")


def _tables(connection: psycopg.Connection[Any]) -> list[str]:
    return [row[0] for row in connection.execute(TABLES, [list(KEPT)]).fetchall()]


def _seeds(connection: psycopg.Connection[Any]) -> list[str]:
    rows = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = %s", [SCHEMA]).fetchall()
    return sorted(row[0] for row in rows)


def _filled(connection: psycopg.Connection[Any], tables: list[str]) -> list[str]:
    if not tables:
        return []
    probe = sql.SQL("SELECT {} WHERE EXISTS (SELECT FROM {})")
    query = sql.SQL(" UNION ALL ").join(probe.format(sql.Literal(table), _name(table)) for table in tables)
    return [row[0] for row in connection.execute(query).fetchall()]


def _filled_less(connection: psycopg.Connection[Any], tables: list[str]) -> list[str]:
    filled = set(_filled(connection, tables))
    return [table for table in tables if table not in filled]


def _differs(connection: psycopg.Connection[Any], table: str) -> bool:
    difference = sql.SQL(
        "SELECT EXISTS ((TABLE {0} EXCEPT TABLE {1}) UNION ALL (TABLE {1} EXCEPT TABLE {0}))"
    )
    row = connection.execute(difference.format(_name(table), _name(SCHEMA, table))).fetchone()
    return row is not None and bool(row[0])


def _name(*parts: str) -> sql.Identifier:
    return sql.Identifier(*parts)
