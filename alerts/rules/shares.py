"""What is read for rules over shares: of spend limits, of grants, of the requests allowed in a minute."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final

from alerts.models import Condition, ScopeKind
from alerts.rules.terms import RATE_LIMIT
from alerts.rules.watched import Reading, Readings, Watched
from billing.ledger.queries import used_shares
from billing.models import SpendLimit, Window
from core.periods import Period
from organizations import rate_limits
from organizations.models import Credential

CONDITIONS: Final = (Condition.SHARE,)
_HUNDRED: Final = Decimal(100)
_PLACES: Final = Decimal("0.000000001")


def read(rules: Sequence[Watched], now: datetime) -> Readings:
    """Return what these rules read.

    Tenancy: call in the system's scope.
    Concurrency: a statement for each kind of share, however many rules; two round trips to Redis.
    """
    found: Readings = {}
    by_metric: dict[str, list[Watched]] = {}
    for rule in rules:
        by_metric.setdefault(rule.metric, []).append(rule)
    for metric, some in by_metric.items():
        found.update(_READERS[metric](some, now))
    return found


def _of_limits(rules: Sequence[Watched], now: datetime) -> Readings:
    limits = SpendLimit.objects.filter(organization_id__in={rule.organization_id for rule in rules})
    by_organization: dict[int, list[SpendLimit]] = {}
    for limit in limits.select_related("credential").order_by("pk"):
        by_organization.setdefault(limit.organization_id, []).append(limit)
    return {
        rule.id: {
            limit.credential.client_id if limit.credential else "": _of_limit(limit, now)
            for limit in by_organization.get(rule.organization_id, ())
            if _concerns(rule, limit)
        }
        for rule in rules
    }


def _concerns(rule: Watched, limit: SpendLimit) -> bool:
    if rule.scope_kind == ScopeKind.ORGANIZATION or rule.credential_id is not None:
        return limit.credential_id == rule.credential_id
    return limit.credential_id is not None


def _of_limit(limit: SpendLimit, now: datetime) -> Reading:
    period = Period(limit.window_start, limit.window_end)
    is_week = limit.window_kind == Window.WEEK
    # A week that is over is not this one's: it is moved on within the minute.
    spent = 0 if is_week and now >= limit.window_end else int(limit.spent_nanos)
    value = _share(Decimal(spent), Decimal(limit.limit_nanos))
    return Reading(value, period, limit.window_start if is_week else None)


def _of_grants(rules: Sequence[Watched], now: datetime) -> Readings:
    used = used_shares({rule.organization_id for rule in rules}, now)
    found: Readings = {}
    for rule in rules:
        share = used.get((rule.organization_id, rule.metric))
        value = None if share is None else _share(share.used, share.granted)
        found[rule.id] = {"": Reading(value)}
    return found


def _of_rate_limits(rules: Sequence[Watched], now: datetime) -> Readings:
    """Read the most requests that keys made in any minute of the day (UTC), as a share of those allowed."""
    credentials = Credential.objects.filter(
        organization_id__in={rule.organization_id for rule in rules}, revoked_at=None
    )
    keys: dict[int, list[tuple[int, str]]] = {}
    for organization_id, key, client_id in credentials.values_list("organization_id", "pk", "client_id"):
        keys.setdefault(organization_id, []).append((key, client_id))
    midnight = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    day = Period(midnight, midnight + timedelta(days=1))
    clients = [client_id for some in keys.values() for _, client_id in some]
    states = rate_limits.fuller_states(clients, day)
    return {
        rule.id: {
            client_id: Reading(
                _share(Decimal(states[client_id].peak_per_minute), Decimal(rule.requests_per_minute)),
                day,
                midnight,
            )
            for key, client_id in keys.get(rule.organization_id, ())
            if rule.credential_id in (None, key)
        }
        for rule in rules
    }


def _share(part: Decimal, whole: Decimal) -> Decimal | None:
    return (part * _HUNDRED / whole).quantize(_PLACES) if whole > 0 else None


_READERS: Final[dict[str, Callable[[Sequence[Watched], datetime], Readings]]] = {
    "cost": _of_limits,
    "credits": _of_grants,
    "quota": _of_grants,
    RATE_LIMIT: _of_rate_limits,
}
