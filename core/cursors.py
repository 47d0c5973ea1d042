"""Cursors for statements that Django's own don't fit."""

from typing import Any

import psycopg
from django.db import connection
from django.db.backends.utils import CursorWrapper


def server_bound_cursor() -> CursorWrapper:
    """Return a cursor of the open connection that hands parameters over beside the statement.

    Django's own write them into its text, where a large one is escaped by the client and read twice by the
    server. Errors, logging and query counts are as with Django's cursors.
    """
    connection.close_if_health_check_failed()
    connection.ensure_connection()
    raw: Any = psycopg.Cursor(connection.connection)
    return connection.make_debug_cursor(raw) if connection.queries_logged else connection.make_cursor(raw)
