"""Charging, holding and giving back: one call of the database's functions each."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db import connection

from billing.windows import windows_at
from core import clock
from core.problems import Problem, not_found

_PREFIX: Final = "res_"


class ReservationSettled(Problem):
    """A record has come for what should be given back."""

    def __init__(self) -> None:
        detail = "A record has settled this reservation already."
        super().__init__(status=409, code="reservation_settled", detail=detail)


@dataclass(frozen=True, slots=True)
class Spending:
    """What a transaction has stored, for the limits.

    Units: ``costs`` nanos by credential and the start of a quarter-hour; ``settled`` nanos by reservation.
    """

    costs: Mapping[tuple[int, datetime], int]
    settled: Mapping[UUID, int]


def charge(*, organization_id: int, timezone: str, moment: datetime, spending: Spending) -> None:
    """Count what is being stored against the limits; as the transaction's last act.

    Tenancy: call in the tenant's scope.
    Concurrency: the organization's limits are held until the transaction ends.
    """
    places = list(spending.costs)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT billing_charge(%s, %s, %s, %s::bigint[], %s::timestamptz[], %s::numeric[],"
            " %s::uuid[], %s::numeric[])",
            [
                organization_id,
                moment,
                windows_at(moment, timezone).bounds,
                [credential for credential, _ in places],
                [quarter for _, quarter in places],
                list(spending.costs.values()),
                list(spending.settled),
                list(spending.settled.values()),
            ],
        )


def release(*, organization_id: int, reservation: str) -> None:
    """Give back what is held; again is as good as once.

    Raises: `Problem` 404, or 409 when records have settled it.
    Tenancy: call in the tenant's scope.
    """
    parsed = parse_reservation(reservation)
    state = None if parsed is None else _release(organization_id, parsed)
    if state is None:
        raise not_found(f"There is no reservation {reservation[:40]!r}.")
    if state == "settled":
        raise ReservationSettled


def format_reservation(reservation: UUID) -> str:
    """Return the id under which clients know a reservation."""
    return _PREFIX + reservation.hex


def parse_reservation(text: str) -> UUID | None:
    """Return the reservation that an id names; None for what could never be one."""
    if not text.startswith(_PREFIX) or len(text) != len(_PREFIX) + 32:
        return None
    try:
        return UUID(hex=text[len(_PREFIX) :])
    except ValueError:
        return None


def _release(organization_id: int, reservation: UUID) -> str | None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT billing_release(%s, %s, %s)", [organization_id, reservation, clock.now()])
        row: tuple[Any, ...] | None = cursor.fetchone()
    return None if row is None else row[0]
