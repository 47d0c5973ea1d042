"""Short statements, with less around them than cursors have."""

import itertools
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final
from weakref import WeakKeyDictionary

import psycopg
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg.errors import error_from_result
from psycopg.pq import DiagnosticField, ExecStatus
from psycopg.pq.abc import PGresult

Row = tuple[str | None, ...]

_prepared: Final[WeakKeyDictionary[psycopg.Connection[Any], set[bytes]]] = WeakKeyDictionary()
"""The names of the statements that a connection has prepared."""
_numbers: Final = itertools.count(1)


def ask(statement: str, *params: str | None) -> Row:
    """Return the first row that a statement answers; its parameters, ``$1`` and so on, and values are text.

    Outside of transactions it is one of its own, and goes straight through libpq: what a cursor does around a
    statement takes longer than a short one. Within one, and where statements are watched, it takes a cursor.
    For statements of few different texts, since each connection prepares each once.

    Raises: Django's errors.
    """
    wrapper = connections[DEFAULT_DB_ALIAS]  # looked up once: the proxy does so each time
    wrapper.close_if_health_check_failed()
    wrapper.ensure_connection()
    if wrapper.in_atomic_block or wrapper.execute_wrappers or wrapper.queries_logged:
        return _by_cursor(wrapper, statement, params)
    with wrapper.wrap_database_errors:
        return _straight(wrapper.connection, statement, params)


def _by_cursor(wrapper: BaseDatabaseWrapper, statement: str, params: Sequence[str | None]) -> Row:
    # Not Django's own cursor, which would write the parameters into the statement.
    raw: Any = psycopg.RawCursor(wrapper.connection)
    with wrapper.make_debug_cursor(raw) if wrapper.queries_logged else wrapper.make_cursor(raw) as cursor:
        cursor.execute(statement, params)
        return _row(raw.pgresult)


def _straight(connection: psycopg.Connection[Any], statement: str, params: Sequence[str | None]) -> Row:
    given: Any = [None if param is None else param.encode() for param in params]
    wire = connection.pgconn
    if connection.prepare_threshold is None:
        result = wire.exec_params(statement.encode(), given)
    else:
        name = _name(statement)
        known = _prepared.setdefault(connection, set())
        if name not in known:
            _check(wire.prepare(name, statement.encode()))
            known.add(name)
        result = wire.exec_prepared(name, given)
    _check(result)
    return _row(result)


@lru_cache(maxsize=64)
def _name(statement: str) -> bytes:
    return b"headroom_%d" % next(_numbers)


def _row(result: PGresult) -> Row:
    if not result.ntuples:
        return ()
    values = (result.get_value(0, place) for place in range(result.nfields))
    return tuple(None if value is None else value.decode() for value in values)


def _check(result: PGresult) -> None:
    if result.status in (ExecStatus.TUPLES_OK, ExecStatus.COMMAND_OK):
        return
    if result.error_field(DiagnosticField.SQLSTATE) is None:
        # It is not the server that says so.
        raise psycopg.OperationalError(result.get_error_message())
    raise error_from_result(result)
