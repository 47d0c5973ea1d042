"""Pricing, by the book as it is now, what had no price when it came in."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
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
from usage.history import history_start
from usage.queries.unpriced import UnpricedRecord, unpriced_days, unpriced_records
from usage.reading import LATEST

CHUNK: Final = 1_000
"""Records that are priced in one transaction: folding waits for it, and so does the gate."""


Position = tuple[datetime, UUID]
"""Where a record stands in the order of repricing."""
Left = Counter[tuple[str, str]]
"""What still has no price, by provider and model, empty where a record has none."""


@dataclass(frozen=True, slots=True)
class Step:
    """What one chunk of records came to; ``position`` is its last record's.

    ``looked_at`` counts those that somebody else priced meanwhile, too.
    Units: ``cost_nanos`` nanos of the organization's currency.
    """

    looked_at: int
    priced: int
    cost_nanos: int
    left: Left
    position: Position


@dataclass(slots=True)
class Repriced:
    """What repricing came to.

    Units: ``cost_nanos`` nanos of the organization's currency.
    """

    records: int = 0
    cost_nanos: int = 0
    left: Left = field(default_factory=Counter)

    def add(self, step: Step) -> None:
        """Count one more step."""
        self.records += step.priced
        self.cost_nanos += step.cost_nanos
        self.left += step.left


def reprice(
    organization: Organization, period: Period, *, dry_run: bool = False, chunk: int = CHUNK
) -> Repriced:
    """Give the records of a period that have no cost the one that the price book now says they had.

    Each chunk is a transaction: its costs are in every total, and counted against the limits, or none is.
    What was interrupted goes on when it is run again. A dry run says the same and changes nothing.
    Concurrency: may run beside itself and anything else; no record is priced twice.
    """
    outcome = Repriced()
    for step in steps(organization, period, dry_run=dry_run, chunk=chunk):
        outcome.add(step)
    return outcome


def steps(
    organization: Organization,
    period: Period,
    *,
    dry_run: bool = False,
    chunk: int = CHUNK,
    after: Position | None = None,
    keep: Callable[[Step], None] | None = None,
) -> Iterator[Step]:
    """Reprice a chunk with each step that is asked for, from the period's first record on or ``after`` one.

    ``keep`` is called in the transaction of each step, in the tenant's scope: what it writes is there when
    the costs are, and never without them. When it raises, the step has not happened.
    Concurrency: as `reprice`.
    """
    for records in _chunks(organization, period, chunk, after):
        yield _step(organization, records, keep, dry_run=dry_run)


def asked_period(
    organization: Organization, start: datetime | None, end: datetime | None, now: datetime
) -> Period:
    """Return what is repriced of a window that may be open: no more than the plan's history.

    Raises: ValueError when the window ends before it starts.
    """
    since = history_start(organization.plan.history_days, organization.timezone, now)
    first, last = start or since, end or now + LATEST
    if last <= first:
        raise ValueError("the window ends before it starts")
    return Period(max(first, since), max(last, since))


def _chunks(
    organization: Organization, period: Period, size: int, after: Position | None
) -> Iterator[Sequence[UnpricedRecord]]:
    with tenant_scope(organization.pk):
        days = unpriced_days(organization.pk, organization.rollup_timezone, period)
    for day in days:
        if after is not None and day.end <= after[0]:
            continue
        position = after if after is not None and after[0] in day else None
        while True:
            with tenant_scope(organization.pk):
                records = unpriced_records(organization.pk, day, take=size, after=position)
            if records:
                yield records
            if len(records) < size:
                break
            position = records[-1].position


def _step(
    organization: Organization,
    records: Sequence[UnpricedRecord],
    keep: Callable[[Step], None] | None,
    *,
    dry_run: bool,
) -> Step:
    while True:
        known = book.confirmed()
        adjustments, left = _priced(organization, records, known)
        with tenant_scope(organization.pk):
            # Before anything is written: what the book said meanwhile is what these records cost.
            if version_number() == known.version:
                made = adjustments if dry_run else _adjust(organization, adjustments)
                step = _came_to(records, made, left)
                if keep is not None:
                    keep(step)
                return step
        book.forget()


def _came_to(records: Sequence[UnpricedRecord], made: Sequence[Adjustment | Adjusted], left: Left) -> Step:
    return Step(
        looked_at=len(records),
        priced=len(made),
        cost_nanos=sum(each.cost_nanos for each in made),
        left=left,
        position=records[-1].position,
    )


def _priced(
    organization: Organization, records: Sequence[UnpricedRecord], known: book.Book
) -> tuple[list[Adjustment], Left]:
    tenant = known.tenant(organization.pk, organization.currency)
    adjustments: list[Adjustment] = []
    left: Left = Counter()
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
