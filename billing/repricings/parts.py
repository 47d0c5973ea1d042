"""What a repricing comes to in each organization, noted in the transactions that price."""

from typing import Final

from billing.models import Repricing, RepricingPart
from billing.repricing import Position, Step, asked_period
from billing.repricings.services import hold
from core import clock
from core.periods import Period
from organizations.models import Organization
from organizations.tenancy import system_scope, tenant_scope
from usage.queries.unpriced import unpriced_count

_STEP: Final = (
    "looked_at", "priced", "left_records", "left", "cost_nanos", "position_at", "position_key",
)  # fmt: skip


def organizations_of(repricing: Repricing) -> list[Organization]:
    """Return the organizations that are repriced, with their plans."""
    with system_scope():
        every = Organization.objects.select_related("plan").order_by("pk")
        one = repricing.organization_id
        return list(every if one is None else every.filter(pk=one))


def open_parts(repricing: Repricing) -> list[RepricingPart]:
    """Return the parts that are not finished, with their organizations."""
    with system_scope():
        parts = RepricingPart.objects.filter(repricing=repricing, finished_at=None)
        return list(parts.select_related("organization__plan").order_by("pk"))


def count(repricing: Repricing, organization: Organization) -> None:
    """Make an organization's part if there is something to price, or if it was the one asked for.

    Raises: `Lost`.
    Concurrency: may be done again; the part that is there stays.
    """
    period = _period(repricing, organization)
    with tenant_scope(organization.pk):
        total = unpriced_count(organization.pk, organization.rollup_timezone, period)
        if not total and repricing.organization_id is None:
            return
        hold(repricing)
        RepricingPart.objects.get_or_create(
            repricing=repricing,
            organization=organization,
            defaults={
                "currency": organization.currency,
                "window_start": period.start,
                "window_end": period.end,
                "records_total": total,
            },
        )


def position_of(part: RepricingPart) -> Position | None:
    """Return where the part goes on; None for its beginning."""
    if part.position_at is None or part.position_key is None:
        return None
    return part.position_at, part.position_key


def note_step(repricing: Repricing, part: RepricingPart, step: Step) -> None:
    """Add a step to its part.

    Raises: `Lost`, which undoes the step.
    Tenancy: call in the tenant's scope, in the step's transaction.
    """
    part.looked_at += step.looked_at
    part.priced += step.priced
    part.cost_nanos += step.cost_nanos
    part.add_left(step.left)
    part.position_at, part.position_key = step.position
    part.save(update_fields=_STEP)
    # Last: until the transaction ends, whoever wants to cancel waits.
    hold(repricing)


def finish_part(repricing: Repricing, part: RepricingPart) -> None:
    """Note that an organization is done.

    Raises: `Lost`.
    """
    with tenant_scope(part.organization_id):
        part.finished_at = clock.now()
        part.save(update_fields=("finished_at",))
        hold(repricing)


def _period(repricing: Repricing, organization: Organization) -> Period:
    """Return what is repriced of an organization: the same, whoever takes the repricing up again."""
    asked_at = repricing.created_at
    try:
        return asked_period(organization, repricing.window_start, repricing.window_end, asked_at)
    except ValueError:
        # Nothing of the window is in this organization's history.
        return Period(asked_at, asked_at)
