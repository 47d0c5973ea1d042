"""Repricings for tests: records without a price, asking for repricings, and looking at what they came to."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from billing import book
from billing.models import Repricing, RepricingPart, SpendLimit
from billing.rating import Rate
from billing.repricings.services import request_repricing
from core import clock
from core.periods import Period
from organizations.tenancy import system_scope, tenant_scope
from tests.billing.pricing import price
from tests.usage.factories import Tenant, at, record
from usage.queries.totals import Subject, totals

MODEL: Final = "house-7b"
COST_NANOS: Final = 12
"""What each record costs by `know`."""

Told = list[UUID]


def use(tenant: Tenant, count: int, *, model: str = MODEL, days: int | None = None) -> None:
    """Have a tenant send records without a price, spread over some days, or all of them just now."""
    now = clock.now()
    # Each day is priced in steps of its own: what counts steps must not depend on the time of day.
    step = timedelta(milliseconds=1) if days is None else timedelta(days=days) / count
    tenant.api.keep(
        *(
            record(
                f"{model}-{place}",
                timestamp=at(now - step * place),
                model=model,
                provider="us",
                tokens={"prompt": 10, "completion": 1},
            )
            for place in range(count)
        )
    )


def know(model: str = MODEL, **terms: Any) -> int:
    """Add a price of 1 a token of the prompt and 2 a token of the completion, in nanos; return its id."""
    rates = (Rate("prompt", 1, 1), Rate("completion", 2, 1))
    found = int(price(provider="us", model=model, rates=rates, **terms).pk)
    book.forget()
    return found


def ask(
    tenant: Tenant | None = None,
    *,
    dry_run: bool = False,
    start: datetime | None = None,
    end: datetime | None = None,
) -> Repricing:
    """Ask for a repricing of one organization or all."""
    organization_id = None if tenant is None else tenant.id
    return request_repricing(organization_id=organization_id, start=start, end=end, dry_run=dry_run)


def stored(repricing: Repricing) -> Repricing:
    """Return a repricing as it is kept."""
    with system_scope():
        return Repricing.objects.get(pk=repricing.pk)


def part_of(repricing: Repricing, tenant: Tenant) -> RepricingPart:
    """Return what a repricing came to in an organization."""
    with tenant_scope(tenant.id):
        return RepricingPart.objects.get(repricing_id=repricing.pk)


def numbers(repricing: Repricing, tenant: Tenant) -> tuple[int, int, int, int, int]:
    """Return of a part: records in all, looked at, priced and left, and their cost."""
    part = part_of(repricing, tenant)
    return part.records_total, part.looked_at, part.priced, part.left_records, int(part.cost_nanos)


def figures(tenant: Tenant) -> tuple[int, int, int]:
    """Return a tenant's requests, those without a price, and the cost of the others."""
    now = clock.now()
    period = Period(now - timedelta(days=90), now + timedelta(days=1))
    with tenant_scope(tenant.id):
        found = totals(Subject(tenant.id, tenant.organization.rollup_timezone), period, now)
    return found.requests, found.unpriced, found.cost_nanos


def spent(tenant: Tenant) -> int:
    """Return what the organization's limit has counted."""
    with tenant_scope(tenant.id):
        return int(SpendLimit.objects.get(credential=None).spent_nanos)
