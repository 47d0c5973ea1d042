"""The refusal to serve under a database role that row-level security doesn't bind."""

from __future__ import annotations

from typing import Any

import structlog
from django.core.exceptions import ImproperlyConfigured
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created
from django.db.utils import OperationalError

from config.roles import read_rights


def install() -> None:
    """Look at every new connection of the application from now on, and at one at once.

    A database that is away now is looked at when it answers again.

    Raises: ImproperlyConfigured.
    """
    connection_created.connect(refuse_stronger_role, dispatch_uid="config.guard")
    try:
        connections["default"].ensure_connection()
    except OperationalError as error:
        structlog.get_logger(__name__).warning("database_away", error=str(error))
    finally:
        connections["default"].close()


def refuse_stronger_role(*, connection: BaseDatabaseWrapper, **kwargs: Any) -> None:
    """Close a new connection of the application that may do more than serve.

    Raises: ImproperlyConfigured, saying what it may do.
    """
    if connection.alias != "default":
        return
    with connection.cursor() as cursor:
        rights = read_rights(cursor)
    if excess := rights.excess():
        connection.close()
        raise ImproperlyConfigured(
            f"The database role {rights.role!r} {' and '.join(excess)}: not serving with it."
        )
