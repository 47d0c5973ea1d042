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

    _used_at = 0.0

    def close_if_health_check_failed(self) -> None:
        """Close the connection if it was idle and is broken."""
        idle = time.monotonic() - self._used_at
        self._used_at += idle
        if idle >= IDLE_SECONDS or self.errors_occurred:
            super().close_if_health_check_failed()

    def connect(self) -> None:
        """Open the connection."""
        super().connect()
        self._used_at = time.monotonic()
