"""Rows from the server a batch at a time, so that a long answer takes no more memory than a short one."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from django.db import connection

from usage.exports.columns import Batch

ROWS: Final = 2_000


def stream(sql: str, params: Sequence[Any]) -> Iterator[Batch]:
    """Yield the rows of a query, by column, from a cursor that the server keeps.

    Shape: the driver's own values, moments as aware datetimes; the query casts JSON to text.
    Tenancy: call in the tenant's scope.
    Concurrency: the transaction stays open and its connection busy until the last row is read.
    """
    with connection.chunked_cursor() as cursor:
        with connection.wrap_database_errors:
            # Sent in binary, since Django reads a moment that is sent as text ten times slower.
            cursor.cursor.execute(sql, params, binary=True)
        while rows := cursor.fetchmany(ROWS):
            yield list(zip(*rows, strict=True))
