"""May a call go ahead? The decision itself: one statement, in which the amount is held as well."""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, NamedTuple
from uuid import UUID

from billing.windows import windows_at
from core import calls


@dataclass(frozen=True, slots=True)
class Ask:
    """What is asked: whose call, at which moment, and what to hold for it.

    ``named`` tells that the credential isn't the caller's own, so that it has to be looked at as well.
    ``unpriced`` asks for a refusal wherever a limit would need a price.
    Units: ``amount_nanos`` nanos, 0 holds nothing.
    """

    organization_id: int
    timezone: str
    credential_id: int | None
    moment: datetime
    amount_nanos: int = 0
    ttl: timedelta = timedelta(minutes=10)
    named: bool = False
    unpriced: bool = False


class Decided(NamedTuple):
    """What the database decided, in the order of its columns; see ``billing_authorize``.

    ``limited`` tells that there is a limit at all. The figures are those of the limit that refuses, or of the
    one with the least left; ``whole`` tells that it is the organization's. ``until`` is when a refusal may
    end at the earliest, None if not by itself.
    """

    allowed: bool
    limited: bool
    reason: str | None
    whole: bool | None
    limit_nanos: int | None
    spent_nanos: int | None
    reserved_nanos: int | None
    remaining_nanos: int | None
    until: datetime | None


@dataclass(frozen=True, slots=True)
class Verdict:
    """A decision, and the reservation that holds the amount if one was made."""

    decided: Decided
    reservation: UUID | None


TRUE: Final = "t"
"""How PostgreSQL writes that something is so."""
ARGUMENTS: Final = (
    "$1::bigint, $2::bigint, $3::boolean, $4::bigint, $5::boolean, $6::uuid,"
    " $7::timestamptz, $8::timestamptz, $9::timestamptz[]"
)
"""What the database's function is given, as parameters of a statement; see `arguments`."""
COLUMNS: Final = ", ".join(f"decided.{name}" for name in Decided._fields)
_IN_SCOPE: Final = f"SELECT {COLUMNS} FROM billing_authorize(true, {ARGUMENTS}) AS decided"


def authorize(ask: Ask) -> Verdict:
    """Decide, and hold the amount if the call may go ahead and there is a limit.

    Concurrency: the limits that apply are held until the transaction ends, when there is an amount.
    """
    reservation = name_hold(ask)
    return verdict(reservation, calls.ask(_IN_SCOPE, *arguments(ask, reservation)))


def name_hold(ask: Ask) -> UUID | None:
    """Return the id of the reservation that would hold the amount, None where there is none to hold."""
    return uuid.uuid4() if ask.amount_nanos > 0 else None


def arguments(ask: Ask, reservation: UUID | None) -> tuple[str | None, ...]:
    """Return what the database's function is given, in the order of `ARGUMENTS`."""
    return (
        str(ask.organization_id),
        None if ask.credential_id is None else str(ask.credential_id),
        "t" if ask.named else "f",
        str(ask.amount_nanos),
        "t" if ask.unpriced else "f",
        None if reservation is None else reservation.hex,
        ask.moment.isoformat(),
        (ask.moment + ask.ttl).isoformat(),
        windows_at(ask.moment, ask.timezone).literal,
    )


def verdict(reservation: UUID | None, row: calls.Row) -> Verdict:
    """Return what the database's answer means."""
    allowed, limited, reason, whole, limit, spent, reserved, remaining, until = row
    decided = Decided(
        allowed == TRUE,
        limited == TRUE,
        reason,
        None if whole is None else whole == TRUE,
        _whole(limit),
        _whole(spent),
        _whole(reserved),
        _whole(remaining),
        None if until is None else datetime.fromisoformat(until),
    )
    return Verdict(decided, reservation if decided.allowed and decided.limited else None)


def _whole(text: str | None) -> int | None:
    return None if text is None else int(text)
