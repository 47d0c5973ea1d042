"""What an organization has used in its current billing period, in all and by client, model and capability."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from core.periods import Period, billing_period, zone
from organizations.models import Credential
from organizations.tenancy import Caller
from usage.queries.facets import Facet
from usage.queries.rollups import ALL_SUMS, Group, RollupQuery, add_up
from usage.rollups.measures import HISTOGRAM

MAX_VALUES: Final = 100
"""How many clients, models, capabilities or meters are told apart; the others are added up."""
OTHER: Final = "other"

_PART_SUMS: Final = ("requests", "errors", "total_tokens", "cost_nanos", "latency_records", "latency_us")


@dataclass(frozen=True, slots=True)
class CurrentUse:
    """The use of a period; each of ``clients`` (by client id), ``models`` and ``capabilities`` adds up to
    ``total``. ``active`` are the credentials that are not revoked, oldest first.
    """

    period: Period
    total: Group
    clients: Mapping[str, Group]
    models: Mapping[str, Group]
    capabilities: Mapping[str, Group]
    active: tuple[Credential, ...]


def current_use(caller: Caller, since: datetime, now: datetime) -> CurrentUse:
    """Return the use of the caller's organization in its month that holds now, from ``since`` on.

    Tenancy: call in the tenant's scope.
    Concurrency: five statements; on one snapshot, the parts are those of the total.
    """
    month = billing_period(now, zone(caller.timezone))
    period = Period(max(month.start, since), month.end)
    credentials = list(Credential.objects.order_by("pk"))
    active = tuple(credential for credential in credentials if credential.revoked_at is None)
    return CurrentUse(
        period,
        _total(caller, period),
        _clients(credentials, _by(caller, period, Facet.CLIENT)),
        capped(_by(caller, period, Facet.MODEL)),
        capped(_by(caller, period, Facet.CAPABILITY)),
        active,
    )


def capped(groups: Mapping[str, Group]) -> dict[str, Group]:
    """Return the first values in order, and all others as one, `OTHER`; a value of that name is among them.

    The order is the mapping's, and has to be the same at any time: then a value that has become one of the
    others stays one, and what is told of each only grows.
    """
    own = [value for value in groups if value != OTHER][:MAX_VALUES]
    rest = groups.keys() - set(own)
    kept = {value: groups[value] for value in own}
    return {**kept, OTHER: add(groups[value] for value in sorted(rest))} if rest else kept


def add(groups: Iterable[Group]) -> Group:
    """Return the sums of several groups as one."""
    total = Group(0)
    for group in groups:
        for name, value in group.sums.items():
            total.sums[name] = total.sums.get(name, 0) + value
    return total


def _total(caller: Caller, period: Period) -> Group:
    sums = (*ALL_SUMS, HISTOGRAM.name)
    found = add_up(_query(caller, period, sums=sums, meters=True))
    return found[0] if found else Group(0, (), dict.fromkeys(sums, 0))


def _by(caller: Caller, period: Period, facet: Facet) -> dict[Any, Group]:
    """Return what adds up for each value of a facet, in the order of the values."""
    groups = add_up(_query(caller, period, sums=_PART_SUMS, group_by=(facet,)))
    return {group.values[0]: group for group in groups}


def _clients(credentials: Iterable[Credential], used: Mapping[int, Group]) -> dict[str, Group]:
    """Return the use by client id, oldest credential first; of those without use only the active ones."""
    nothing = Group(0, (), dict.fromkeys(_PART_SUMS, 0))
    return capped(
        {
            credential.client_id: used.get(credential.pk, nothing)
            for credential in credentials
            if credential.revoked_at is None or credential.pk in used
        }
    )


def _query(caller: Caller, period: Period, **options: Any) -> RollupQuery:
    return RollupQuery(caller.organization_id, caller.rollup_timezone, period, **options)
