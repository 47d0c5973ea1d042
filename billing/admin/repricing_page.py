"""What the operator's page of one repricing says."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from django.urls import reverse

from billing.models import Repricing, RepricingPart, RepricingState
from billing.repricings.queries import Left, Progress, left_of, parts_of, progress_of

SHOWN: Final = 50
_TONES: Final = {"done": "good", "failed": "bad", "cancelled": "warn"}


@dataclass(frozen=True, slots=True)
class Row:
    """What it came to in one organization."""

    name: str
    url: str
    looked_at: str
    priced: str
    cost: str
    left: str
    state: str


@dataclass(frozen=True, slots=True)
class RepricingPage:
    """The page; ``done`` of ``total`` records were looked at, None while that isn't known."""

    state: str
    tone: str
    said: str
    done: int
    total: int | None
    organizations: str
    costs: list[tuple[str, str]]
    rows: list[Row]
    more_rows: int
    left: list[Left]
    left_otherwise: int
    dry_run: bool
    is_under_way: bool


def read(repricing: Repricing) -> RepricingPage:
    """Return what the page says.

    Tenancy: call in the system's scope.
    """
    progress = progress_of(repricing)
    rows = [_row(part, repricing) for part in parts_of(repricing, take=SHOWN)]
    left = left_of(repricing, take=SHOWN)
    total = progress.records_total
    return RepricingPage(
        state=str(RepricingState(repricing.state).label),
        tone=_TONES.get(repricing.state, ""),
        said=_said(repricing, progress),
        done=progress.looked_at,
        total=None if total is None else max(total, progress.looked_at),
        organizations=f"{progress.organizations_done:,} of {progress.organizations:,}",
        costs=[(_count(cost.priced), money(cost.cost_nanos, cost.currency)) for cost in progress.costs],
        rows=rows,
        more_rows=progress.organizations - len(rows),
        left=left,
        # The sums were read a moment before the models, which go on while it runs.
        left_otherwise=max(0, progress.left - sum(each.records for each in left)),
        dry_run=repricing.dry_run,
        is_under_way=repricing.is_under_way,
    )


def summary(repricing: Repricing, progress: Iterable[int | None]) -> str:
    """Say in one line of a list how far it has come, of the records in all, looked at and priced."""
    total, looked_at, priced = (number or 0 for number in progress)
    verb = "to be priced" if repricing.dry_run else "priced"
    return f"{looked_at:,} of {max(total, looked_at):,}, {priced:,} {verb}"


def money(nanos: int | Decimal, currency: str) -> str:
    """Write an amount in full, with at least two places.

    Units: takes nanos.
    """
    whole, fraction = f"{Decimal(nanos).scaleb(-9):,.9f}".split(".")
    return f"{whole}.{fraction.rstrip('0').ljust(2, '0')} {currency}"


def _row(part: RepricingPart, repricing: Repricing) -> Row:
    if part.finished_at is not None:
        state = "Done"
    elif repricing.is_under_way:
        state = f"{part.looked_at * 100 // max(part.records_total, part.looked_at, 1)}%"
    else:
        state = "Not finished"
    return Row(
        name=part.organization.name,
        url=reverse("admin:organizations_organization_change", args=(part.organization_id,)),
        looked_at=f"{part.looked_at:,} of {max(part.records_total, part.looked_at):,}",
        priced=f"{part.priced:,}",
        cost=money(part.cost_nanos, part.currency),
        left=f"{part.left_records:,}",
        state=state,
    )


def _said(repricing: Repricing, progress: Progress) -> str:
    match repricing.state:
        case RepricingState.QUEUED:
            return "Waiting for a worker to go on." if repricing.attempts else "Waiting for a worker."
        case RepricingState.RUNNING if progress.records_total is None:
            return "Counting the records that have no price."
        case RepricingState.RUNNING:
            total = max(progress.records_total or 0, progress.looked_at)
            return f"{progress.looked_at:,} of {_count(total)} looked at. {_outcome(repricing, progress)}"
        case RepricingState.FAILED:
            return f"{repricing.error} {_outcome(repricing, progress)}"
        case _:
            return _outcome(repricing, progress)


def _outcome(repricing: Repricing, progress: Progress) -> str:
    if repricing.dry_run:
        priced = f"{_count(progress.priced)} would be priced"
        return f"{priced}, {progress.left:,} would still have no price. Nothing is changed by a dry run."
    return f"{_count(progress.priced)} priced, {progress.left:,} still without a price."


def _count(records: int) -> str:
    return f"{records:,} record{'' if records == 1 else 's'}"
