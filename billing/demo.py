"""The demo's money: what was granted, limits, one of them nearly reached, and past invoices."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from billing.invoices import services as invoices
from billing.ledger.services import grant
from billing.models import Allowance, Enforcement, Grant, Invoice, InvoiceState, SpendLimit, Window
from billing.queries.limits import standing
from billing.queries.spending import spent_since
from billing.services.limits import Terms, set_limit
from core import clock
from core.money import NANOS
from core.periods import billing_period
from organizations.models import Organization
from organizations.tenancy import tenant_scope
from usage.demo.cast import DOCUMENTS, STAGING, Member
from usage.demo.load import Demo, acting, owner_of
from usage.demo.rhythm import Calendar
from usage.imports.importer import importing

_WEEK: Final = timedelta(days=7)
_DAY: Final = timedelta(days=1)
_NEARLY: Final = Decimal("0.88")
"""Which share of the limit the last week has spent: past the warning at 80%, short of the next."""

_LIMITED_FOR: Final = timedelta(days=23, hours=5, minutes=12)
"""How long the limits have been there."""
_GROWTH: Final = 0.95
"""By how much the demo's spending grows over its days, as a share of its mean."""
_CLOSE: Final = Decimal("0.955")
"""From which share on it is raised: past the warning at 95%, short of the pause."""
_LOOKS: Final = (
    (Decimal("0.91"), timedelta(hours=1)),
    (Decimal("0.82"), timedelta(hours=4)),
    (Decimal(0), timedelta(hours=12)),
)
"""How long nothing is reached that is used up to a share."""
_STEP: Final = Decimal("0.07")
"""How much nearer the first limit comes to be, which is then raised."""
_WEEKLY: Final = Window.WEEK
_ISSUED_AFTER: Final = timedelta(days=2, hours=6)


def grant_allowances(demo: Demo) -> None:
    """Grant what the demo's records burn down; nothing when it was granted before."""
    organization_id, calendar = demo.organization.pk, demo.calendar
    with tenant_scope(organization_id):
        if Grant.objects.filter(organization_id=organization_id).exists():
            return
    for allowance, amount in ((Allowance.CREDITS, 320_000), (Allowance.QUOTA, 160_000_000)):
        grant(
            organization_id=organization_id,
            allowance=allowance,
            amount=Decimal(amount),
            reason="Annual contract",
            effective_at=calendar.start,
            expires_at=calendar.now + 275 * _DAY,
        )
    grant(
        organization_id=organization_id,
        allowance=Allowance.CREDITS,
        amount=Decimal(25_000),
        reason="Goodwill for the outage",
        priority=10,
        effective_at=calendar.incident.end + _DAY,
        expires_at=calendar.now + 45 * _DAY,
    )


@dataclass(frozen=True, slots=True)
class Change:
    """A limit that is set at a moment, so that what the week before spent is that share of it.

    ``member`` is whose limit it is, None for the organization's.
    """

    at: datetime
    member: Member | None
    share: Decimal
    enforcement: Enforcement = Enforcement.PAUSE
    window: Window = Window.ROLLING


def limit_changes(demo: Demo) -> list[Change]:
    """Return which limits are set when, in order; none for a plan without, or when that was done before.

    `keep_open` raises those that pause before they do. Where the demo has few days, all are set at its end.
    """
    organization, calendar = demo.organization, demo.calendar
    with tenant_scope(organization.pk):
        is_done = SpendLimit.objects.filter(organization_id=organization.pk).exists()
    if is_done or not organization.plan.spend_limit:
        return []
    now, first = calendar.now, calendar.now - _LIMITED_FOR
    raised = first + timedelta(days=11, hours=2)
    if first < calendar.start + _WEEK:
        return [
            Change(now, None, _NEARLY),
            Change(now, DOCUMENTS, Decimal("0.62")),
            Change(now, STAGING, Decimal("0.31"), Enforcement.WARN),
        ]
    return [
        Change(first, None, _NEARLY / _grown(calendar, first, raised) + _STEP),
        Change(
            first + timedelta(minutes=6), DOCUMENTS, _NEARLY / _grown(calendar, first, now), window=_WEEKLY
        ),
        Change(first + timedelta(days=5, hours=3), STAGING, Decimal("0.40"), Enforcement.WARN),
    ]


def _grown(calendar: Calendar, first: datetime, last: datetime) -> Decimal:
    """Return by what the spending of a week will have grown from one moment to another, as the demo does."""
    whole = calendar.now - calendar.start
    before, after = (
        1 + _GROWTH * (((moment - _WEEK / 2) - calendar.start) / whole - 0.5) for moment in (first, last)
    )
    return Decimal(str(round(after / before, 4)))


def keep_open(demo: Demo, moment: datetime) -> timedelta:
    """Raise limits that are nearly used up, as people do who were warned; return when to look again."""
    if not demo.organization.plan.spend_limit:
        return _WEEK
    nearest = max(_keep_open(demo, member, moment) for member in (None, DOCUMENTS))
    return next(pause for share, pause in _LOOKS if nearest >= share)


def _keep_open(demo: Demo, member: Member | None, moment: datetime) -> Decimal:
    """Raise one limit where need be; return which share of it is used."""
    organization = demo.organization
    credential_id = None if member is None else demo.credentials[member.name].pk
    with clock.standing_at(moment), tenant_scope(organization.pk, actor=acting(owner_of(organization))):
        found = standing(organization.pk, credential_id, timezone=organization.timezone, now=moment)
        if found is None:
            return Decimal(0)
        share = Decimal(found.spent_nanos) / found.limit_nanos
        if share < _CLOSE:
            return share
        terms = Terms(
            _whole_units(Decimal(found.spent_nanos) / _NEARLY) + NANOS,
            window=found.window,
            enforcement=found.enforcement,
        )
        set_limit(caller=importing(organization), credential_id=credential_id, terms=terms)
        return Decimal(found.spent_nanos) / terms.limit_nanos


def set_limit_of(demo: Demo, change: Change) -> None:
    """Set a limit as its moment had it."""
    organization = demo.organization
    credential_id = None if change.member is None else demo.credentials[change.member.name].pk
    actor = acting(owner_of(organization))
    with clock.standing_at(change.at), tenant_scope(organization.pk, actor=actor):
        spent = spent_since(organization, credential_id, change.at - _WEEK, change.at)
        terms = Terms(
            _whole_units(spent / change.share), window=change.window, enforcement=change.enforcement
        )
        set_limit(caller=importing(organization), credential_id=credential_id, terms=terms)


def invoice_past_months(demo: Demo) -> None:
    """Issue the invoices of the months that are over, each when it would have been."""
    organization, calendar = demo.organization, demo.calendar
    if not organization.plan.invoices:
        return
    moment = billing_period(calendar.start, calendar.tz).end
    while moment <= calendar.now:
        with clock.standing_at(moment + _ISSUED_AFTER):
            _invoice(organization)
        moment = billing_period(moment, calendar.tz).end


def _invoice(organization: Organization) -> None:
    invoices.draft_months(organization, clock.now())
    with tenant_scope(organization.pk):
        drafts = Invoice.objects.filter(organization_id=organization.pk, state=InvoiceState.DRAFT)
        due = list(drafts.order_by("period_start").values_list("pk", flat=True))
    for invoice_id in due:
        invoices.issue(organization_id=organization.pk, invoice_id=invoice_id)


def _whole_units(nanos: Decimal) -> int:
    """Return an amount as whole units of the currency, one at least."""
    return max(1, round(nanos / NANOS)) * NANOS
