"""Pricing, by the book as it is now, what had no price when it came in."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from uuid import UUID

from billing import book
from billing.book.read import version_number
from billing.services.reservations import Spending, charge, parse_reservation
from billing.stages import MAX_COST_NANOS
from billing.windows import quarter_of
from core import clock
from core.periods import Period
from organizations.models import Organization
from organizations.tenancy import tenant_scope
from usage.adjustments import Adjusted, Adjustment, adjust
from usage.queries.unpriced import UnpricedRecord, unpriced_days, unpriced_records

CHUNK: Final = 1_000
"""Records that are priced in one transaction: folding waits for it, and so does the gate."""


@dataclass(slots=True)
class Repriced:
    """What repricing came to.

    ``left`` counts what still has no price, by provider and model, empty where a record has none.
    Units: ``cost_nanos`` nanos of the organization's currency.
    """

    records: int = 0
    cost_nanos: int = 0
    left: Counter[tuple[str, str]] = field(default_factory=Counter)


def reprice(
    organization: Organization, period: Period, *, dry_run: bool = False, chunk: int = CHUNK
) -> Repriced:
    """Give the records of a period that have no cost the one that the price book now says they had.

    Each chunk is a transaction: its costs are in every total, and counted against the limits, or none is.
    What was interrupted goes on when it is run again. A dry run says the same and changes nothing.
    Concurrency: may run beside itself and anything else; no record is priced twice.
    """
    outcome = Repriced()
    for records in _chunks(organization, period, chunk):
        _reprice(organization, records, outcome, dry_run=dry_run)
    return outcome


def _chunks(organization: Organization, period: Period, size: int) -> Iterator[Sequence[UnpricedRecord]]:
    with tenant_scope(organization.pk):
        days = unpriced_days(organization.pk, organization.rollup_timezone, period)
    for day in days:
        after: tuple[datetime, UUID] | None = None
        while True:
            with tenant_scope(organization.pk):
                records = unpriced_records(organization.pk, day, take=size, after=after)
            if records:
                yield records
            if len(records) < size:
                break
            after = records[-1].position


def _reprice(
    organization: Organization, records: Sequence[UnpricedRecord], outcome: Repriced, *, dry_run: bool
) -> None:
    while True:
        known = book.confirmed()
        adjustments, left = _priced(organization, records, known)
        if dry_run:
            made: Sequence[Adjustment | Adjusted] = adjustments
            break
        with tenant_scope(organization.pk):
            # Before anything is written: what the book said meanwhile is what these records cost.
            if version_number() == known.version:
                made = _adjust(organization, adjustments)
                break
        book.forget()
    outcome.records += len(made)
    outcome.cost_nanos += sum(each.cost_nanos for each in made)
    outcome.left += left


def _priced(
    organization: Organization, records: Sequence[UnpricedRecord], known: book.Book
) -> tuple[list[Adjustment], Counter[tuple[str, str]]]:
    tenant = known.tenant(organization.pk, organization.currency)
    adjustments: list[Adjustment] = []
    left: Counter[tuple[str, str]] = Counter()
    for record in records:
        entry = tenant.entry((record.provider, record.model, record.service_tier))
        segment = entry.at(record.occurred_at)
        cost_nanos = None if segment.formula is None else segment.formula(record)
        if cost_nanos is None or cost_nanos > MAX_COST_NANOS:
            left[record.provider or "", record.model or ""] += 1
        else:
            adjustments.append(Adjustment(record.key, record.occurred_at, cost_nanos, segment.price_id))
    return adjustments, left


def _adjust(organization: Organization, adjustments: list[Adjustment]) -> list[Adjusted]:
    made = adjust(organization.pk, adjustments)
    costs: defaultdict[tuple[int, datetime], int] = defaultdict(int)
    settled: defaultdict[UUID, int] = defaultdict(int)
    for each in made:
        costs[each.credential_id, quarter_of(each.occurred_at)] += each.cost_nanos
        reservation = None if each.reservation_id is None else parse_reservation(each.reservation_id)
        if reservation is not None:
            settled[reservation] += each.cost_nanos
    if made:
        charge(
            organization_id=organization.pk,
            timezone=organization.timezone,
            moment=clock.now(),
            spending=Spending(costs, settled),
        )
    return made
