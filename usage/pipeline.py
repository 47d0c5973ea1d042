"""The way of a batch: each stage prepares it outside the transaction, then settles it inside."""

from functools import lru_cache

from django.conf import settings
from django.db import connection
from django.db.backends.utils import CursorWrapper
from django.db.utils import IntegrityError
from django.utils.module_loading import import_string

from organizations.tenancy import tenant_scope
from usage import partitions
from usage.batch import Batch, Outcome


class Stage:
    """One step of the pipeline; a stage does what it needs to in either half, or in both."""

    def prepare(self, batch: Batch) -> None:
        """Work on the batch before its transaction begins."""

    def settle(self, batch: Batch, cursor: CursorWrapper) -> None:
        """Write what the batch means, in its transaction; whatever is raised undoes all of it."""


@lru_cache(maxsize=8)
def load_stages(paths: tuple[str, ...]) -> tuple[Stage, ...]:
    """Return the stages named in the settings, in their order."""
    return tuple(import_string(path)() for path in paths)


def ingest(batch: Batch) -> Outcome:
    """Take in a batch: when this returns, what was accepted is on disk, unique, and in every total.

    Concurrency: any number of senders; the transaction holds no lock that another organization's waits for.
    """
    stages = load_stages(tuple(settings.USAGE_PIPELINE))
    for stage in stages:
        stage.prepare(batch)
    if batch.rows:
        weeks = partitions.numbers_of(row.occurred_at for row in batch.rows)
        partitions.ensure(weeks)
        try:
            _settle(stages, batch, weeks)
        except IntegrityError as error:
            if not partitions.is_missing(error):
                raise
            # Retention dropped the week after it was last seen.
            partitions.forget()
            partitions.ensure(weeks)
            _settle(stages, batch, weeks)
    return batch.outcome


def _settle(stages: tuple[Stage, ...], batch: Batch, weeks: set[int]) -> None:
    (current,) = partitions.numbers_of([batch.received_at])
    late = {week for week in weeks if week < current}
    with tenant_scope(batch.caller.organization_id), connection.cursor() as cursor:
        if late:
            # Before any table is locked: retention waits for those who hold one.
            partitions.share(cursor, late)
        for stage in stages:
            stage.settle(batch, cursor)
