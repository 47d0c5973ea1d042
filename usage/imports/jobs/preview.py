"""What would become of the first lines of a file, with nothing stored."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from core.periods import zone
from organizations.tenancy import Caller
from usage.batch import Batch, Row
from usage.complete import record_key
from usage.dialects.errors import Fault, RecordError
from usage.history import history_start
from usage.imports.jobs.refusals import Refusal, columns_of, refusal
from usage.imports.jobs.sample import Head
from usage.imports.mapping import Mapping
from usage.imports.ndjson import Objects
from usage.imports.opening import recognised
from usage.imports.records import Line
from usage.imports.table import Table
from usage.stages import Complete

LINES: Final = 1_000


@dataclass(frozen=True, slots=True)
class Preview:
    """The records that the first lines would be, in their order, and the lines that would be refused.

    ``repeated`` are lines whose id another of them has; with ``is_whole`` the file has no other lines.
    """

    rows: list[Row]
    refused: list[Refusal]
    repeated: int
    is_whole: bool

    @property
    def lines(self) -> int:
        """How many lines were looked at."""
        return len(self.rows) + len(self.refused) + self.repeated


def lines_by(content: Iterator[bytes], mapping: Mapping, timezone: str) -> Table | Objects:
    """Return the records of a file's lines.

    Raises: `ImportProblem` for what can be told before the first record.
    """
    form, lines = recognised(content)
    if form == "ndjson":
        return Objects(lines, mapping, zone(timezone))
    return Table(lines, mapping, zone(timezone))


def preview(head: Head, mapping: Mapping, timezone: str, caller: Caller, now: datetime) -> Preview:
    """Return what would become of the first lines.

    Raises: `ImportProblem` for what can be told before the first record.
    Tenancy: call in the tenant's scope.
    """
    lines = lines_by(head.source().lines(), mapping, timezone)
    found = _first(iter(lines), head)
    is_whole = head.is_whole and len(found) <= LINES
    batch = Batch(caller, now, history_start(None, caller.timezone, now), [])
    for number, record in found[:LINES]:
        if isinstance(record, Fault):
            batch.errors.append(RecordError.of(number, None, record))
        else:
            batch.records.append((number, record))
    Complete().prepare(batch)
    order = {
        record_key(caller.organization_id, record.id or ""): -place
        for place, (_, record) in enumerate(reversed(batch.records))
    }
    columns = columns_of(lines, mapping)
    return Preview(
        rows=sorted(batch.rows, key=lambda row: order[row.key]),
        refused=[refusal(error, columns) for error in batch.outcome.errors],
        repeated=batch.repeated,
        is_whole=is_whole,
    )


def _first(lines: Iterator[Line], head: Head) -> list[Line]:
    found = [line for _, line in zip(range(LINES + 1), lines, strict=False)]
    # The last row of a part may go on in the next.
    return found if head.is_whole or len(found) > LINES else found[:-1]
