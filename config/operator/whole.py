"""The state of the whole: what organizations use, what has no price, what waits, what failed.

Every question is about rollups, or counted no further than a bound, and is given up after a while: the page
is as quick with millions of records as with none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import urlencode

from django.db import connection, transaction
from django.db.models import QuerySet
from django.db.utils import OperationalError
from django.urls import reverse

from alerts.models import Delivery, DeliveryState
from billing.models import LimitState, Repricing, Reservation, ReservationState, SpendLimit
from billing.models.repricing import UNDER_WAY
from config.metrics.parts import Queues, queues
from organizations.bounded import MOST
from portal import numbers
from usage.queries.backlog import Backlog, backlog

TIMEOUT_MS: Final = 3000
DAYS: Final = 7
SHOWN: Final = 10
LATELY: Final = timedelta(hours=24)
SLOW_SECONDS: Final = 60
"""Folding that is further behind than this is worth a look."""

_BUSIEST: Final = """
SELECT organization.id, organization.name, organization.currency, used.requests, used.errors, used.tokens,
    used.cost
FROM organizations_organization AS organization CROSS JOIN LATERAL (
    SELECT sum(requests) AS requests, sum(errors) AS errors, sum(total_tokens) AS tokens,
        sum(cost_nanos) AS cost
    FROM usage_rollup_day
    WHERE organization_id = organization.id AND dimension = 0 AND bucket > %s) AS used
WHERE used.requests > 0 ORDER BY used.requests DESC, organization.id LIMIT %s
"""
_UNPRICED: Final = """
SELECT used.value, used.qualifier, sum(used.unpriced), count(DISTINCT organization.id)
FROM organizations_organization AS organization CROSS JOIN LATERAL (
    SELECT value, qualifier, unpriced FROM usage_rollup_day
    WHERE organization_id = organization.id AND dimension = 1 AND bucket > %s AND unpriced > 0) AS used
