"""What the audit trail shows: who changed what, in words, with the names of what was changed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final
from zoneinfo import ZoneInfo

from alerts.figures import label
from billing.models import SpendLimit, Window
from core.moments import parse_moment
from core.paging import CursorPage
from core.periods import zone
from organizations.audit import AuditActor, AuditEntry, audit_page
from organizations.models import Credential
from organizations.tenancy import Caller
from portal import numbers, times
from portal.limit_forms import ORGANIZATION_WIDE
from portal.measures import NONE

_VERBS: Final = {"created": "created", "updated": "updated", "deleted": "removed"}
_MOMENT: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
_WORDS: Final = {Window.ROLLING.value: "rolling 7 days", Window.WEEK.value: "calendar weeks"}
_AMOUNTS: Final = ("limit", "amount")


@dataclass(frozen=True, slots=True)
class Change:
    """One change of one thing: when, by whom, and what of it from what to what; ``note`` is its id."""

    at: str
    exact: str
    by: str
    what: str
    subject: str
    note: str
    fields: list[tuple[str, str, str]]


@dataclass(frozen=True, slots=True)
class Audit:
    """A page of the trail."""

    entries: list[Change]
    cursor: str | None


@dataclass(frozen=True, slots=True)
class _Names:
    """What keys are called, and whose limits are: both by what the trail knows of them."""

    keys: Mapping[str, str]
    limits: Mapping[str, str]


def kind_label(kind: str) -> str:
    """Return what a kind of row in the trail is called."""
    return "API key" if kind == "credential" else label(kind)


def audit(caller: Caller, page: CursorPage, kind: str) -> Audit:
    """Return a page of the trail, of one kind or of all.

    Raises: `Problem` 400 for a cursor of other filters.
    Tenancy: call in the tenant's scope.
    """
    entries, cursor = audit_page(caller.organization_id, page, kinds=[kind] if kind else [])
    tz = zone(caller.timezone)
    names = _names(caller)
    return Audit([_change(entry, names, caller, tz) for entry in entries], cursor)


def _names(caller: Caller) -> _Names:
    mine = {"organization_id": caller.organization_id}
    keys = dict(Credential.objects.filter(**mine).values_list("client_id", "name"))
    limits = SpendLimit.objects.filter(**mine).values_list("pk", "credential__name")
    return _Names(keys, {str(pk): name or ORGANIZATION_WIDE for pk, name in limits})


def _change(entry: AuditEntry, names: _Names, caller: Caller, tz: ZoneInfo) -> Change:
    subject, note = _subject(entry, names)
    return Change(
        at=times.second(entry.at, tz),
        exact=entry.at.isoformat(),
        by=_who(entry.actor, names),
        what=f"{kind_label(entry.kind)} {_VERBS[entry.action]}",
        subject=subject,
        note=note,
        fields=[
            (
                label(one.field),
                _said(one.field, one.before, caller, tz),
                _said(one.field, one.after, caller, tz),
            )
            for one in entry.changes
        ],
    )


def _subject(entry: AuditEntry, names: _Names) -> tuple[str, str]:
    """Name what was changed, with the id that it has beside its name."""
    if entry.kind == "spendLimit":
        return names.limits.get(entry.subject, "Removed limit"), ""
    name = names.keys.get(entry.subject) if entry.kind == "credential" else None
    return (entry.subject, "") if name is None else (name, entry.subject)


def _who(actor: AuditActor, names: _Names) -> str:
    if actor.user is not None:
        return actor.user
    if actor.client_id is not None:
        return names.keys.get(actor.client_id, actor.client_id)
    return f"System ({actor.job})" if actor.job else "System"


def _said(field: str, value: Any, caller: Caller, tz: ZoneInfo) -> str:
    if value is None or value == "":
        return NONE
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(str, value))
    text = str(value)
    if field == "disabledBecause":
        return label(text).lower()
    if field in _AMOUNTS:
        unit = f" {caller.currency}" if field == "limit" else ""
        return f"{numbers.exact(Decimal(text))}{unit}"
    return times.minute(parse_moment(text), tz) if _MOMENT.fullmatch(text) else _WORDS.get(text, text)
