"""What the pages of imports show: which there are, how far one has come, and what became of its lines."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from core.moments import format_moment
from core.paging import Position
from core.periods import local_date, zone
from organizations.tenancy import Caller
from portal import numbers, times
from portal.reading.exports import size
from portal.reading.facts import Fact
from portal.reading.import_draft import Refused, refused_lines
from portal.timeline import Timeline
from usage import reading
from usage.imports.jobs.queries import page_of
from usage.imports.jobs.refusals import Refusal
from usage.imports.jobs.services import ENDED, UNDER_WAY
from usage.models import Import, ImportState

PAGE_SIZE: Final = 20
_TONES: Final = {
    ImportState.DONE: "good",
    ImportState.FAILED: "bad",
    ImportState.RUNNING: "warn",
}

To = Callable[..., str]


@dataclass(frozen=True, slots=True)
class Row:
    """One import of the list; ``done`` of ``total`` bytes are read."""

    name: str
    url: str
    size: str
    state: str
    tone: str
    is_running: bool
    done: int
    total: int
    said: str
    error: str
    asked: str
    by: str


@dataclass(frozen=True, slots=True)
class Imports:
    """A page of imports; ``after`` is the position to go on from, if there are more."""

    rows: list[Row]
    is_under_way: bool
    after: Position | None


@dataclass(frozen=True, slots=True)
class One:
    """One import: how far it has come, what became of its lines, and where its records are."""

    name: str
    state: str
    tone: str
    is_draft: bool
    is_under_way: bool
    is_queued: bool
    done: int
    total: int
    said: str
    error: str
    counts: list[tuple[str, str, str]]
    facts: list[Fact]
    records: str
    records_said: str
    refused: Refused | None
    refused_file: str
    refused_said: str
    beyond: str


def read(caller: Caller, line: Timeline, to: To) -> Imports:
    """Read a page of imports.

    Raises: `Problem` 400 for a cursor that isn't one.
    Tenancy: call in the tenant's scope.
    """
    found = page_of(caller.organization_id, take=PAGE_SIZE + 1, descending=line.descending, after=line.after)
    shown = found[:PAGE_SIZE]
    return Imports(
        rows=[_row(one, caller, to) for one in shown],
        is_under_way=any(one.state in UNDER_WAY for one in shown),
        after=(shown[-1].created_at, shown[-1].pk) if len(found) > PAGE_SIZE else None,
    )


def one(found: Import, caller: Caller, now: datetime, to: To) -> One:
    """Return what is shown of one import."""
    state = ImportState(found.state)
    refused = [Refusal(*refusal) for refusal in found.refusals]
    records, records_said = _records(found, caller, now, to)
    return One(
        name=found.name,
        state=str(state.label),
        tone=_TONES.get(state, ""),
        is_draft=state is ImportState.DRAFT,
        is_under_way=state in UNDER_WAY,
        is_queued=state is ImportState.QUEUED,
        done=found.read,
        total=found.size,
        said=f"{size(found.read)} of {size(found.size)} read",
        error=found.error,
        counts=_counts(found),
        facts=_facts(found, caller),
        records=records,
        records_said=records_said,
        refused=refused_lines(refused, found.rejected) if refused else None,
        refused_file=to("import-refused", str(found.pk)) if found.refusals_file else "",
        refused_said=_kept(found, caller),
        beyond=", ".join(found.beyond),
    )


def _row(found: Import, caller: Caller, to: To) -> Row:
    state = ImportState(found.state)
    return Row(
        name=found.name,
        url=to("import", str(found.pk)),
        size=size(found.size),
        state=str(state.label),
        tone=_TONES.get(state, ""),
        is_running=state is ImportState.RUNNING,
        done=found.read,
        total=found.size,
        said=_said(found),
        error=found.error,
        asked=times.minute(found.created_at, zone(caller.timezone)),
        by=str(found.requested_by or ""),
    )


def _said(found: Import) -> str:
    if not found.attempts:
        return ""
    said = ", ".join(f"{count} {label.lower()}" for label, count, _ in _counts(found) if count != "0")
    return said or "No records yet" if found.state in UNDER_WAY else said or "No records"


def _counts(found: Import) -> list[tuple[str, str, str]]:
    return [
        ("Accepted", numbers.exact(found.accepted), "New records"),
        ("Duplicates", numbers.exact(found.duplicates), "Known before, or twice in the file"),
        ("Refused", numbers.exact(found.rejected), "Lines that are no records"),
    ]


def _facts(found: Import, caller: Caller) -> list[Fact]:
    tz = zone(caller.timezone)
    facts = [
        Fact("Size", size(found.size)),
        Fact("Uploaded", times.minute(found.created_at, tz), str(found.requested_by or "")),
    ]
    if found.credential is not None:
        facts.append(Fact("API key", found.credential.name, found.credential.client_id))
    named = [f"{field} from {column}" for column, field in found.chosen["columns"].items() if field]
    named += [f"{field} is {text}" for field, text in found.chosen["constants"].items()]
    facts.append(Fact("Fields", ", ".join(named)))
    facts.append(Fact("Time zone", found.timezone, "Of times without an offset"))
    if found.started_at is not None:
        facts.append(Fact("Started", times.second(found.started_at, tz)))
    if found.finished_at is not None:
        facts.append(Fact("Ended", times.second(found.finished_at, tz)))
    return facts


def _records(found: Import, caller: Caller, now: datetime, to: To) -> tuple[str, str]:
    """Return where logs show the records' time, and that time; neither where they don't show all of it."""
    if found.state not in ENDED or found.first_at is None or found.last_at is None:
        return "", ""
    if found.first_at < reading.history_of(caller, now):
        return "", ""
    tz = zone(caller.timezone)
    end = found.last_at + timedelta(microseconds=1)
    url = to(
        "logs",
        range="custom",
        from_=local_date(found.first_at, tz).isoformat(),
        to=local_date(found.last_at, tz).isoformat(),
        since=format_moment(found.first_at),
        before=format_moment(end),
    )
    first, last = times.second(found.first_at, tz), times.second(found.last_at, tz)
    return url, first if first == last else f"{first} to {last}"


def _kept(found: Import, caller: Caller) -> str:
    if found.expires_at is None or not found.rejected:
        return ""
    return f"Kept until {times.minute(found.expires_at, zone(caller.timezone))}."
