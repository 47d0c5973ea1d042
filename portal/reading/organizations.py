"""What the page across organizations shows: how each of a member's organizations fares.

Each is read in its own scope and as its member's role has it; amounts of different currencies are never
added, nor compared.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from alerts.events.queries import open_count
from billing.models import Enforcement, LimitState
from billing.queries.limits import Standing, standing
from core.problems import Problem
from organizations.door import caller_of
from organizations.models import Membership
from organizations.roles import Role, Scope
from organizations.tenancy import Caller, tenant_scope
from portal import numbers
from portal.headroom import share_of, tone_of
from portal.links import address
from portal.measures import NONE, is_unpriced, lacking
from portal.numbers import Change
from portal.overview import windows
from portal.tables import Cell, Column, Pages, Sorting, Table, paged, ranked, sortable
from usage.queries.totals import Subject, Totals, totals

SORTS: Final = ("name", "requests", "tokens", "cost", "limit", "alerts")
RISING: Final = ("name",)
_DIRECTIONS: Final = {"up": "▲ ", "down": "▼ "}

To = Callable[..., str]


@dataclass(frozen=True, slots=True)
class Standings:
    """How one organization fares in its billing period; without figures, ``refused`` says why.

    ``limit`` is None for those who may not know of limits, and where there is none.
    """

    membership: Membership
    refused: str = ""
    current: Totals | None = None
    before: Totals | None = None
    limit: Standing | None = None
    knows_limits: bool = False
    alerts: int = 0

    @property
    def share(self) -> int:
        """How much of the limit is used, in hundredths; less than nothing without one."""
        if self.limit is None:
            return -1
        return share_of(self.limit.spent_nanos + self.limit.reserved_nanos, self.limit.limit_nanos)


@dataclass(frozen=True, slots=True)
class Organizations:
    """The page: the organizations, and what comes together in each currency."""

    table: Table
    sums: Table
    count: int


def read(memberships: Sequence[Membership], now: datetime, *, sort: Sorting, here: To) -> Organizations:
    """Read the organizations of a member.

    It takes as many questions as there are organizations, however much they have used.
    Tenancy: opens the scope of each of the memberships' organizations, one after the other.
    """
    found = [_of(membership, now) for membership in memberships]
    shown, pages = paged(_ranked(found, sort), sort, here)
    return Organizations(_table(shown, pages, sort, here), _sums(found, here), len(found))


def _of(membership: Membership, now: datetime) -> Standings:
    try:
        caller = caller_of(membership)
        caller.require(Scope.USAGE_READ)
    except Problem as problem:
        return Standings(membership, refused=problem.detail)
    with tenant_scope(caller.organization_id):
        return _read(membership, caller, now)


def _read(membership: Membership, caller: Caller, now: datetime) -> Standings:
    subject = Subject(caller.organization_id, caller.rollup_timezone)
    window = windows(caller, now)
    knows = Scope.BILLING_READ in caller.scopes
    return Standings(
        membership,
        current=totals(subject, window.current, now),
        before=None if window.before is None else totals(subject, window.before, now),
        limit=standing(caller.organization_id, None, timezone=caller.timezone, now=now) if knows else None,
        knows_limits=knows,
        alerts=open_count(caller.organization_id),
    )


def _ranked(found: list[Standings], sort: Sorting) -> list[Standings]:
    named = sorted(found, key=_name)
    if sort.by == "name":
        return named[::-1] if sort.descending else named
    by_figure = ranked(named, _FIGURES[sort.by], descending=sort.descending)
    # Amounts are compared with those of their own currency only.
    return sorted(by_figure, key=_currency) if sort.by == "cost" else by_figure


def _name(one: Standings) -> str:
    return one.membership.organization.name.lower()


def _currency(one: Standings) -> str:
    return one.membership.organization.currency


def _sum(name: str) -> Callable[[Standings], int | None]:
    return lambda one: None if one.current is None else getattr(one.current, name)


def _known_cost(one: Standings) -> int | None:
    return None if one.current is None or _is_unpriced(one.current) else one.current.cost_nanos


_FIGURES: Final[dict[str, Callable[[Standings], int | None]]] = {
    "requests": _sum("requests"),
    "tokens": _sum("total_tokens"),
    "cost": _known_cost,
    "limit": lambda one: one.share if one.knows_limits else None,
    "alerts": lambda one: None if one.current is None else one.alerts,
}
"""What rows stand by; None where a dash stands."""


def _table(shown: Iterable[Standings], pages: Pages | None, sort: Sorting, here: To) -> Table:
    columns = [
        sortable("Organization", "name", sort, here, rising=True),
        Column("Your role"),
        sortable("Requests", "requests", sort, here),
        sortable("Tokens", "tokens", sort, here),
        sortable("Cost", "cost", sort, here, meaning="sorted within each currency"),
        Column("Currency"),
        sortable("Spend limit", "limit", sort, here),
        sortable("Open alerts", "alerts", sort, here),
    ]
    return Table(
        "organizations",
        "Current billing period, compared with the previous one",
        columns,
        [_row(one) for one in shown],
        pages=pages,
        file="organizations",
        stacks=True,
    )


def _row(one: Standings) -> list[Cell]:
    organization = one.membership.organization
    slug = organization.slug
    role = Cell(str(Role(one.membership.role).label))
    url = address("overview", organization=slug)
    if one.current is None:
        nothing = Cell(NONE, is_number=True)
        return [Cell(organization.name, url=url, note=one.refused), role, *[nothing] * 6]
    return [
        Cell(organization.name, value=slug, url=url, note=organization.timezone),
        role,
        _count("requests", one, slug),
        _count("total_tokens", one, slug, view="tokens"),
        _cost(one, slug),
        Cell(organization.currency),
        _limit(one, slug),
        _alerts(one, slug),
    ]


def _count(name: str, one: Standings, slug: str, **view: str) -> Cell:
    value = getattr(one.current, name)
    exact = numbers.exact(value)
    return Cell(
        numbers.short(value),
        exact=exact,
        value=str(value),
        url=address("usage", organization=slug, range="month", **view),
        note=_moved(value, None if one.before is None else getattr(one.before, name)),
        is_number=True,
    )


def _cost(one: Standings, slug: str) -> Cell:
    url = address("usage", organization=slug, range="month", view="cost")
    nanos, unpriced = (one.current.cost_nanos, one.current.unpriced) if one.current else (0, 0)
    before = None if one.before is None or _is_unpriced(one.before) else one.before.cost_nanos
    moved = "" if is_unpriced(nanos, unpriced) else _moved(nanos, before)
    note = " · ".join(part for part in (moved, lacking(unpriced)) if part)
    return replace(_amount(nanos, unpriced, one.membership.organization.currency, url), note=note)


def _is_unpriced(sums: Totals) -> bool:
    return is_unpriced(sums.cost_nanos, sums.unpriced)


def _amount(nanos: int, unpriced: int, currency: str, url: str) -> Cell:
    """Return the cell of a cost, which says how many requests it lacks."""
    if is_unpriced(nanos, unpriced):
        return Cell(NONE, value=NONE, url=url, note=lacking(unpriced), is_number=True)
    exact = numbers.exact_money(nanos)
    return Cell(
        numbers.short_money(nanos),
        exact=f"{exact} {currency}",
        value=exact.replace(",", ""),
        url=url,
        note=lacking(unpriced),
        is_number=True,
    )


def _moved(now: int, before: int | None) -> str:
    if before is None:
        return ""
    change: Change = numbers.change(now, before)
    return f"{_DIRECTIONS.get(change.direction, '')}{change.text}"


def _limit(one: Standings, slug: str) -> Cell:
    if not one.knows_limits:
        return Cell(NONE, is_number=True)
    url = address("limits", organization=slug)
    if one.limit is None:
        return Cell("None", url=url, is_number=True)
    if one.limit.state == LimitState.PAUSED:
        return Cell("Paused", value=str(one.share), url=url, tone="bad", is_number=True)
    note = "warn only" if one.limit.enforcement != Enforcement.PAUSE else ""
    tone = tone_of(one.limit, one.share)
    return Cell(f"{one.share}%", value=str(one.share), url=url, tone=tone, note=note, is_number=True)


def _alerts(one: Standings, slug: str) -> Cell:
    url = address("alerts", organization=slug, state="open") if one.alerts else ""
    return Cell(numbers.exact(one.alerts), value=str(one.alerts), url=url, is_number=True)


def _sums(found: Iterable[Standings], here: To) -> Table:
    """Return what comes together in each currency."""
    by_currency: dict[str, list[Standings]] = {}
    for one in found:
        if one.current is not None:
            by_currency.setdefault(_currency(one), []).append(one)
    rows = [_together(currency, some, here) for currency, some in sorted(by_currency.items())]
    columns = [
        Column("Currency"),
        *(Column(name, is_number=True) for name in ("Organizations", "Requests", "Tokens", "Cost")),
    ]
    return Table(
        "by-currency",
        "All organizations",
        columns,
        rows,
        file="organizations-by-currency",
        stacks=True,
    )


def _together(currency: str, found: Sequence[Standings], here: To) -> list[Cell]:
    """Return the sums of a currency; they lead to the organization that has it, or to all by their share."""
    sums = [one.current for one in found if one.current is not None]
    slugs = [one.membership.organization.slug for one in found]

    def way(sort: str, view: str = "") -> str:
        if len(slugs) > 1:
            return here(sort=sort)
        return address("usage", organization=slugs[0], range="month", view=view)

    nanos, unpriced = sum(one.cost_nanos for one in sums), sum(one.unpriced for one in sums)
    cost = _amount(nanos, unpriced, currency, way("cost", "cost"))
    return [
        Cell(currency),
        _counted(len(sums)),
        _counted(sum(one.requests for one in sums), way("requests")),
        _counted(sum(one.total_tokens for one in sums), way("tokens", "tokens")),
        cost if cost.text == NONE else replace(cost, text=f"{cost.text} {currency}"),
    ]


def _counted(number: int, url: str = "") -> Cell:
    exact = numbers.exact(number)
    return Cell(numbers.short(number), exact=exact, value=str(number), url=url, is_number=True)
