"""The signs of life of an export that is being written, with how far it has come."""

from typing import Final

from core import pulse
from usage.exports import services
from usage.models import Export

EVERY_SECONDS: Final = pulse.EVERY_SECONDS
Lost = pulse.Lost


class Pulse(pulse.Pulse):
    """Notes how far an export has come until it is left.

    Concurrency: the writer sets ``rows_done`` and ``rows_total``, the thread reads them.
    """

    def __init__(self, export: Export) -> None:
        super().__init__(f"export {export.pk}", self._progress, every_seconds=EVERY_SECONDS)
        self.rows_done = 0
        self.rows_total: int | None = None
        self._export = export

    def _progress(self) -> bool:
        return services.note_progress(self._export, rows_done=self.rows_done, rows_total=self.rows_total)
