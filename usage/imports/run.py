"""The run of an import: lines into batches, batches through the pipeline, and what became of them."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from core import clock
from organizations.tenancy import Caller
from usage.batch import Batch, Outcome
from usage.dialects.errors import Fault, RecordError
from usage.history import history_start
from usage.imports.errors import ImportProblem
from usage.imports.records import Line
from usage.pipeline import ingest
from usage.rollups.fold import fold_pending

BATCH: Final = 5_000
FOLD_AFTER: Final = 20
"""Batches between folds: a worker folds too, but an import must not pile up what slows every question."""


@dataclass(slots=True)
class Tally:
    """What became of the lines so far."""

    accepted: int = 0
    duplicates: int = 0
    rejected: int = 0

    def add(self, outcome: Outcome) -> None:
        """Add what became of a batch."""
        self.accepted += outcome.accepted
        self.duplicates += outcome.duplicates
        self.rejected += outcome.rejected

    @property
    def fruitless(self) -> bool:
        """Whether there were lines and none of them was a record."""
        return bool(self.rejected) and not self.accepted and not self.duplicates

    def as_dict(self) -> dict[str, int]:
        """Return the figures as they are printed."""
        return {"accepted": self.accepted, "duplicates": self.duplicates, "rejected": self.rejected}


def run(
    lines: Iterable[Line],
    caller: Caller,
    told: Callable[[Outcome], None],
    *,
    size: int = BATCH,
    take: Callable[[Batch], Outcome] | None = None,
) -> None:
    """Take in the records of the lines, and tell what became of each batch once it is on disk.

    Not the plan's history is the limit here but the longest that anything is kept. The index of an error is
    the number of its line. Batches go through ``take``, by default `ingest`.
    Raises: `ImportProblem` when the lines can't be read to their end; those before it are taken in.
    Concurrency: as `ingest`; clients may send meanwhile.
    """
    for number, batch in enumerate(_batches(lines, caller, size), start=1):
        told((take or ingest)(batch))
        if number % FOLD_AFTER == 0:
            fold_pending()
    fold_pending()


def _batches(lines: Iterable[Line], caller: Caller, size: int) -> Iterator[Batch]:
    source = iter(lines)
    broken: ImportProblem | None = None
    while broken is None:
        now = clock.now()
        batch = Batch(caller, now, history_start(None, caller.timezone, now), [])
        broken = _fill(batch, source, size)
        if not batch.records and not batch.errors:
            break
        yield batch
    if broken is not None:
        raise broken


def _fill(batch: Batch, source: Iterator[Line], size: int) -> ImportProblem | None:
    """Put the next lines into a batch, and return why there are no more if that is not the end."""
    try:
        while len(batch.records) + len(batch.errors) < size:
            number, record = next(source)
            if isinstance(record, Fault):
                batch.errors.append(RecordError.of(number, None, record))
            else:
                batch.records.append((number, record))
    except StopIteration:
        return None
    except ImportProblem as problem:
        return problem
    return None
