"""Taking in one file, from the claim to the last line."""

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Final
from uuid import UUID

import structlog
from celery.exceptions import SoftTimeLimitExceeded
from django.db import DatabaseError, InterfaceError

from core.pulse import Lost, Pulse
from organizations.tenancy import Caller
from usage.batch import Batch, Outcome
from usage.dialects.errors import Fault
from usage.imports.errors import ImportProblem
from usage.imports.importer import importing
from usage.imports.jobs import files, services
from usage.imports.jobs.choice import Choice
from usage.imports.jobs.preview import lines_by
from usage.imports.jobs.refusals import MOST, SHOWN, Refusals, columns_of, refusal
from usage.imports.jobs.sweep import start_waiting
from usage.imports.mapping import Mapping
from usage.imports.ndjson import Objects
from usage.imports.run import Tally, run
from usage.imports.source import Source
from usage.models import Import
from usage.pipeline import ingest

BATCH: Final = 5_000
TOO_LONG: Final = "It took longer than an import may. What was taken in stays; divide the file to go on."
TOO_MANY: Final = (
    f"More than {MOST:,} lines were refused, so the rest was not read. What was taken in stays; "
    "upload the file again with other columns."
)
BROKEN: Final = "It could not go on. The reason is in the server's log. What was taken in stays."

log: Final = structlog.get_logger(__name__)


class Intake:
    """One attempt at a file: what it has come to, noted with each batch.

    Concurrency: a batch is stored with what it counts, or not at all; so what earlier attempts accepted is
    known exactly, and their records, which come as duplicates now, are not counted as such.
    """

    def __init__(self, one: Import, source: Source, refusals: Refusals, columns: dict[str, str]) -> None:
        self._import = one
        self._source = source
        self._refusals = refusals
        self._columns = columns
        self._tally = Tally()
        self._before = one.accepted
        self._moments = [moment for moment in (one.first_at, one.last_at) if moment is not None]

    @property
    def accepted(self) -> int:
        """How many records were new in this attempt."""
        return self._tally.accepted

    def take(self, batch: Batch) -> Outcome:
        """Take in a batch.

        Raises: `Lost` when the import is no longer this attempt's; nothing of the batch is stored then.
        """
        return ingest(batch, self._note)

    def add(self, outcome: Outcome) -> None:
        """Write down what was refused of a batch that is stored.

        Raises: `ImportProblem` when that are too many.
        """
        self._refusals.add(refusal(error, self._columns) for error in outcome.errors)
        if self._tally.rejected > MOST:
            raise ImportProblem(TOO_MANY)

    def _note(self, batch: Batch) -> None:
        outcome = batch.outcome
        self._tally.add(outcome)
        self._moments = _extent([*self._moments, *(row.occurred_at for row in batch.accepted)])
        shown = (*self._refusals.first, *(refusal(error, self._columns) for error in outcome.errors))
        progress = services.Progress(
            read=self._source.position,
            accepted=self._before + self._tally.accepted,
            duplicates=max(self._tally.duplicates - self._before, 0),
            rejected=self._tally.rejected,
            first_at=self._moments[0] if self._moments else None,
            last_at=self._moments[-1] if self._moments else None,
            refusals=shown[:SHOWN],
        )
        if not services.note(self._import, progress):
            raise Lost


def run_import(import_id: UUID, organization_id: int) -> int:
    """Take the file in if nobody else does, and return how many of its records were new.

    What the database causes is left to the sweep, which has it tried again; other faults fail the import.
    """
    one = services.claim(import_id=import_id, organization_id=organization_id)
    if one is None:
        return 0
    try:
        with (
            files.workspace(one.pk, one.attempts) as directory,
            Pulse(f"import {one.pk}", partial(services.beat, one)) as pulse,
        ):
            return _attempt(one, Refusals(directory / "refused.csv"), pulse)
    except (DatabaseError, InterfaceError):
        log.exception("import lost the database", one=str(one.pk))
    finally:
        start_waiting()
    return 0


def _attempt(one: Import, refusals: Refusals, pulse: Pulse) -> int:
    problem = ""
    try:
        with files.opened(one.file, one.size) as source:
            accepted, beyond = _take_in(one, source, refusals, pulse)
            _end(one, refusals, partial(services.finish, one, beyond=beyond))
            return accepted
    except Lost:
        log.warning("import was cancelled or taken back from its worker", one=str(one.pk))
        _end(one, refusals, partial(services.leave, one))
        return 0
    except (DatabaseError, InterfaceError):
        raise
    except ImportProblem as error:
        problem = str(error)
    except SoftTimeLimitExceeded:
        problem = TOO_LONG
    except Exception:
        log.exception("import failed", one=str(one.pk))
        problem = BROKEN
    _end(one, refusals, partial(services.fail, one, problem))
    return 0


def _take_in(one: Import, source: Source, refusals: Refusals, pulse: Pulse) -> tuple[int, tuple[str, ...]]:
    """Take all lines in; return how many records were new, and the members left out that nobody chose to."""
    mapping = _mapping(one)
    lines = lines_by(source.lines(), mapping, one.timezone)
    intake = Intake(one, source, refusals, columns_of(lines, mapping))

    def told(outcome: Outcome) -> None:
        pulse.check()
        intake.add(outcome)

    run(lines, _caller(one), told, size=BATCH, take=intake.take)
    return intake.accepted, tuple(lines.beyond) if isinstance(lines, Objects) else ()


def _end(one: Import, refusals: Refusals, end: Callable[..., bool]) -> None:
    """End the import with its refused lines, unless it is no longer this attempt's."""
    name = ""
    if refusals.finish():
        name = files.keep_refusals(
            refusals.path, organization_id=one.organization_id, import_id=one.pk, attempt=one.attempts
        )
    if not end(refusals_file=name):
        files.remove(name)


def _mapping(one: Import) -> Mapping:
    try:
        return Choice.of(one.chosen).mapping()
    except Fault as fault:
        raise ImportProblem(fault.detail) from fault


def _caller(one: Import) -> Caller:
    return importing(one.organization, None if one.credential is None else one.credential.client_id)


def _extent(moments: list[datetime]) -> list[datetime]:
    """Return the first and the last of moments, where there are any."""
    return [min(moments), max(moments)] if moments else []
