"""Limits, charges and holds, as tests make and read them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from billing.models import Decision, Enforcement, SpendLimit, Window
from billing.services.authorize import Ask, Verdict, authorize
from billing.services.limits import Terms, remove_limit, set_limit
from billing.services.reservations import Spending, charge, format_reservation, release
from billing.windows import quarter_of
from core import clock
from organizations.tenancy import tenant_scope
from tests.usage.factories import Tenant

UNIT = 10**9


def limit_to(
    tenant: Tenant,
    units: float,
    *,
    credential_id: int | None = None,
    window: Window = Window.ROLLING,
    warn_at: Sequence[int] = (),
    enforcement: Enforcement = Enforcement.PAUSE,
) -> None:
    """Set a limit, of the organization or of one credential, whatever its plan."""
    terms = Terms(round(units * UNIT), window, tuple(warn_at), enforcement)
    caller = tenant.caller()
    entitled = replace(caller, plan=replace(caller.plan, spend_limit=True))
    with tenant_scope(tenant.id):
        set_limit(caller=entitled, credential_id=credential_id, terms=terms)


def unlimit(tenant: Tenant, credential_id: int | None = None) -> None:
    """Remove a limit."""
    with tenant_scope(tenant.id):
        remove_limit(organization_id=tenant.id, credential_id=credential_id)


def spend(
    tenant: Tenant,
    units: float,
    *,
    at: datetime | None = None,
    reservation: UUID | None = None,
    credential_id: int | None = None,
) -> None:
    """Charge a cost as the pipeline does, without a record behind it."""
    now = clock.now()
    place = (credential_id or tenant.credential_id, quarter_of(at or now))
    nanos = round(units * UNIT)
    settled = {} if reservation is None else {reservation: nanos}
    with tenant_scope(tenant.id):
        charge(
            organization_id=tenant.id,
            timezone=tenant.organization.timezone,
            moment=now,
            spending=Spending({place: nanos}, settled),
        )


def ask(
    tenant: Tenant,
    units: float = 0,
    *,
    credential_id: int | None = None,
    seconds: float = 600,
    unpriced: bool = False,
) -> Verdict:
    """Ask whether a call may go ahead."""
    with tenant_scope(tenant.id):
        return authorize(
            Ask(
                tenant.id,
                tenant.organization.timezone,
                credential_id or tenant.credential_id,
                clock.now(),
                round(units * UNIT),
                timedelta(seconds=seconds),
                unpriced=unpriced,
            )
        )


def hold(tenant: Tenant, units: float, *, credential_id: int | None = None, seconds: float = 600) -> UUID:
    """Hold an amount, which must fit."""
    verdict = ask(tenant, units, credential_id=credential_id, seconds=seconds)
    assert verdict.reservation is not None, verdict
    return verdict.reservation


def give_back(tenant: Tenant, reservation: UUID) -> None:
    """Release a reservation."""
    with tenant_scope(tenant.id):
        release(organization_id=tenant.id, reservation=format_reservation(reservation))


def limit_of(tenant: Tenant, credential_id: int | None = None) -> SpendLimit:
    """Return a limit as it is stored."""
    with tenant_scope(tenant.id):
        return the_limit(credential_id)


def the_limit(credential_id: int | None) -> SpendLimit:
    """Return a limit, in the tenant's scope."""
    if credential_id is None:
        return SpendLimit.objects.get(credential=None)
    return SpendLimit.objects.get(credential_id=credential_id)


def figures(tenant: Tenant, credential_id: int | None = None) -> tuple[float, float, str]:
    """Return what a limit says was spent, is held, and its state."""
    limit = limit_of(tenant, credential_id)
    return float(limit.spent_nanos) / UNIT, float(limit.reserved_nanos) / UNIT, limit.state


def decisions(tenant: Tenant) -> list[str]:
    """Return the kinds of the decisions taken, oldest first; a warning with its share."""
    with tenant_scope(tenant.id):
        found = Decision.objects.order_by("id").values_list("kind", "threshold")
        return [kind if share is None else f"{kind} {share}" for kind, share in found]
