"""Asking the workers for an export."""

from typing import Final
from uuid import UUID

import structlog
from celery import current_app
from kombu.exceptions import OperationalError

TASK: Final = "usage.tasks.run_export"
HEARD_FOR_SECONDS: Final = 60
"""A message that nobody took by then is void: the sweep has sent another."""
_AT_ONCE_OR_NOT: Final = {"max_retries": 0, "socket_connect_timeout": 1, "socket_timeout": 1}

log: Final = structlog.get_logger(__name__)


def enqueue(export_id: UUID, organization_id: int) -> bool:
    """Tell the workers that an export waits; False when they can't be told now: the sweep makes it good."""
    try:
        with current_app.connection_for_write(transport_options=_AT_ONCE_OR_NOT) as connection:
            current_app.send_task(
                TASK,
                args=[str(export_id), organization_id],
                connection=connection,
                retry=False,
                expires=HEARD_FOR_SECONDS,
            )
    except (OperationalError, OSError) as error:
        log.warning("export waits for the sweep", export=str(export_id), reason=str(error))
        return False
    return True
