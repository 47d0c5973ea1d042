"""The use of API keys over a timeframe: what adds up, series, endpoints, errors, limits, and advice."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from core.moments import format_moment
from core.paging import OFFSET_PARAMS, OffsetPage, read_offset_page
from core.params import Params
from core.periods import Granularity, Period
from core.problems import bad_request
from organizations.models import Credential
from organizations.tenancy import Caller
from usage import reading
from usage.advice import Figures, KeyFacts, advise
from usage.answers import keys as write
from usage.key_rules import key_rules
from usage.queries import keys as use
from usage.queries.buckets import Buckets
from usage.queries.questions import MAX_CELLS
from usage.queries.rollups import Group
from usage.queries.totals import Subject

TIMEFRAMES: Final = (*use.TIMEFRAMES, use.ALL_TIME)
GRANULARITIES: Final = ("minute", "hour", "day", "week", "month")
SORTS: Final = ("requests", "errors", "latency", "timestamp")
INCLUDES: Final = ("includeEndpoints", "includeErrors", "includeLatency")
PARAMS: Final = (
    "keyId", "timeframe", "granularity", *INCLUDES, "includePeak",
    "sortBy", "order", "timezone", *OFFSET_PARAMS,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Asked:
    """The parameters, read."""

    subject: Subject
    period: Period
    since: datetime
    timeframe: str
    buckets: Buckets
    endpoints: bool
    errors: bool
    latency: bool
    peak: bool
    sort: str
    descending: bool
    page: OffsetPage


def key_use(params: Params, caller: Caller, now: datetime) -> dict[str, Any]:
    """Return the use as it is answered.

    Raises: `Problem` 400 or 404 naming a parameter.
    Tenancy: call in the tenant's scope.
    """
    asked = _asked(params, caller, now)
    credentials = _credentials(asked.subject)
    by_key = use.by_key(asked.subject, asked.period, latency=asked.latency)
    peaks = use.peaks(asked.subject, asked.period) if asked.peak else None
    last_used = use.last_used(caller.organization_id, reading.history_of(caller, now))
    endpoints = use.by_endpoint(asked.subject, asked.period, latency=asked.latency)
    points, total_points = _points(asked, bool(by_key))
    ranked = _ranked(endpoints, asked)
    by_time = asked.sort == "timestamp"
    shown = ranked if by_time else ranked[asked.page.offset : asked.page.offset + asked.page.limit]
    errors = use.errors(asked.subject, asked.period) if asked.errors else None
    used = [credential for credential in credentials if not credential.revoked_at or credential.pk in by_key]
    rates = write.limits(caller, [c for c in credentials if not c.revoked_at], asked.period)
    return {
        "success": True,
        "usage": {
            **write.figures(write.sum_of(by_key.values()), latency=asked.latency),
            "currency": caller.currency,
            "keys": write.keys(used, by_key, last_used, peaks, latency=asked.latency),
        },
        "timeSeries": points,
        "endpoints": write.endpoints(shown, latency=asked.latency) if asked.endpoints else None,
        "errors": None if errors is None else write.errors(errors, endpoints),
        "rateLimits": rates,
        "alerts": _alerts(asked, credentials, by_key, last_used, rates, now),
        "pagination": asked.page.pagination(total_points if by_time else len(ranked)),
        "period": write.period(asked.period),
        "historyFrom": format_moment(reading.history_of(caller, now)),
        "timestamp": format_moment(now),
    }


def _asked(params: Params, caller: Caller, now: datetime) -> _Asked:
    timeframe = params.choice("timeframe", TIMEFRAMES, "24h")
    granularity = Granularity(params.choice("granularity", GRANULARITIES, "hour"))
    zone = params.zone("timezone", caller.timezone)
    since = reading.history_of(caller, now)
    if timeframe == use.ALL_TIME:
        since = max(since, use.first_use(caller.organization_id) or now)
    period = use.timeframe_period(timeframe, granularity, zone, now, since)
    return _Asked(
        subject=reading.subject_of(params, caller, "keyId"),
        period=period,
        since=since,
        timeframe=timeframe,
        buckets=Buckets.over(period, granularity, zone),
        endpoints=params.boolean("includeEndpoints", True),
        errors=params.boolean("includeErrors", True),
        latency=params.boolean("includeLatency", True),
        peak=params.boolean("includePeak", False),
        sort=params.choice("sortBy", SORTS, "requests"),
        descending=params.choice("order", ("asc", "desc"), "desc") == "desc",
        page=read_offset_page(params),
    )


def _credentials(subject: Subject) -> list[Credential]:
    found = Credential.objects.order_by("name", "pk")
    return list(found if subject.credential_id is None else found.filter(pk=subject.credential_id))


def _alerts(
    asked: _Asked,
    credentials: Sequence[Credential],
    by_key: Mapping[int, Group],
    last_used: Mapping[int, datetime],
    rates: Sequence[Mapping[str, Any]],
    now: datetime,
) -> list[dict[str, Any]]:
    before = _before(asked)
    limits = {rate["keyId"]: rate for rate in rates}
    facts = (
        KeyFacts(
            client_id=credential.client_id,
            name=credential.name,
            created_at=credential.created_at,
            last_used_at=last_used.get(credential.pk),
            now=_figures(by_key.get(credential.pk)),
            before=None if before is None else _figures(before.get(credential.pk)),
            limit_per_minute=limits[credential.client_id]["limit"],
            peak_per_minute=limits[credential.client_id]["peakPerMinute"],
        )
        for credential in credentials
        if not credential.revoked_at
    )
    in_use = [credential.client_id for credential in credentials if not credential.revoked_at]
    rules = key_rules(asked.subject.organization_id, in_use)
    worked_out = [write.advice(advice) for key in facts for advice in advise(key, now, rules.terms)]
    return [*worked_out, *map(write.advice, rules.standing)]


def _before(asked: _Asked) -> dict[int, Group] | None:
    """Return the use of each key in the equally long window before, or None where history has none."""
    length = use.TIMEFRAMES.get(asked.timeframe)
    if length is None or asked.period.start - length < asked.since:
        return None
    return use.by_key(asked.subject, Period(asked.period.start - length, asked.period.start), latency=False)


def _points(asked: _Asked, used: bool) -> tuple[list[dict[str, Any]], int]:
    """Return the time series, or a page of it, and how many points it has; a key without use has none."""
    if not used:
        return [], 0
    count, paged = asked.buckets.count, asked.sort == "timestamp"
    if count > MAX_CELLS and not paged:
        raise bad_request(
            f"The series would have {count:,} points, more than {MAX_CELLS:,}: choose a coarser granularity, "
            "or sort by timestamp to get it in pages.",
            code="too_many_rows",
        )
    found = use.series(asked.subject, asked.period, asked.buckets)
    places: Sequence[int] = range(count)
    if paged:
        ordered = places[::-1] if asked.descending else places
        places = ordered[asked.page.offset : asked.page.offset + asked.page.limit]
    return [write.point(asked.buckets.start(place), found.get(place)) for place in places], count


def _ranked(endpoints: list[Group], asked: _Asked) -> list[Group]:
    measure = {"errors": "errors", "latency": "latency"}.get(asked.sort, "requests")
    descending = asked.descending or asked.sort == "timestamp"
    if measure != "latency":
        return sorted(endpoints, key=lambda group: group.sums[measure], reverse=descending)
    timed = [group for group in endpoints if group.sums["latency_records"]]
    rest = [group for group in endpoints if not group.sums["latency_records"]]
    return (
        sorted(timed, key=lambda g: g.sums["latency_us"] / g.sums["latency_records"], reverse=descending)
        + rest
    )


def _figures(group: Group | None) -> Figures:
    if group is None:
        return Figures()
    sums = group.sums
    return Figures(sums["requests"], sums["errors"], sums["latency_records"], sums["latency_us"])
