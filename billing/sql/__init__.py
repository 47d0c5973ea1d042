"""The SQL of this room's tables and functions, for its migrations."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection


def read(name: str, **values: Any) -> str:
    """Return the SQL of one file with the application's role, and the values given, filled in."""
    app = connection.ops.quote_name(settings.DATABASE_APP_ROLE)
    return (Path(__file__).parent / f"{name}.sql").read_text().format(app=app, **values)
