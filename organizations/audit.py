"""The audit trail as its organization reads it: who changed what, from what to what."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from django.db import connection

from core.moments import format_moment
from core.money import format_money
from core.paging import CursorPage, encode_cursor, fingerprint
from organizations.models import Plan, User

_MOMENTS: Final = ("_at", "effective_from", "effective_until", "window_start", "window_end")
_ACTIONS: Final = {"insert": "created", "update": "updated", "delete": "deleted"}


@dataclass(frozen=True, slots=True)
class AuditKind:
    """One kind of row in the trail: where its events are, what names the row, and what is told of it."""

    table: str
    tenant: str
    subject: str
    fields: Mapping[str, str]


KINDS: Final[dict[str, AuditKind]] = {
    "organization": AuditKind(
        "organizations_organizationevent",
        "id",
        "slug",
        {
            "name": "name",
            "timezone": "timezone",
            "currency": "currency",
            "plan_id": "plan",
            "requests_per_minute": "requestsPerMinute",
            "require_second_factor": "requireSecondFactor",
        },
    ),
    "member": AuditKind("organizations_membershipevent", "organization_id", "user_id", {"role": "role"}),
    "invitation": AuditKind(
        "organizations_invitationevent",
        "organization_id",
        "email",
        {
            "role": "role",
            "expires_at": "expiresAt",
            "accepted_at": "acceptedAt",
            "withdrawn_at": "withdrawnAt",
        },
    ),
    "credential": AuditKind(
        "organizations_credentialevent",
        "organization_id",
        "client_id",
        {
            "name": "name",
            "environment": "environment",
            "scopes": "scopes",
            "key_hint": "keyHint",
            "rotated_at": "rotatedAt",
            "revoked_at": "revokedAt",
        },
    ),
}


def register(name: str, kind: AuditKind) -> None:
    """Add a kind of row that another room keeps; when the application starts."""
    KINDS[name] = kind


@dataclass(frozen=True, slots=True)
class AuditChange:
    """One field's value before and after."""

    field: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class AuditActor:
    """Who made a change: a user, a credential, or the system at a named job."""

    kind: str
    user: str | None
    client_id: str | None
    job: str | None


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One change of one row."""

    id: int
    at: datetime
    kind: str
    action: str
    subject: str
    actor: AuditActor
    changes: tuple[AuditChange, ...]


@dataclass(frozen=True, slots=True)
class _Event:
    id: int
    at: datetime
    kind: str
    label: str
    context: dict[str, Any]
    row: dict[str, Any]
    previous: dict[str, Any]


def audit_page(
    organization_id: int, page: CursorPage, *, kinds: Sequence[str] = ()
) -> tuple[list[AuditEntry], str | None]:
    """Return a page of the organization's trail, and the cursor of the next page if there is one.

    Without ``kinds``, all of them.
    Raises: `Problem` 400 for a cursor of other filters.
    """
    wanted = sorted(set(kinds)) or sorted(KINDS)
    mark = fingerprint({"audit": organization_id, "kinds": wanted, "order": page.order})
    position = page.position(mark)
    events = _events(organization_id, page, wanted, position[0] if position else None)
    following = encode_cursor([events[page.take - 1].id], mark) if len(events) > page.take else None
    return _entries(events[: page.take]), following


def _events(organization_id: int, page: CursorPage, kinds: list[str], after: int | None) -> list[_Event]:
    direction, beyond = ("DESC", "<") if page.descending else ("ASC", ">")
    parts: list[str] = []
    values: list[str | int] = []
    for kind in kinds:
        parts.append(_select(KINDS[kind], direction, beyond if after is not None else None))
        values += [kind, organization_id, *([] if after is None else [after]), page.take + 1]
    statement = f"SELECT * FROM ({' UNION ALL '.join(parts)}) events ORDER BY 1 {direction} LIMIT %s"
    with connection.cursor() as cursor:
        cursor.execute(statement, [*values, page.take + 1])
        return [_event(row) for row in cursor.fetchall()]


def _select(kind: AuditKind, direction: str, beyond: str | None) -> str:
    """Return the query for one kind's events, each with the row as it was before."""
    position = f" AND e.pgh_id {beyond} %s" if beyond else ""
    return (
        "(SELECT e.pgh_id, e.pgh_created_at, %s::text, e.pgh_label, e.pgh_context::text, to_jsonb(e)::text,"
        f" (SELECT to_jsonb(p)::text FROM {kind.table} p WHERE p.pgh_obj_id = e.pgh_obj_id"
        " AND p.pgh_id < e.pgh_id ORDER BY p.pgh_id DESC LIMIT 1)"
        f" FROM {kind.table} e WHERE e.{kind.tenant} = %s{position}"
        f" ORDER BY e.pgh_id {direction} LIMIT %s)"
    )


def _event(row: Sequence[Any]) -> _Event:
    identity, at, kind, label, context, after, before = row
    return _Event(identity, at, kind, label, _object(context), _object(after), _object(before))


def _object(text: str | None) -> dict[str, Any]:
    found = json.loads(text) if text else None
    return found if isinstance(found, dict) else {}


def _entries(events: list[_Event]) -> list[AuditEntry]:
    users = _user_names(events)
    plans = dict(Plan.objects.values_list("pk", "slug"))
    return [_entry(event, users, plans) for event in events]


def _user_names(events: list[_Event]) -> dict[int, str]:
    mentioned = {event.context["userId"] for event in events if "userId" in event.context}
    mentioned |= {event.row["user_id"] for event in events if event.kind == "member"}
    return dict(User.objects.filter(pk__in=mentioned).values_list("pk", "email"))


def _entry(event: _Event, users: Mapping[int, str], plans: Mapping[int, str]) -> AuditEntry:
    kind = KINDS[event.kind]
    subject = event.row[kind.subject]
    before, after = _sides(event)
    return AuditEntry(
        id=event.id,
        at=event.at,
        kind=event.kind,
        action=_ACTIONS[event.label],
        subject=users.get(subject, f"user {subject}") if kind.subject == "user_id" else str(subject),
        actor=_actor(event.context, users),
        changes=tuple(
            AuditChange(name, _value(column, before, plans), _value(column, after, plans))
            for column, name in kind.fields.items()
            if before.get(column) != after.get(column)
        ),
    )


def _sides(event: _Event) -> tuple[dict[str, Any], dict[str, Any]]:
    if event.label == "delete":
        return event.row, {}
    return event.previous, event.row


def _actor(context: Mapping[str, Any], users: Mapping[int, str]) -> AuditActor:
    user_id = context.get("userId")
    return AuditActor(
        kind=context.get("kind", "system"),
        user=None if user_id is None else users.get(user_id, f"user {user_id}"),
        client_id=context.get("clientId"),
        job=context.get("job"),
    )


def _value(column: str, row: Mapping[str, Any], plans: Mapping[int, str]) -> Any:
    value = row.get(column)
    if value is None:
        return None
    if column == "plan_id":
        return plans.get(value, f"plan {value}")
    if column.endswith("_nanos"):
        return format_money(value)
    if column == "amount":
        return f"{Decimal(str(value)).normalize():f}"
    if column.endswith(_MOMENTS) and isinstance(value, str):
        return format_moment(datetime.fromisoformat(value))
    return value
