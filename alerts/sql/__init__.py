"""The SQL of this room's triggers and of the workers' claim."""

from pathlib import Path

from django.conf import settings
from django.db import connection


def read(name: str) -> str:
    """Return the SQL of one file with the application's role filled in."""
    app = connection.ops.quote_name(settings.DATABASE_APP_ROLE)
    return (Path(__file__).parent / f"{name}.sql").read_text().format(app=app)
