"""Having rules over costs looked at as soon as something was spent, without holding up whoever sends it.

A process notes whose batches cost something, and tells the workers of all of them together, every two seconds
at most. What is lost with the process is found within the minute.
"""

import os
import threading
import time
from typing import Final

from core import clock
from core.workers import tell
from usage.batch import Batch
from usage.pipeline import Stage

TASK: Final = "alerts.tasks.evaluate_spend"
APART_SECONDS: Final = 2.0
HEARD_FOR_SECONDS: Final = 60
_SOON_SECONDS: Final = 0.02
"""How long the first waits, for others that come with it."""


class Noted:
    """The organizations that spent something since the workers were told last.

    Concurrency: for any number of threads; a process that is forked begins with none.
    """

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Begin with nothing noted."""
        self._lock = threading.Lock()
        self._waiting: set[int] = set()
        self._timer: threading.Timer | None = None
        self._told_at = -APART_SECONDS

    def add(self, organization_id: int) -> None:
        """Note an organization, to be told of soon."""
        with self._lock:
            self._waiting.add(organization_id)
            if self._timer is None:
                delay = max(_SOON_SECONDS, self._told_at + APART_SECONDS - time.monotonic())
                self._timer = threading.Timer(delay, self.flush)
                self._timer.daemon = True
                self._timer.start()

    def flush(self) -> None:
        """Tell the workers of whatever is noted."""
        with self._lock:
            waiting, self._waiting, self._timer = sorted(self._waiting), set(), None
            self._told_at = time.monotonic()
        if waiting:
            tell(TASK, waiting, expires=HEARD_FOR_SECONDS)


NOTED: Final = Noted()
os.register_at_fork(after_in_child=NOTED.forget)


class Wake(Stage):
    """Has the rules over costs looked at once a batch that costs something is on disk."""

    def done(self, batch: Batch) -> None:
        """Note whose batch it is."""
        if not clock.is_standing() and any(row.cost_nanos for row in batch.rows):
            NOTED.add(batch.caller.organization_id)
