"""What stands below the cost of the billing period: the last seven days, and what has no price yet."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from billing.queries.costs import spans, spent, unpriced_models
from core.periods import Period, zone
from organizations.roles import Scope
from organizations.tenancy import Caller
from portal import numbers
from usage import reading
from usage.queries.totals import Subject, Totals

NAMED: Final = 3
"""Models that are named before the rest is only counted."""


def note(subject: Subject, caller: Caller, sums: Totals, now: datetime) -> str:
    """Return what is to be said of the costs of a period.

    Tenancy: call in the tenant's scope.
    """
    return " · ".join(_parts(subject, caller, sums, now))


def _parts(subject: Subject, caller: Caller, sums: Totals, now: datetime) -> Iterator[str]:
    if Scope.BILLING_READ in caller.scopes:
        since = reading.history_of(caller, now)
        week = spent(subject, spans(now, zone(caller.timezone), since).rolling)
        yield f"{numbers.short_money(week)} in the last 7 days"
    if sums.unpriced:
        yield _unpriced(subject, sums.period, sums.unpriced)


def _unpriced(subject: Subject, period: Period, count: int) -> str:
    requests = "request" if count == 1 else "requests"
    names = [cause.values[0] or "no model" for cause in unpriced_models(subject, period)]
    shown = list(dict.fromkeys(names))
    more = f" and {len(shown) - NAMED} more" if len(shown) > NAMED else ""
    return f"{numbers.short(count)} unpriced {requests}: {', '.join(shown[:NAMED])}{more}"
