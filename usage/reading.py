"""What the parameters of a usage question mean: the window, the zone, whose usage."""

from datetime import datetime, timedelta
from typing import Final

from core.params import Params
from core.periods import Period, billing_period, day_bounds, local_date
from core.problems import FieldError, bad_request, not_found
from organizations.models import Credential
from organizations.tenancy import Caller
from usage.history import MAX_HISTORY_DAYS, history_start
from usage.queries.totals import Subject

RECENT_DAYS: Final = 30
STATUS_CODES: Final = range(100, 600)
LONGEST: Final = timedelta(days=MAX_HISTORY_DAYS + 366)
"""How far past the beginning of history a window reaches: to the buckets of a millennium there is no end."""
LATEST: Final = timedelta(days=1)
"""How far past now a window without an end reaches, so that records dated a little ahead are in it."""


def history_of(caller: Caller, now: datetime) -> datetime:
    """Return where the caller's history begins."""
    return history_start(caller.plan.history_days, caller.timezone, now)


def window_of(params: Params, default: Period, since: datetime) -> Period:
    """Return the window ``[from, to)`` that is asked for, cut off where the history begins and by its length.

    Raises: `Problem` 400 when it ends before it starts.
    """
    start = params.moment("from", default.start) or default.start
    end = params.moment("to", default.end) or default.end
    if end <= start:
        where = "to" if "to" in params else "from"
        detail = "The window [from, to) must end after it starts."
        fault = FieldError(f"/{where}", "invalid_window", detail)
        raise bad_request(detail, code="invalid_parameter", errors=[fault])
    return Period(*(min(max(moment, since), since + LONGEST) for moment in (start, end)))


def all_history(since: datetime, now: datetime) -> Period:
    """Return everything that can be seen."""
    return Period(since, now + LATEST)


def this_billing_period(params: Params, caller: Caller, now: datetime) -> Period:
    """Return the current billing period, by the month of the zone asked for."""
    return billing_period(now, params.zone("timezone", caller.timezone))


def recent(params: Params, caller: Caller, now: datetime) -> Period:
    """Return the window asked for, by default the last days up to today, cut off where the history begins."""
    tz = params.zone("timezone", caller.timezone)
    today = local_date(now, tz)
    default = Period(day_bounds(today - timedelta(days=RECENT_DAYS - 1), tz).start, day_bounds(today, tz).end)
    return window_of(params, default, history_of(caller, now))


def credential_of(params: Params, name: str = "clientId") -> int | None:
    """Return the credential that a parameter names, if it is given.

    Raises: `Problem` 404 for one that isn't the organization's.
    Tenancy: call in the tenant's scope.
    """
    client_id = params.text(name)
    if client_id is None:
        return None
    found = Credential.objects.filter(client_id=client_id).values_list("id", flat=True).first()
    if found is None:
        raise not_found(f"There is no credential {client_id[:40]!r} in this organization.")
    return found


def status_code_of(params: Params) -> str | None:
    """Return the status code that is asked for, as text, if one is.

    Raises: `Problem` 400.
    """
    if "statusCode" not in params:
        return None
    least, most = STATUS_CODES[0], STATUS_CODES[-1]
    return str(params.integer("statusCode", least, minimum=least, maximum=most))


def subject_of(params: Params, caller: Caller, name: str = "clientId") -> Subject:
    """Return whose usage is asked for."""
    return Subject(caller.organization_id, caller.rollup_timezone, credential_of(params, name))
