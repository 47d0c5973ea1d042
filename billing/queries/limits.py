"""Spend limits as they stand at a moment, whatever upkeep has come to; decisions; reservations."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Q, Sum

from billing.forecast import Pausing, Spent, pausing, resets_at
from billing.models import (
    Decision,
    Enforcement,
    LimitState,
    Reservation,
    ReservationState,
    SpendBucket,
    SpendLimit,
    Window,
)
from billing.pace import pace_of
from billing.windows import windows_at
from core.periods import Period


@dataclass(frozen=True, slots=True)
class Standing:
    """A limit as it stands at a moment.

    ``resets_at`` is when a paused limit opens again if nothing more is spent; of an open one, when its week
    ends or its rolling window next lets go of anything.
    Units: nanos; shares in per cent.
    """

    client_id: str | None
    limit_nanos: int
    window: Window
    warn_at: tuple[int, ...]
    enforcement: Enforcement
    state: LimitState
    paused_at: datetime | None
    period: Period
    spent_nanos: int
    reserved_nanos: int
    resets_at: datetime | None
    pausing: Pausing

    @property
    def remaining_nanos(self) -> int:
        """What is left that is neither spent nor held."""
        return max(self.limit_nanos - self.spent_nanos - self.reserved_nanos, 0)


def standing(
    organization_id: int, credential_id: int | None, *, timezone: str, now: datetime
) -> Standing | None:
    """Return how one limit stands, None when there is none.

    Tenancy: call in the tenant's scope.
    """
    of = Q(credential=None) if credential_id is None else Q(credential_id=credential_id)
    found = SpendLimit.objects.filter(of, organization_id=organization_id)
    return next(iter(_standings(list(found.select_related("credential")), timezone, now)), None)


def standings(
    organization_id: int, *, timezone: str, now: datetime, limit: int, offset: int
) -> tuple[list[Standing], int]:
    """Return how the limits stand, the organization's first, and how many there are.

    Tenancy: call in the tenant's scope.
    """
    found = SpendLimit.objects.filter(organization_id=organization_id)
    page = found.select_related("credential").order_by("credential_id")
    # Nulls come last in PostgreSQL, and the organization's goes first.
    ordered = sorted(page, key=lambda one: (one.credential_id is not None, one.credential_id or 0))
    return _standings(ordered[offset : offset + limit], timezone, now), len(ordered)


def decisions(
    organization_id: int,
    *,
    credential_id: int | None,
    kind: str | None,
    take: int,
    descending: bool,
    after: int | None,
) -> list[Decision]:
    """Return decisions in the order of their ids, with their credentials.

    Tenancy: call in the tenant's scope.
    """
    found = Decision.objects.filter(organization_id=organization_id).select_related("credential")
    if credential_id is not None:
        found = found.filter(credential_id=credential_id)
    if kind is not None:
        found = found.filter(kind=kind)
    if after is not None:
        found = found.filter(pk__lt=after) if descending else found.filter(pk__gt=after)
    return list(found.order_by("-pk" if descending else "pk")[:take])


def reservation(organization_id: int, reservation_id: UUID) -> Reservation | None:
    """Return one reservation with its credential.

    Tenancy: call in the tenant's scope.
    """
    found = Reservation.objects.filter(organization_id=organization_id, pk=reservation_id)
    return found.select_related("credential").first()


def reservations(
    organization_id: int,
    *,
    credential_id: int | None,
    state: str | None,
    now: datetime,
    take: int,
    descending: bool,
    after: tuple[datetime, UUID] | None,
) -> list[Reservation]:
    """Return reservations by when they were made, with their credentials.

    Tenancy: call in the tenant's scope.
    """
    found = Reservation.objects.filter(organization_id=organization_id).select_related("credential")
    if credential_id is not None:
        found = found.filter(credential_id=credential_id)
    if state is not None:
        found = found.filter(_in_state(state, now))
    if after is not None:
        found = found.filter(_beyond(after, descending))
    order = ("-created_at", "-id") if descending else ("created_at", "id")
    return list(found.order_by(*order)[:take])


def state_at(held: Reservation, now: datetime) -> ReservationState:
    """Return the state of a reservation: what is over has expired, whether or not that was written down."""
    if held.state == ReservationState.HELD and held.expires_at <= now:
        return ReservationState.EXPIRED
    return ReservationState(held.state)


def _standings(limits: Sequence[SpendLimit], timezone: str, now: datetime) -> list[Standing]:
    spent = _spent(limits)
    over = _over([limit.organization_id for limit in limits], now)
    return [_standing(limit, spent[limit.pk], over, timezone, now) for limit in limits]


def _spent(limits: Sequence[SpendLimit]) -> dict[int, list[Spent]]:
    found: defaultdict[int, list[Spent]] = defaultdict(list)
    buckets = SpendBucket.objects.filter(limit__in=[limit.pk for limit in limits]).order_by("quarter")
    for limit_id, quarter, cost in buckets.values_list("limit_id", "quarter", "cost_nanos"):
        found[limit_id].append(Spent(quarter, int(cost)))
    return found


def _over(organizations: Sequence[int], now: datetime) -> dict[int | None, int]:
    """Return what is written down as held and is over, by credential."""
    held = Reservation.objects.filter(
        organization_id__in=organizations, state=ReservationState.HELD, expires_at__lte=now
    )
    sums = held.order_by().values_list("credential_id").annotate(sum=Sum("amount_nanos"))
    return {credential_id: int(amount) for credential_id, amount in sums}


def _standing(
    limit: SpendLimit, spent: list[Spent], over: dict[int | None, int], timezone: str, now: datetime
) -> Standing:
    rolling = limit.window_kind == Window.ROLLING
    period = Period(limit.window_start, limit.window_end)
    total = int(limit.spent_nanos)
    if now >= period.end:
        period = windows_at(now, timezone).of(limit.window_kind)
        total = sum(one.cost_nanos for one in spent if one.quarter >= period.start)
    ended = sum(over.values()) if limit.credential_id is None else over.get(limit.credential_id, 0)
    pauses = limit.enforcement == Enforcement.PAUSE
    paused = pauses and total >= limit.limit_nanos
    return Standing(
        client_id=limit.credential.client_id if limit.credential else None,
        limit_nanos=limit.limit_nanos,
        window=Window(limit.window_kind),
        warn_at=tuple(limit.warn_at),
        enforcement=Enforcement(limit.enforcement),
        state=LimitState.PAUSED if paused else LimitState.OPEN,
        paused_at=limit.paused_at if paused else None,
        period=period,
        spent_nanos=total,
        reserved_nanos=max(int(limit.reserved_nanos) - ended, 0),
        resets_at=resets_at(spent, limit.limit_nanos, period, rolling=rolling),
        pausing=pausing(spent, limit.limit_nanos, period, now, pace_of(spent, now), rolling=rolling)
        if pauses
        else Pausing(),
    )


def _in_state(state: str, now: datetime) -> Q:
    over = Q(state=ReservationState.HELD, expires_at__lte=now)
    if state == ReservationState.HELD:
        return Q(state=state) & ~over
    return Q(state=state) | over if state == ReservationState.EXPIRED else Q(state=state)


def _beyond(after: tuple[datetime, Any], descending: bool) -> Q:
    moment, last = after
    if descending:
        return Q(created_at__lt=moment) | Q(created_at=moment, id__lt=last)
    return Q(created_at__gt=moment) | Q(created_at=moment, id__gt=last)
