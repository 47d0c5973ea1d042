"""What the Exports page shows: what was asked for, how far it has come, and its file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from core.paging import Position
from core.periods import Period, zone
from organizations.tenancy import Caller
from portal import numbers, times
from portal.forms import DATASETS
from portal.timeline import Timeline
from usage.exports.access import readable
from usage.exports.queries import ExportPage, page_of, visible
from usage.models import Export, ExportState

PAGE_SIZE: Final = 20
UNDER_WAY: Final = (ExportState.QUEUED, ExportState.RUNNING)
_TONES: Final = {ExportState.DONE: "good", ExportState.FAILED: "bad", ExportState.RUNNING: "warn"}
_SIZES: Final = ("bytes", "kB", "MB", "GB", "TB")

To = Callable[..., str]


@dataclass(frozen=True, slots=True)
class Row:
    """One export; ``done`` of ``total`` rows are written, None while that isn't known."""

    what: str
    days: str
    state: str
    tone: str
    done: int
    total: int | None
    said: str
    size: str
    asked: str
    by: str
    until: str
    error: str
    file: str


@dataclass(frozen=True, slots=True)
class Exports:
    """A page of exports; ``after`` is the position to go on from, if there are more."""

    rows: list[Row]
    is_under_way: bool
    after: Position | None


def read(caller: Caller, line: Timeline, to: To) -> Exports:
    """Read a page of exports.

    Raises: `Problem` 400 for a cursor that isn't one.
    Tenancy: call in the tenant's scope.
    """
    asked = ExportPage(PAGE_SIZE + 1, line.descending, line.after)
    found = page_of(visible(caller.organization_id, readable(caller)), asked)
    shown = found[:PAGE_SIZE]
    return Exports(
        rows=[_row(export, caller, to) for export in shown],
        is_under_way=any(export.state in UNDER_WAY for export in shown),
        after=(shown[-1].created_at, shown[-1].pk) if len(found) > PAGE_SIZE else None,
    )


def _row(export: Export, caller: Caller, to: To) -> Row:
    tz = zone(export.timezone)
    state = ExportState(export.state)
    who = export.requested_by or (export.credential.client_id if export.credential else "")
    end = max(min(export.window_end, export.created_at), export.window_start)
    return Row(
        what=f"{DATASETS.get(export.dataset, export.dataset)} ({export.format.upper()})",
        days=times.days(Period(export.window_start, end), tz),
        state=str(state.label),
        tone=_TONES.get(state, ""),
        done=export.rows_done,
        total=export.rows_total,
        said=_said(export),
        size="" if export.bytes is None else size(export.bytes),
        asked=times.minute(export.created_at, zone(caller.timezone)),
        by=str(who),
        until="" if export.expires_at is None else _day(export.expires_at, caller),
        error=export.error,
        file=to("export-file", str(export.pk)) if state is ExportState.DONE else "",
    )


def _said(export: Export) -> str:
    if export.rows_total is None:
        return f"{numbers.exact(export.rows_done)} rows so far" if export.rows_done else ""
    return f"{numbers.exact(export.rows_done)} of {numbers.exact(export.rows_total)} rows"


def _day(moment: datetime, caller: Caller) -> str:
    return times.minute(moment, zone(caller.timezone))


def size(count: int) -> str:
    """Write a number of bytes: ``1.2 MB``."""
    value, step = float(count), 0
    while value >= 1000 and step < len(_SIZES) - 1:
        value, step = value / 1000, step + 1
    return f"{count} bytes" if step == 0 else f"{value:.3g} {_SIZES[step]}"
