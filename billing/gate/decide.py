"""The gate's way from a request to its answer: who asks, how often, how much to hold, and the decision.

A caller whom the process remembers is confirmed by the very statement that decides; whatever else may be
answered on what is remembered is answered only after the door has been asked, as on the write path.
"""

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Final

import structlog
from django.db.utils import InterfaceError, OperationalError
from rest_framework.request import Request

from billing import book
from billing.gate import clients
from billing.gate.answers import Permission, refusal
from billing.gate.estimate import estimate
from billing.gate.policy import Outage, Policy, policy
from billing.gate.question import NOTHING, Question
from billing.services.authorize import (
    ARGUMENTS,
    COLUMNS,
    TRUE,
    Ask,
    Verdict,
    arguments,
    authorize,
    name_hold,
    verdict,
)
from core import calls, clock
from core.problems import Problem, database_away, forbidden, invalid_field, unauthorized
from organizations import rate_limits
from organizations.door import Entry, enter, holds, recall
from organizations.http import MemberAuthentication
from organizations.models import Plan
from organizations.roles import Scope
from organizations.tenancy import Caller, tenant_scope

OF_OTHERS: Final = Scope.BILLING_READ.value
"""What it takes to ask for a call of another credential than one's own."""

# The door's answer decides whether anything is asked at all: the function returns at once where it differs.
_CONFIRMED: Final = (
    f"SELECT said = $11::text, {COLUMNS} FROM ("
    "SELECT opened::text AS said FROM organizations_open_door($10::bytea, $7::timestamptz) AS opened OFFSET 0"
    f") AS door, LATERAL billing_authorize(said = $11::text, {ARGUMENTS}) AS decided"
)
_AWAY: Final = (OperationalError, InterfaceError)
_PAYMENT_REQUIRED: Final = 402
_REMEMBERED: Final = 8192

_seen: dict[bytes, float] = {}
"""When this process last saw a key confirmed, by its hash; monotonic seconds."""

log: Final = structlog.get_logger(__name__)


class Unconfirmed(Exception):
    """The door says otherwise of the caller than it did; nothing was decided."""


