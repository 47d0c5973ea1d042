"""The records in a file of DuckDB's: what a column store makes of them without any rollup."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import duckdb
import psycopg

TABLE: Final = "record"
_COLUMNS: Final = {
    "organization_id": "BIGINT", "credential_id": "BIGINT", "occurred_at": "TIMESTAMP", "type": "VARCHAR",
    "endpoint": "VARCHAR", "capability": "VARCHAR", "model": "VARCHAR", "provider": "VARCHAR",
    "status_code": "SMALLINT", "succeeded": "BOOLEAN", "prompt_tokens": "BIGINT",
    "completion_tokens": "BIGINT", "total_tokens": "BIGINT", "cost_nanos": "BIGINT", "latency_us": "BIGINT",
}  # fmt: skip
_METERS: Final = {"messages": "BIGINT", "conversations": "BIGINT"}
_CHUNK: Final = 1 << 24


def copy(admin: psycopg.Connection[Any], path: Path) -> None:
    """Copy every record, in the order of time, with a column for all that is asked for; moments are UTC."""
    meters = [f"(quantities ->> '{meter}')::bigint" for meter in _METERS]
    values = ", ".join([*_COLUMNS, *meters]).replace("occurred_at", "occurred_at AT TIME ZONE 'UTC'")
    query = f"COPY (SELECT {values} FROM usage_record) TO STDOUT (FORMAT csv)"
    rows = path.with_suffix(".csv")
    try:
        with (
            rows.open("wb", buffering=_CHUNK) as file,
            admin.cursor() as cursor,
            cursor.copy(query) as copied,
        ):
            for part in copied:
                file.write(part)
        with duckdb.connect(str(path)) as connection:
            connection.execute(
                f"CREATE TABLE {TABLE} AS SELECT * FROM read_csv($rows, header = false, columns = $columns)",
                {"rows": str(rows), "columns": _COLUMNS | _METERS},
            )
    finally:
        rows.unlink(missing_ok=True)
