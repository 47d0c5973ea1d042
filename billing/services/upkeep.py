"""Keeping limits as time goes by: windows roll on, holds end, figures are compared with the totals."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import structlog
from django.db import connection
from django.db.models import Q

from billing.models import Reservation, ReservationState, SpendLimit
from billing.windows import windows_at
from core import clock
from organizations.models import Organization
from organizations.tenancy import system_scope, tenant_scope

RESERVATIONS_KEPT: Final = timedelta(days=35)
"""How long the book of ended reservations is kept: a month, and some days to settle its questions."""

log: Final = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Kept:
    """What upkeep did for one organization."""

    rolled: int
    expired: int


def organizations_to_keep() -> list[Organization]:
    """Return the organizations that have a limit, or a hold that is over.

    Tenancy: looks through the whole system.
    """
    with system_scope():
        over = Reservation.objects.filter(state=ReservationState.HELD, expires_at__lte=clock.now())
        concerned = Q(pk__in=SpendLimit.objects.values("organization")) | Q(
            pk__in=over.values("organization")
        )
        return list(Organization.objects.filter(concerned).select_related("plan").order_by("pk"))


def upkeep(organization: Organization) -> Kept:
    """Move an organization's windows on and end its holds that are over.

    Concurrency: whoever spends or asks may do the same at the same time; each thing happens once.
    """
    with tenant_scope(organization.pk), connection.cursor() as cursor:
        now = clock.now()
        cursor.execute(
            "SELECT rolled, expired FROM billing_upkeep(%s, %s, %s)",
            [organization.pk, now, windows_at(now, organization.timezone).bounds],
        )
        kept = Kept(*(cursor.fetchone() or (0, 0)))
    if kept.rolled or kept.expired:
        log.info(
            "spend limits kept", organization=organization.slug, rolled=kept.rolled, expired=kept.expired
        )
    return kept


def forget_reservations() -> int:
    """Remove reservations that ended long ago, and return how many.

    Tenancy: looks through the whole system.
    """
    with system_scope():
        ended = Reservation.objects.filter(ended_at__lt=clock.now() - RESERVATIONS_KEPT)
        return ended.delete()[0]
