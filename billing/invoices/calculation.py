"""What an invoice comes to: the records of its month, and what earlier months' records have come to since."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet, Sum

from billing.charges import Item, Sums, read
from billing.charges.items import Part
from billing.models import Invoice, InvoiceKind, InvoiceLine, InvoiceState
from core.periods import Period
from organizations.models import Organization
from usage.history import history_start
from usage.queries.rollups import RollupQuery, add_up

_ITEM = (
    "provider",
    "model",
    "tier",
    "basis",
    "price_id",
    "discount_bp",
    "meter",
    "above",
    "rate_nanos",
    "per",
)


@dataclass(frozen=True, slots=True)
class Month:
    """What is to be invoiced of one month's use."""

    period: Period
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Calculated:
    """What an invoice comes to: its own month first, then those before it that it makes up for."""

    months: tuple[Month, ...]
    unpriced_records: int

    @property
    def lines_nanos(self) -> int:
        """The exact sum."""
        return sum(cost for month in self.months for _, _, cost in month.parts)


def calculate(organization: Organization, period: Period, now: datetime) -> Calculated:
    """Return what the period comes to, less what standing invoices have of it, and what earlier ones lack.

    An earlier month is read again only where its total is another than was invoiced.
    Tenancy: call in the tenant's scope, in a snapshot.
    """
    own = Month(period, _outstanding(organization.pk, period))
    since = history_start(organization.plan.history_days, organization.timezone, now)
    earlier = (
        Month(one, _outstanding(organization.pk, one))
        for one in _invoiced_periods(organization.pk, period.start)
        if one.start >= since and _has_changed(organization, one)
    )
    months = (own, *(month for month in earlier if month.parts))
    return Calculated(months, _total(organization, period, "unpriced"))


def standing(organization_id: int) -> QuerySet[Invoice]:
    """Return the issued invoices that were not credited."""
    return Invoice.objects.filter(
        organization_id=organization_id,
        kind=InvoiceKind.INVOICE,
        state=InvoiceState.ISSUED,
        credit_note=None,
    )


def _invoiced_periods(organization_id: int, before: datetime) -> list[Period]:
    invoices = standing(organization_id).filter(period_start__lt=before)
    return [
        Period(*bounds)
        for bounds in invoices.order_by("period_start").values_list("period_start", "period_end")
    ]


def _outstanding(organization_id: int, period: Period) -> tuple[Part, ...]:
    now, before = Sums(), Sums()
    for charged in read(organization_id, period):
        now.add(charged.parts)
    before.add(_invoiced(organization_id, period))
    return tuple(difference(now, before))


def difference(now: Sums, before: Sums) -> Iterator[Part]:
    """Yield by how much the sums of items differ; without those that don't."""
    joined = Sums({item: list(sums) for item, sums in now.items()})
    joined.add((item, -quantity, -cost) for item, quantity, cost in before.parts())
    return ((item, quantity, cost) for item, quantity, cost in joined.parts() if quantity or cost)


def _invoiced(organization_id: int, period: Period) -> Iterator[Part]:
    lines = _lines(organization_id, period).values_list(*_ITEM).annotate(Sum("quantity"), Sum("cost_nanos"))
    for *item, quantity, cost_nanos in lines.order_by():
        yield Item(*item), quantity, int(cost_nanos)


def _has_changed(organization: Organization, period: Period) -> bool:
    return _total(organization, period, "cost_nanos") != _invoiced_total(organization.pk, period)


def _invoiced_total(organization_id: int, period: Period) -> int:
    found = _lines(organization_id, period).aggregate(total=Sum("cost_nanos"))
    return int(found["total"] or 0)


def _lines(organization_id: int, period: Period) -> QuerySet[InvoiceLine]:
    return InvoiceLine.objects.filter(
        organization_id=organization_id,
        period_start=period.start,
        invoice__in=standing(organization_id),
    )


def _total(organization: Organization, period: Period, measure: str) -> int:
    query = RollupQuery(organization.pk, organization.rollup_timezone, period, sums=("requests", measure))
    return sum(group.sums[measure] for group in add_up(query))
