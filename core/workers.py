"""Telling the workers of work, without ever waiting for a broker that is away."""

from typing import Any, Final

import structlog
from celery import current_app
from kombu.exceptions import OperationalError

_AT_ONCE_OR_NOT: Final = {"max_retries": 0, "socket_connect_timeout": 1, "socket_timeout": 1}

log: Final = structlog.get_logger(__name__)


def tell(task: str, *args: Any, expires: float) -> bool:
    """Send a task by its name; False when the workers can't be told now, which is logged.

    Units: ``expires`` in seconds, after which a message that nobody took is void.
    """
    try:
        with current_app.connection_for_write(transport_options=_AT_ONCE_OR_NOT) as connection:
            current_app.send_task(task, args=list(args), connection=connection, retry=False, expires=expires)
    except (OperationalError, OSError) as error:
        log.warning("the workers can't be told", task=task, reason=str(error))
        return False
    return True
