"""The signs of life of work that takes long, given from a thread of its own."""

import threading
from collections.abc import Callable
from types import TracebackType
from typing import Final, Self

import structlog
from django.db import DatabaseError, InterfaceError, connection

EVERY_SECONDS: Final = 2.0

log: Final = structlog.get_logger(__name__)


class Lost(Exception):
    """The work was taken back from this worker, or called off."""


class Pulse(threading.Thread):
    """Gives signs of life, on a connection of its own, until it is left.

    So they depend neither on the transaction that works nor on how long one step takes. ``beat`` gives one,
    and returns False when the work is no longer this worker's.
    """

    def __init__(self, name: str, beat: Callable[[], bool], *, every_seconds: float = EVERY_SECONDS) -> None:
        super().__init__(name=name, daemon=True)
        self._beat: Final = beat
        self._every_seconds: Final = every_seconds
        self._lost = False
        self._ending: Final = threading.Event()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self._ending.set()
        self.join()

    def run(self) -> None:
        """Beat until the work is left."""
        try:
            while not self._ending.wait(self._every_seconds):
                self._note()
        finally:
            connection.close()

    def check(self) -> None:
        """Go on only while the work is this worker's.

        Raises: `Lost`.
        """
        if self._lost:
            raise Lost

    def _note(self) -> None:
        try:
            mine = self._beat()
        except (DatabaseError, InterfaceError) as error:
            log.warning("no sign of life could be given", work=self.name, reason=str(error))
            connection.close()
        else:
            self._lost = self._lost or not mine
