"""The way of a batch: each stage prepares it outside the transaction, then settles it inside."""

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Final, NamedTuple

from django.conf import settings
from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper
from django.db.utils import DatabaseError, IntegrityError
from django.utils.module_loading import import_string

from organizations.door import holds
from organizations.tenancy import tenant_scope
from usage import partitions
from usage.batch import Batch, Outcome, Unconfirmed

OUTDATED: Final = "HR001"
"""The SQLSTATE by which what settles a batch says that what it was prepared by no longer holds."""
_ATTEMPTS: Final = 10


@dataclass(frozen=True, slots=True)
class Then:
    """What the database does for a stage once the records are stored, in the same statement.

    The function takes the organization's id, the receipt of what was stored, which is null where nothing is
    to be counted, and the note. Functions are called in the order of their stages.
    Shape: the note is JSON.
    """

    function: str
    note: str

    def call(self, organization_id: str, receipt: str, note: str) -> str:
        """Return the call with what stands for its arguments."""
        return f"{self.function}({organization_id}::bigint, {receipt}::jsonb, {note}::jsonb)"


class Stage:
    """One step of the pipeline; a stage does what it needs to in either half, or in both."""

    def prepare(self, batch: Batch) -> None:
        """Work on the batch before its transaction begins."""

    def renew(self, batch: Batch) -> None:
        """Prepare the batch again, by what holds now: settling it has found something out of date."""

    def settle(self, batch: Batch, cursor: CursorWrapper) -> None:
        """Write what the batch means, in its transaction; whatever is raised undoes all of it."""

    def then(self, batch: Batch) -> Then | None:
        """Return what the database is to do for this stage after the records are stored, if anything."""

    def done(self, batch: Batch) -> None:
        """Do what follows once the batch is on disk; it may never come to that, so nothing depends on it."""

    def settle_alone(self, batch: Batch, late: Sequence[int], thens: Sequence[Then]) -> None:
        """Do what `settle` does, as the only stage that does so itself: with the transaction around it.

        ``late`` are the numbers of the weeks that retention must keep away from, ``thens`` what follows.
        Raises: `Unconfirmed`.
        """
        settle_together([self], batch, late, thens)


class Stages(NamedTuple):
    """The stages of the settings in their order, those that settle something, and those that follow it."""

    all: tuple[Stage, ...]
    settling: tuple[Stage, ...]
    following: tuple[Stage, ...]


@lru_cache(maxsize=8)
def load_stages(paths: tuple[str, ...]) -> Stages:
    """Return the stages named in the settings."""
    stages = tuple(import_string(path)() for path in paths)
    return Stages(
        stages,
        tuple(stage for stage in stages if type(stage).settle is not Stage.settle),
        tuple(stage for stage in stages if type(stage).done is not Stage.done),
    )


def ingest(batch: Batch, noting: Callable[[Batch], None] | None = None) -> Outcome:
    """Take in a batch: when this returns, what was accepted is on disk, unique, and in every total.

    What ``noting`` writes about it is kept in the same transaction; whatever it raises undoes the batch.
    Concurrency: any number of senders; the transaction holds no lock that another organization's waits for.
    Raises: `Unconfirmed` when the batch's entry no longer holds.
    """
    stages = load_stages(tuple(settings.USAGE_PIPELINE))
    for stage in stages.all:
        stage.prepare(batch)
    weeks = partitions.numbers_of(row.occurred_at for row in batch.rows)
    partitions.ensure(weeks)
    with nullcontext() if noting is None else transaction.atomic():
        if batch.rows:
            _settle_at_last(stages, batch, weeks)
        else:
            _confirm(batch)
        if noting is not None:
            noting(batch)
    if not batch.rows:
        return batch.outcome
    for stage in stages.following:
        transaction.on_commit(partial(stage.done, batch))
    return batch.outcome


def settle_together(
    stages: Sequence[Stage], batch: Batch, late: Sequence[int], thens: Sequence[Then] = ()
) -> None:
    """Let stages settle a batch one after the other, and then the database, in one transaction in its scope.

    Raises: `Unconfirmed`.
    """
    _confirm(batch)
    with tenant_scope(batch.caller.organization_id), connection.cursor() as cursor:
        if late:
            # Before any table is locked: retention waits for those who hold one.
            partitions.share(cursor, late)
        for stage in stages:
            stage.settle(batch, cursor)
        for then in thens:
            call = then.call("%s", "%s", "%s")
            cursor.execute(f"SELECT {call}", [batch.caller.organization_id, batch.receipt, then.note])


def _settle_at_last(stages: Stages, batch: Batch, weeks: set[int]) -> None:
    for _ in range(_ATTEMPTS):
        try:
            return _settle(stages, batch, weeks)
        except IntegrityError as error:
            if not partitions.is_missing(error):
                raise
            # Retention dropped the week after it was last seen.
            partitions.forget()
            partitions.ensure(weeks)
        except DatabaseError as error:
            if getattr(error.__cause__, "sqlstate", None) != OUTDATED:
                raise
            for stage in stages.all:
                stage.renew(batch)
    return _settle(stages, batch, weeks)


def _settle(stages: Stages, batch: Batch, weeks: set[int]) -> None:
    (current,) = partitions.numbers_of([batch.received_at])
    late = sorted(week for week in weeks if week < current)
    thens = [then for stage in stages.all if (then := stage.then(batch)) is not None]
    if len(stages.settling) == 1:
        stages.settling[0].settle_alone(batch, late, thens)
    else:
        settle_together(stages.settling, batch, late, thens)


def _confirm(batch: Batch) -> None:
    if batch.entry is not None and not holds(batch.entry):
        raise Unconfirmed
