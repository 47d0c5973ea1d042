"""The signs of life of an export that is being written."""

import threading
from types import TracebackType
from typing import Final, Self

import structlog
from django.db import DatabaseError, InterfaceError, connection

from usage.exports import services
from usage.models import Export

EVERY_SECONDS: Final = 2.0

log: Final = structlog.get_logger(__name__)


class Lost(Exception):
    """The export was taken back from this worker."""


class Pulse(threading.Thread):
    """Notes how far an export has come, from a thread and a connection of its own, until it is left.

    So a sign of life depends neither on the transaction that reads nor on how long completing a file takes.
    Concurrency: the writer sets ``rows_done`` and ``rows_total``, this thread reads them.
    """

    def __init__(self, export: Export) -> None:
        super().__init__(name=f"export {export.pk}", daemon=True)
        self.rows_done = 0
        self.rows_total: int | None = None
        self._export = export
        self._lost = False
        self._ending = threading.Event()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self._ending.set()
        self.join()

    def run(self) -> None:
        """Beat until the export is left."""
        try:
            while not self._ending.wait(EVERY_SECONDS):
                self._beat()
        finally:
            connection.close()

    def check(self) -> None:
        """Go on only while the export is this worker's.

        Raises: `Lost`.
        """
        if self._lost:
            raise Lost

    def _beat(self) -> None:
        try:
            mine = services.note_progress(self._export, rows_done=self.rows_done, rows_total=self.rows_total)
        except (DatabaseError, InterfaceError) as error:
            log.warning("export gave no sign of life", export=str(self._export.pk), reason=str(error))
            connection.close()
        else:
            self._lost = self._lost or not mine
