"""The database backend of the settings (``ENGINE = "config.postgresql"``)."""

from __future__ import annotations

import time
from typing import Final

from django.db.backends.postgresql import base

IDLE_SECONDS: Final = 1.0


class DatabaseWrapper(base.DatabaseWrapper):
    """Checks a persistent connection at the start of a request only when it has been idle.

    A check is a round trip, which a request on a busy connection needn't pay for: one that broke since is
    noticed by its first statement, answered with 503, and checked before the next.
    """

    health_check_enabled: bool
    health_check_done: bool
    _used_at = 0.0

    def close_if_health_check_failed(self) -> None:
        """Close the connection if it was idle and is broken: decided once a request, at its first statement.

        Later would be in the midst of a transaction, where the check's own statement would begin another.
        """
        if self.connection is None or not self.health_check_enabled or self.health_check_done:
            return
        now = time.monotonic()
        if now - self._used_at < IDLE_SECONDS and not self.errors_occurred:
            self.health_check_done = True
        else:
            super().close_if_health_check_failed()
        self._used_at = now

    def connect(self) -> None:
        """Open the connection."""
        super().connect()
        self._used_at = time.monotonic()
