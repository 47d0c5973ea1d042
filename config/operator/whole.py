"""The state of the whole: what organizations use, what has no price, what waits, what failed.

Every question is about rollups, or counted no further than a bound, and is given up after a while: the page
is as quick with millions of records as with none.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import urlencode

from django.db import connection, transaction
from django.db.models import Manager, Model
from django.db.utils import OperationalError
from django.urls import reverse

from alerts.models import Delivery, DeliveryState
from billing.models import LimitState, Repricing, Reservation, ReservationState, SpendLimit
from billing.models.repricing import UNDER_WAY
from config.metrics.parts import Queues, queues
from organizations.bounded import MOST
from portal import numbers
from usage.models import Export, ExportState
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


May = Callable[[str], bool]
"""Tells whether who looks has a permission: a link leads nobody to where they are refused."""

_UNCOUNTED: Final = State("Deliveries", "more than can be counted in time", "bad")


def read(now: datetime, may: May) -> Whole:
    """Return the state of the whole, with links to what the reader may see and do.

    Tenancy: call in the system's scope.
    """
    since = (now - timedelta(days=DAYS)).date()
    return Whole(
        busiest=_in_time(lambda: [_busy(row) for row in _rows(_BUSIEST, since, SHOWN)]),
        unpriced=_in_time(lambda: [_unpriced(row, may) for row in _rows(_UNPRICED, since, SHOWN)]),
        work=[
            *_folding(_in_time(_backlog), may),
            _counted("Repricings under way", Repricing.objects, "", may, state__in=UNDER_WAY),
            *(_in_time(lambda: _deliveries(now, may)) or [_UNCOUNTED]),
            *_queue(queues()),
        ],
        gate=_in_time(lambda: _gate(now, may)) or [],
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


def _unpriced(row: Sequence[Any], may: May) -> Unpriced:
    model, provider, requests, organizations = row
    add = ""
    if may("billing.add_price"):
        add = f"{reverse('admin:billing_price_add')}?{urlencode({'provider': provider, 'model': model})}"
    return Unpriced(model or "(none)", provider, numbers.short(int(requests)), organizations, add)


def _backlog() -> Backlog:
    return backlog(timeout_ms=TIMEOUT_MS)


def _folding(found: Backlog | None, may: May) -> list[State]:
    if found is None:
        return [State("Records to fold", "more than can be counted in time", "bad")]
    slow = found.oldest_seconds > SLOW_SECONDS
    queued = _listed(Export, may, state__exact=ExportState.QUEUED)
    running = _listed(Export, may, state__exact=ExportState.RUNNING)
    return [
        State("Records to fold", numbers.exact(found.pending_rows)),
        State("Folding lag", f"{numbers.exact(round(found.oldest_seconds))} s", "bad" if slow else "good"),
        State("Exports queued", numbers.exact(found.exports_queued), url=queued),
        State("Exports running", numbers.exact(found.exports_running), url=running),
    ]


def _deliveries(now: datetime, may: May) -> list[State]:
    lately, due = now - LATELY, now - timedelta(minutes=5)
    failed = {"state__exact": DeliveryState.FAILED, "created_at__gt": lately}
    late = {"state__exact": DeliveryState.PENDING, "due_at__lt": due}
    return [
        _counted("Failed deliveries, 24 hours", Delivery.objects, "bad", may, **failed),
        _counted("Deliveries that are late", Delivery.objects, "warn", may, **late),
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


def _gate(now: datetime, may: May) -> list[State]:
    held = ReservationState.HELD
    return [
        _counted("Spend limits", SpendLimit.objects, "", may),
        _counted("Paused", SpendLimit.objects, "warn", may, state__exact=LimitState.PAUSED),
        _counted("Reservations held", Reservation.objects, "", may, state__exact=held, expires_at__gt=now),
        _counted(
            "Held beyond their time", Reservation.objects, "warn", may, state__exact=held, expires_at__lte=now
        ),
    ]


def _counted(label: str, rows: Manager[Any], tone: str, may: May, **lookups: Any) -> State:
    """Count rows, and lead to the list of the same rows."""
    count = rows.filter(**lookups).order_by()[:MOST].count()
    text = numbers.exact(count) if count < MOST else f"{numbers.exact(MOST)} or more"
    return State(label, text, tone if count else "", _listed(rows.model, may, **lookups))


def _listed(model: type[Model], may: May, **lookups: Any) -> str:
    """Return where rows are listed, nothing where they aren't shown to who looks."""
    meta = model._meta
    if not may(f"{meta.app_label}.view_{meta.model_name}"):
        return ""
    asked = {name: _written(value) for name, value in lookups.items()}
    address = reverse(f"admin:{meta.app_label}_{meta.model_name}_changelist")
    return f"{address}?{urlencode(asked, safe=',')}" if asked else address


def _written(value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    return ",".join(value) if isinstance(value, tuple) else str(value)
