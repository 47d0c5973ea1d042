"""Asking the workers for an import."""

from typing import Final
from uuid import UUID

from core.workers import tell

TASK: Final = "usage.tasks.run_import"
HEARD_FOR_SECONDS: Final = 60
"""A message that nobody took by then is void: the sweep has sent another."""


def enqueue(import_id: UUID, organization_id: int) -> bool:
    """Tell the workers that an import waits; False when they can't be told now: the sweep makes it good."""
    return tell(TASK, str(import_id), organization_id, expires=HEARD_FOR_SECONDS)
