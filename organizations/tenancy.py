"""Who calls, and the scope in which the database shows one organization or the whole system."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final

from django.db import connection, transaction

from core.problems import forbidden
from organizations.roles import MANAGERS


@dataclass(frozen=True, slots=True)
class PlanTerms:
    """What the organization is entitled to; ``requests_per_minute`` is its own where it has one."""

    slug: str
    name: str
    history_days: int | None
    exports: bool
    requests_per_minute: int
    spend_limit: bool
    invoices: bool
    api_access: bool


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls: an organization, through one of its credentials or members."""

    organization_id: int
    organization: str
    organization_name: str
    timezone: str
    rollup_timezone: str
    currency: str
    plan: PlanTerms
    credential_id: int | None
    client_id: str | None
    user_id: int | None
    role: str | None
    scopes: frozenset[str]

    def require(self, scope: str) -> None:
        """Go on only with the scope.

        Raises: `Problem` 403 naming the scope that is missing.
        """
        if scope in self.scopes:
            return
        bearer = f"The role {self.role}" if self.role else "This key"
        raise forbidden(f"{bearer} does not have the scope {scope}.", code="scope_required")

    @property
    def is_manager(self) -> bool:
        """Whether a member manages the organization: its people, settings and every credential."""
        return self.role in MANAGERS

    @property
    def actor(self) -> "Actor":
        """Return the caller as the audit trail names it."""
        if self.user_id is not None:
            return Actor(kind="user", user_id=self.user_id)
        return Actor(kind="credential", client_id=self.client_id)


@dataclass(frozen=True, slots=True)
class Actor:
    """Who is behind a change: a user, a credential, or the system doing a named job."""

    kind: str
    user_id: int | None = None
    client_id: str | None = None
    job: str | None = None

    def as_json(self) -> str:
        """Return the context that the audit trail's triggers store."""
        members = {"kind": self.kind, "userId": self.user_id, "clientId": self.client_id, "job": self.job}
        return json.dumps({name: value for name, value in members.items() if value is not None})


@dataclass(frozen=True, slots=True)
class Scope:
    """What the database shows: one organization, the whole system or nothing; and who acts."""

    organization_id: int | None = None
    system: bool = False
    actor: Actor | None = None


NOTHING: Final = Scope()
_scope: ContextVar[Scope] = ContextVar("headroom_scope", default=NOTHING)


def current_scope() -> Scope:
    """Return the scope that the running code is in."""
    return _scope.get()


@contextmanager
def tenant_scope(
    organization_id: int, *, actor: Actor | None = None, snapshot: bool = False
) -> Iterator[None]:
    """Open a transaction that sees and writes one organization's rows, and no other's.

    Without an actor the enclosing scope's stays. With ``snapshot`` everything read in it is of one moment,
    unless it is nested in another transaction.
    Concurrency: the settings end with the transaction, so a persistent connection never carries
    them over; leaving a nested scope puts the outer one's back.
    """
    scope = Scope(organization_id=organization_id, actor=actor or _scope.get().actor)
    with _entered(scope, snapshot=snapshot):
        yield


@contextmanager
def system_scope(*, actor: Actor | None = None) -> Iterator[None]:
    """Open a transaction that sees and writes every organization's rows.

    Without an actor the enclosing scope's stays.
    Concurrency: as `tenant_scope`.
    """
    with _entered(Scope(system=True, actor=actor or _scope.get().actor)):
        yield


@contextmanager
def _entered(scope: Scope, *, snapshot: bool = False) -> Iterator[None]:
    outer = _scope.get()
    snapshot = snapshot and not connection.in_atomic_block
    with transaction.atomic():
        if scope != outer or snapshot:
            _apply(scope, snapshot=snapshot)
        token = _scope.set(scope)
        try:
            yield
        finally:
            _scope.reset(token)
    # A savepoint that was rolled back has restored the settings itself; a released one keeps them.
    if scope != outer and connection.in_atomic_block and not connection.needs_rollback:
        _apply(outer)


def _apply(scope: Scope, *, snapshot: bool = False) -> None:
    # The level can be set before a transaction's first query only, so it goes ahead in the same message.
    level = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ; " if snapshot else ""
    with connection.cursor() as cursor:
        cursor.execute(
            f"{level}SELECT set_config('headroom.organization_id', %s, true),"
            " set_config('headroom.system', %s, true),"
            " set_config('pghistory.context_metadata', %s, true)",
            [
                "" if scope.organization_id is None else str(scope.organization_id),
                "on" if scope.system else "",
                "" if scope.actor is None else scope.actor.as_json(),
            ],
        )