class Decision:
    """One request to the gate.

    ``question`` reads what is asked, once it is known who asks. ``rate`` is how the caller stands with its
    requests, as soon as that was counted.
    """

    def __init__(
        self,
        authorization: str | None,
        question: Callable[[], Question] = lambda: NOTHING,
        *,
        session: Callable[[], Request] | None = None,
    ) -> None:
        self.rate: rate_limits.Decision | None = None
        self._authorization = authorization
        self._read = question
        self._session = session
        self._policy: Policy = policy()

    def decide(self) -> Permission:
        """Return the permission.

        Raises: `Problem` 401, 402, 403, 422, 429; 503 while the database is away and the gate is closed.
        """
        try:
            return self._decide()
        except _AWAY as error:
            return self._without_database(error)

    def _decide(self) -> Permission:
        if self._authorization is None and self._session is not None:
            return self._of_member(self._session())
        entry = recall(self._authorization)
        if entry is not None:
            try:
                return self._of_key(entry)
            except Unconfirmed:
                pass
            except Problem as problem:
                # The decision itself was confirmed with the caller.
                if problem.status == _PAYMENT_REQUIRED or holds(entry):
                    raise
        return self._of_key(enter(self._authorization))

    def _of_key(self, entry: Entry) -> Permission:
        caller = entry.caller
        client_id, ask = self._prepared(caller)
        reservation = name_hold(ask)
        key_hash = f"\\x{entry.key_hash.hex()}"
        row = calls.ask(_CONFIRMED, *arguments(ask, reservation), key_hash, entry.answer)
        if not row or row[0] != TRUE:
            raise Unconfirmed
        _note(entry.key_hash)
        return _permission(caller, client_id, ask, verdict(reservation, row[1:]))

    def _of_member(self, request: Request) -> Permission:
        member = MemberAuthentication().authenticate(request)
        if member is None:
            raise unauthorized("Sign in, or send a key in the Authorization header.")
        caller = member[1]
        client_id, ask = self._prepared(caller)
        with tenant_scope(caller.organization_id):
            decided = authorize(ask)
        return _permission(caller, client_id, ask, decided)

    def _prepared(self, caller: Caller) -> tuple[str | None, Ask]:
        """Return whose call it is, and what the database is to be asked.

        Raises: `Problem` 403, 422, 429.
        """
        if not caller.plan.api_access:
            raise _no_api_access(caller)
        question = self._read()
        named = question.client_id not in (None, caller.client_id)
        client_id = question.client_id or caller.client_id
        credential_id = caller.credential_id
        if named or credential_id is None:
            caller.require(OF_OTHERS)
        if named and client_id is not None:
            credential_id = clients.credential_of(caller.organization_id, client_id)
        self._count(caller, client_id)
        return client_id, self._ask(caller, question, credential_id, named=named)

    def _count(self, caller: Caller, client_id: str | None) -> None:
        """Count the call against whose it is.

        Raises: `Problem` 429.
        """
        whose = caller if client_id == caller.client_id else replace(caller, client_id=client_id)
        self.rate = rate_limits.take(whose, counter=rate_limits.GATE)
        if self.rate is not None:
            self.rate.enforce()

    def _ask(self, caller: Caller, question: Question, credential_id: int | None, *, named: bool) -> Ask:
        now = clock.now()
        sheet = None
        if question.model is not None:
            sheet = book.sheet(
                caller.organization_id,
                caller.currency,
                question.provider,
                question.model,
                question.service_tier,
                now,
            )
        found = estimate(question, sheet, self._policy)
        return Ask(
            caller.organization_id,
            caller.timezone,
            credential_id,
            now,
            found.nanos,
            self._ttl(question),
            named=named,
            unpriced=found.unpriced,
        )

    def _ttl(self, question: Question) -> timedelta:
        if question.ttl_seconds is None:
            return self._policy.hold_ttl
        most = self._policy.hold_ttl_most
        if question.ttl_seconds > most.total_seconds():
            seconds = int(most.total_seconds())
            raise invalid_field("/ttlSeconds", "invalid", f"ttlSeconds must be from 1 to {seconds}.")
        return timedelta(seconds=question.ttl_seconds)

    def _without_database(self, error: Exception) -> Permission:
        """Return a permission that holds nothing, for a key that was seen lately, if the settings say so.

        Raises: `Problem` 503 otherwise.
        """
        entry = None if self._authorization is None else recall(self._authorization)
        if self._policy.without_database is Outage.CLOSED or entry is None or not self._is_fresh(entry):
            raise database_away(error) from error
        caller = entry.caller
        question = self._read()
        if question.client_id not in (None, caller.client_id) or not caller.plan.api_access:
            raise database_away(error) from error
        if self.rate is None:
            self._count(caller, caller.client_id)
        log.warning("let through without the database", organization=caller.organization)
        ask = Ask(caller.organization_id, caller.timezone, caller.credential_id, clock.now())
        return Permission(caller.client_id, caller.organization, caller.currency, ask, None)

    def _is_fresh(self, entry: Entry) -> bool:
        seen = _seen.get(entry.key_hash)
        return seen is not None and time.monotonic() - seen <= self._policy.seen_within.total_seconds()


def forget() -> None:
    """Forget which keys were seen."""
    _seen.clear()


def _note(key_hash: bytes) -> None:
    if len(_seen) >= _REMEMBERED:
        _seen.clear()
    _seen[key_hash] = time.monotonic()


def _permission(caller: Caller, client_id: str | None, ask: Ask, found: Verdict) -> Permission:
    if not found.decided.allowed:
        raise refusal(found.decided, client_id, caller.currency, ask.moment)
    return Permission(client_id, caller.organization, caller.currency, ask, found)


def _no_api_access(caller: Caller) -> Problem:
    plans = ", ".join(Plan.objects.filter(api_access=True).values_list("name", flat=True))
    return forbidden(
        f"The plan {caller.plan.name} has no API access; these have: {plans}.", code="plan_required"
    )
