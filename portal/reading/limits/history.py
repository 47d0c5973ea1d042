"""What happened to spend limits, a page at a time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from zoneinfo import ZoneInfo

from django.http import QueryDict
from django.urls import reverse

from billing.listing import decision_page
from billing.models import Decision, DecisionKind, Window
from core.moments import format_moment
from core.paging import CursorPage
from core.periods import Period, zone
from organizations.models import Credential
from organizations.tenancy import Caller
from portal import numbers, times, windows
from portal.limit_forms import ORGANIZATION_WIDE
from portal.tables import Cell, Column, Table
from portal.timeline import of_api

PAGE_SIZE: Final = 50
_JUST_AFTER: Final = timedelta(microseconds=1)
KINDS: Final = {kind.value: str(kind.label) for kind in DecisionKind}
_TONES: Final = {
    DecisionKind.PAUSED: "bad",
    DecisionKind.WARNED: "warn",
    DecisionKind.CORRECTED: "warn",
    DecisionKind.RESUMED: "good",
}
_TIME: Final = Column("Time")
_WINDOWS: Final = {Window.ROLLING: "7 days", Window.WEEK: "week"}

To = Callable[..., str]


@dataclass(frozen=True, slots=True)
class History:
    """A page of decisions; ``following`` is the cursor to go on from, if there are more."""

    table: Table
    following: str | None
    api: str


def history(
    caller: Caller,
    page: CursorPage,
    *,
    kind: str,
    key: Credential | None,
    to: To,
    time: Column = _TIME,
) -> History:
    """Return a page of decisions, under a heading of their time.

    Raises: `Problem` 400 for a cursor that isn't one.
    Tenancy: call in the tenant's scope.
    """
    found, following = decision_page(
        caller.organization_id,
        page,
        credential_id=None if key is None else key.pk,
        kind=kind or None,
    )
    columns = [
        time,
        Column("Event"),
        Column("Limit for"),
        Column(f"Spent, {caller.currency}", is_number=True),
        Column(f"Limit, {caller.currency}", is_number=True),
        Column(f"Reserved, {caller.currency}", is_number=True),
    ]
    table = Table(
        "decisions",
        f"{'Newest' if page.descending else 'Oldest'} first, with the amounts at the time",
        columns,
        [_row(one, caller, to) for one in found],
        "No activity yet." if not kind and key is None else "No activity matches these filters.",
        file="spend-limit-decisions",
        stacks=True,
    )
    return History(table, following, _api(page, kind, key))


def _api(page: CursorPage, kind: str, key: Credential | None) -> str:
    query = QueryDict(mutable=True)
    filters = {"kind": kind, "clientId": key.client_id if key else ""}
    query.update({name: value for name, value in filters.items() if value} | of_api(page))
    return f"{reverse('spend-limit-decisions')}?{query.urlencode()}"


def _row(found: Decision, caller: Caller, to: To) -> list[Cell]:
    tz = zone(caller.timezone)
    kind = DecisionKind(found.kind)
    whose = found.credential
    said = f"{found.threshold}% reached" if found.threshold is not None else str(kind.label)
    return [
        Cell(times.second(found.decided_at, tz), value=format_moment(found.decided_at)),
        Cell(said, value=found.kind, tone=_TONES.get(kind, "plain")),
        Cell(ORGANIZATION_WIDE)
        if whose is None
        else Cell(whose.name, value=whose.client_id, url=to("key", whose.client_id)),
        _amount(int(found.spent_nanos), url=_records(found, tz, to)),
        _amount(found.limit_nanos, note=f"per {_WINDOWS[Window(found.window_kind)]}"),
        _amount(int(found.reserved_nanos)),
    ]


def _records(found: Decision, tz: ZoneInfo, to: To) -> str:
    """Return where the records are that had been spent at the moment of a decision."""
    mine = {} if found.credential is None else {"clientId": found.credential.client_id}
    end = max(min(found.window_end, found.decided_at + _JUST_AFTER), found.window_start + _JUST_AFTER)
    return windows.records(to, Period(found.window_start, end), tz, **mine)


def _amount(nanos: int, *, note: str = "", url: str = "") -> Cell:
    exact = numbers.exact_money(nanos)
    return Cell(
        numbers.short_money(nanos),
        exact=exact,
        value=exact.replace(",", ""),
        is_number=True,
        note=note,
        url=url,
    )
