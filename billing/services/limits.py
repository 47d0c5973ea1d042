"""Setting and removing spend limits, and keeping their figures right."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import structlog
from django.db import connection
from django.db.models import Sum

from billing.models import Enforcement, Reservation, ReservationState, SpendLimit, Window
from billing.queries.spending import spent_by_quarter, spent_since
from billing.windows import KEPT, QUARTER, quarter_of, windows_at
from core import clock
from core.periods import Period
from core.problems import Problem, forbidden, not_found
from organizations.models import Organization, Plan
from organizations.tenancy import Caller, tenant_scope
from usage.history import history_start
from usage.reading import LATEST

log: Final = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Terms:
    """What a limit is set to.

    Units: ``limit_nanos`` nanos of the organization's currency; ``warn_at`` shares in per cent.
    """

    limit_nanos: int
    window: Window = Window.ROLLING
    warn_at: Sequence[int] = (50, 80, 95)
    enforcement: Enforcement = Enforcement.PAUSE


def set_limit(*, caller: Caller, credential_id: int | None, terms: Terms) -> None:
    """Set the limit of the organization or of one credential, from now on.

    Raises: `Problem` 403 for a plan without spend limits.
    Tenancy: call in the tenant's scope, in a transaction that has read nothing under a snapshot of its own.
    Concurrency: waits until what is being stored is committed, and holds off what comes after until then.
    """
    if not caller.plan.spend_limit:
        raise plan_required(caller)
    organization = Organization.objects.get(pk=caller.organization_id)
    _spend_alone(organization.pk)
    now = clock.now()
    _run(
        "SELECT billing_set_limit("
        "%s, %s, %s, %s, %s::smallint[], %s, %s, %s, %s::timestamptz[], %s::numeric[])",
        [
            organization.pk,
            credential_id,
            terms.limit_nanos,
            terms.window.value,
            sorted(set(terms.warn_at)),
            terms.enforcement.value,
            now,
            windows_at(now, organization.timezone).bounds,
            *_spent(organization, credential_id, now),
        ],
    )


def remove_limit(*, organization_id: int, credential_id: int | None) -> None:
    """Remove a limit: from now on nothing is refused on its account.

    Raises: `Problem` 404.
    Tenancy: call in the tenant's scope.
    """
    _spend_alone(organization_id)
    arguments = [organization_id, credential_id, clock.now()]
    if not _run("SELECT billing_remove_limit(%s, %s, %s)", arguments):
        raise not_found("There is no such spend limit.")


def correct(organization: Organization) -> int:
    """Compare every limit with the totals and the holds, set right what differs, and return how many did.

    Concurrency: compares in one snapshot, in which a record and its charge are both or neither; only where
    something differs is the spending held up.
    """
    with tenant_scope(organization.pk, snapshot=True):
        now = clock.now()
        wrong = [limit.pk for limit in SpendLimit.objects.all() if _differs(organization, limit, now)]
    return sum(_correct(organization, limit_id) for limit_id in wrong)


def plan_required(caller: Caller) -> Problem:
    """Return the problem of a plan without spend limits."""
    plans = ", ".join(Plan.objects.filter(spend_limit=True).values_list("name", flat=True))
    return forbidden(
        f"The plan {caller.plan.name} has no spend limits; these have: {plans}.", code="plan_required"
    )


def _differs(organization: Organization, limit: SpendLimit, now: datetime) -> bool:
    held = Reservation.objects.filter(state=ReservationState.HELD)
    if limit.credential_id is not None:
        held = held.filter(credential_id=limit.credential_id)
    if limit.reserved_nanos != (held.aggregate(all=Sum("amount_nanos"))["all"] or 0):
        return True
    if limit.window_start < history_start(organization.plan.history_days, organization.timezone, now):
        # What is no longer kept can't be compared.
        return False
    return int(limit.spent_nanos) != spent_since(organization, limit.credential_id, limit.window_start, now)


def _correct(organization: Organization, limit_id: int) -> bool:
    with tenant_scope(organization.pk):
        _spend_alone(organization.pk)
        limit = SpendLimit.objects.filter(pk=limit_id).first()
        if limit is None:
            return False
        now = clock.now()
        windows = windows_at(now, organization.timezone).bounds
        spent = _spent(organization, limit.credential_id, now)
        corrected = bool(
            _run(
                "SELECT billing_correct(%s, %s, %s, %s::timestamptz[], %s::numeric[])",
                [limit_id, now, windows, *spent],
            )
        )
    if corrected:
        log.error("a spend limit's figures were wrong", organization=organization.slug, limit=limit_id)
    return corrected


def _spend_alone(organization_id: int) -> None:
    """Wait until nobody is spending, and keep it so until the transaction ends."""
    _run("SELECT pg_advisory_xact_lock(billing_spending(%s))", [organization_id])


def _spent(
    organization: Organization, credential_id: int | None, now: datetime
) -> tuple[list[datetime], list[int]]:
    start = quarter_of(now - KEPT)
    period = Period(start, quarter_of(now + LATEST) + QUARTER)
    found = spent_by_quarter(organization, credential_id, period)
    return [spent.quarter for spent in found], [spent.cost_nanos for spent in found]


def _run(statement: str, arguments: list[Any]) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(statement, arguments)
        row = cursor.fetchone()
    return None if row is None else row[0]
