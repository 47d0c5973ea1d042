"""The WSGI application, which doesn't serve under a database role that is too strong."""

from __future__ import annotations

import os
from typing import Any

import structlog
from django.core.exceptions import ImproperlyConfigured
from django.core.wsgi import get_wsgi_application
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created
from django.db.utils import OperationalError

from config.roles import read_rights

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")


def refuse_stronger_role(*, connection: BaseDatabaseWrapper, **kwargs: Any) -> None:
    """Close a new connection of the application whose role row-level security doesn't bind.

    Raises: ImproperlyConfigured.
    """
    if connection.alias != "default":
        return
    with connection.cursor() as cursor:
        rights = read_rights(cursor)
    if excess := rights.excess():
        connection.close()
        raise ImproperlyConfigured(f"The database role {rights.role!r} {' and '.join(excess)}: not serving with it.")


def check_now() -> None:
    """Check the role at the start; a database that is away is checked when it answers again."""
    try:
        connections["default"].ensure_connection()
    except OperationalError as error:
        structlog.get_logger(__name__).warning("database_away", error=str(error))
    finally:
        connections["default"].close()


application = get_wsgi_application()
connection_created.connect(refuse_stronger_role, dispatch_uid="config.wsgi.refuse_stronger_role")
check_now()
