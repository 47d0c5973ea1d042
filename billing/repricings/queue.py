"""Asking the workers for a repricing."""

from typing import Final
from uuid import UUID

from core.workers import tell

TASK: Final = "billing.tasks.run_repricing"
HEARD_FOR_SECONDS: Final = 60
"""A message that nobody took by then is void: the sweep has sent another."""


def enqueue(repricing_id: UUID) -> bool:
    """Tell the workers that a repricing waits; False when they can't be told now: the sweep makes it good."""
    return tell(TASK, str(repricing_id), expires=HEARD_FOR_SECONDS)