GROUP BY used.value, used.qualifier ORDER BY sum(used.unpriced) DESC, used.value LIMIT %s
"""


@dataclass(frozen=True, slots=True)
class Busy:
    """What an organization used in the last days."""

    name: str
    url: str
    requests: str
    errors: str
    tokens: str
    cost: str


@dataclass(frozen=True, slots=True)
class Unpriced:
    """A model whose requests came without a price."""

    model: str
    provider: str
    requests: str
    organizations: int
    url: str


@dataclass(frozen=True, slots=True)
class State:
    """One thing that waits, or went wrong: how much, how bad, and where to look."""

    label: str
    text: str
    tone: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class Whole:
    """The dashboard; None for what took too long to find out."""

    busiest: list[Busy] | None
    unpriced: list[Unpriced] | None
    work: list[State]
    gate: list[State]
    days: int = DAYS


_UNCOUNTED: Final = State("Deliveries", "more than can be counted in time", "bad")


def read(now: datetime) -> Whole:
    """Return the state of the whole.

    Tenancy: call in the system's scope.
    """
    since = (now - timedelta(days=DAYS)).date()
    return Whole(
        busiest=_in_time(lambda: [_busy(row) for row in _rows(_BUSIEST, since, SHOWN)]),
        unpriced=_in_time(lambda: [_unpriced(row) for row in _rows(_UNPRICED, since, SHOWN)]),
        work=[
            *_folding(_in_time(_backlog)),
            _repricing(),
            *(_in_time(lambda: _deliveries(now)) or [_UNCOUNTED]),
            *_queue(queues()),
        ],
        gate=_in_time(lambda: _gate(now)) or [],
    )


def _in_time(ask: Any) -> Any:
    """Return what is asked for, None when it takes too long."""
    try:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SELECT set_config('statement_timeout', %s, true)", [str(TIMEOUT_MS)])
            found = ask()
            with connection.cursor() as cursor:
                cursor.execute("SELECT set_config('statement_timeout', '0', true)")
            return found
    except OperationalError:
        return None


def _rows(statement: str, *values: Any) -> list[Sequence[Any]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        found: list[Sequence[Any]] = cursor.fetchall()
    return found


def _busy(row: Sequence[Any]) -> Busy:
    key, name, currency, requests, errors, tokens, cost = row
    return Busy(
        name=name,
        url=reverse("admin:organizations_organization_change", args=(key,)),
        requests=numbers.short(int(requests)),
        errors=numbers.short(int(errors)),
        tokens=numbers.short(int(tokens)),
        cost=f"{numbers.short_money(int(cost))} {currency}",
    )


def _unpriced(row: Sequence[Any]) -> Unpriced:
    model, provider, requests, organizations = row
    add = f"{reverse('admin:billing_price_add')}?{urlencode({'provider': provider, 'model': model})}"
    return Unpriced(model or "(none)", provider, numbers.short(int(requests)), organizations, add)


def _backlog() -> Backlog:
    return backlog(timeout_ms=TIMEOUT_MS)


def _folding(found: Backlog | None) -> list[State]:
    if found is None:
        return [State("Records to fold", "more than can be counted in time", "bad")]
    slow = found.oldest_seconds > SLOW_SECONDS
    exports = reverse("admin:usage_export_changelist")
    return [
        State("Records to fold", numbers.exact(found.pending_rows)),
        State("Folding lag", f"{numbers.exact(round(found.oldest_seconds))} s", "bad" if slow else "good"),
        State("Exports queued", numbers.exact(found.exports_queued), url=f"{exports}?state__exact=queued"),
        State("Exports running", numbers.exact(found.exports_running), url=f"{exports}?state__exact=running"),
    ]


def _repricing() -> State:
    under_way = Repricing.objects.filter(state__in=UNDER_WAY)
    return _counted("Repricings under way", under_way, reverse("admin:billing_repricing_changelist"), "")


def _deliveries(now: datetime) -> list[State]:
    where = reverse("admin:alerts_delivery_changelist")
    failed = Delivery.objects.filter(state=DeliveryState.FAILED, created_at__gt=now - LATELY)
    late = Delivery.objects.filter(state=DeliveryState.PENDING, due_at__lt=now - timedelta(minutes=5))
    return [
        _counted("Failed deliveries, 24 hours", failed, f"{where}?state__exact=failed", "bad"),
        _counted("Deliveries that are late", late, f"{where}?state__exact=pending", "warn"),
    ]


def _queue(found: Queues | None) -> list[State]:
    if found is None:
        return [State("Redis", "does not answer", "bad")]
    return [
        State("Tasks in queues", numbers.exact(found.waiting)),
        State("Tasks at workers", numbers.exact(found.taken)),
        State(
            "Worker", *(("not heard from", "bad") if found.heard_seconds is None else ("heard from", "good"))
        ),
    ]


def _gate(now: datetime) -> list[State]:
    limits = SpendLimit.objects.all()
    where = reverse("admin:billing_spendlimit_changelist")
    holds = f"{reverse('admin:billing_reservation_changelist')}?state__exact=held"
    paused = limits.filter(state=LimitState.PAUSED)
    held = Reservation.objects.filter(state=ReservationState.HELD, expires_at__gt=now)
    over = Reservation.objects.filter(state=ReservationState.HELD, expires_at__lte=now)
    return [
        _counted("Spend limits", limits, where, ""),
        _counted("Paused", paused, f"{where}?state__exact=paused", "warn"),
        _counted("Reservations held", held, holds, ""),
        _counted("Held beyond their time", over, holds, "warn"),
    ]


def _counted(label: str, rows: QuerySet[Any], url: str, tone: str) -> State:
    count = rows.order_by()[:MOST].count()
    text = numbers.exact(count) if count < MOST else f"{numbers.exact(MOST)} or more"
    return State(label, text, tone if count else "", url)
