"""What another limit would have done to the spending of past weeks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from django.http import QueryDict
from django.urls import reverse

from billing.models import Enforcement, Window
from billing.queries.replays import Trial, try_limit, up_to_now
from billing.replay import Limit, Pause, Replay
from billing.windows import quarter_of
from core.moments import format_moment
from core.periods import Granularity, Period, buckets, local_date, zone
from organizations.models import Credential
from organizations.tenancy import Caller
from portal import charts, numbers, times, windows
from portal.figures import Card
from portal.plots import Plot
from portal.tables import Cell, Column, Table
from usage import reading

NEVER: Final = "never"
LISTED: Final = 25
"""How many pauses and warnings are listed; the API has them all."""
_SECONDS: Final = {"day": 86_400, "hour": 3_600, "minute": 60}

To = Callable[..., str]
Records = Callable[[Period], str]
"""Where the records of a window are listed."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """The limit to try, as the form has it.

    Units: ``limit_nanos`` nanos.
    """

    limit_nanos: int
    window: str
    enforcement: str
    warn_at: tuple[int, ...]
    weeks: int
    key: Credential | None


@dataclass(frozen=True, slots=True)
class TrialPage:
    """What it would have done."""

    said: str
    cards: list[Card]
    over_time: Plot
    pauses: Table
    warnings: Table
    api: str


def trial(caller: Caller, wanted: Wanted, now: datetime, to: To) -> TrialPage:
    """Try a limit.

    Tenancy: call in the tenant's scope.
    """
    tried = Limit(
        limit_nanos=wanted.limit_nanos,
        rolling=wanted.window == Window.ROLLING,
        pauses=wanted.enforcement == Enforcement.PAUSE,
        warn_at=wanted.warn_at,
    )
    period = _period(caller, wanted, now)
    found = try_limit(caller.organization_id, wanted.key.pk if wanted.key else None, period, tried)
    replay, tz = found.replay, zone(caller.timezone)
    mine = {"clientId": wanted.key.client_id} if wanted.key else {}

    def records(window: Period) -> str:
        return windows.bucket(to, window, tz, **mine)

    return TrialPage(
        said=times.days(period, tz),
        cards=_cards(replay, caller, records),
        over_time=_over_time(found, caller, now, records),
        pauses=_pauses(replay, caller, records),
        warnings=_warnings(replay, caller),
        api=_api(wanted, period),
    )


def _period(caller: Caller, wanted: Wanted, now: datetime) -> Period:
    whole = up_to_now(now, timedelta(weeks=wanted.weeks))
    start = quarter_of(max(whole.start, reading.history_of(caller, now)))
    return Period(min(start, whole.end), whole.end)


def _cards(found: Replay, caller: Caller, records: Records) -> list[Card]:
    said = "spending that the limit would have refused"
    pauses = "#pauses-title" if found.pauses else ""
    amounts = {
        "spent": ("Spent", found.spent_nanos, "total spending in these weeks", records(found.period)),
        "stopped": ("Refused spending", found.stopped_nanos, said, pauses),
    }
    cards = [
        Card(
            name=name,
            label=label,
            short=numbers.short_money(nanos),
            exact=numbers.exact_money(nanos),
            unit=caller.currency,
            meaning=meaning,
            url=url,
        )
        for name, (label, nanos, meaning, url) in amounts.items()
    ]
    seconds, count = found.paused_seconds, str(len(found.pauses))
    length = "total length of all pauses"
    return [
        *cards,
        Card("paused", "Paused for", briefly(seconds), str(seconds), meaning=length, url=pauses),
        Card("pauses", "Pauses", count, count, url=pauses),
    ]


def lasting(seconds: int) -> str:
    """Write a length of time by its two largest units: ``3 days 4 hours``."""
    parts = []
    for name, size in _SECONDS.items():
        count, seconds = divmod(seconds, size)
        if count:
            parts.append(f"{count} {name}{'' if count == 1 else 's'}")
    return " ".join(parts[:2]) or NEVER


def briefly(seconds: int) -> str:
    """Write a length of time in little room: ``3 d 14 h``."""
    found = lasting(seconds)
    return found if not seconds else " ".join(word if word.isdigit() else word[0] for word in found.split())


def _over_time(found: Trial, caller: Caller, now: datetime, records: Records) -> Plot:
    tz, period = zone(caller.timezone), found.replay.period
    days = buckets(period, Granularity.DAY, tz)
    through, stopped = _by_day(found, caller)
    points, rows = [], []
    for day in days:
        local = local_date(day.start, tz)
        name, amounts = f"{local:%a} {times.day(local)}", (through[local], stopped[local])
        exact = [numbers.exact_money(nanos) for nanos in amounts]
        url = records(day)
        points.append(
            charts.Bucket(
                start=times.wall(day.start, tz),
                end=times.wall(day.end, tz),
                label=name,
                exact=tuple(f"{text} {caller.currency}" for text in exact),
                partial=now < day.end,
                url=url,
            )
        )
        rows.append(
            [
                Cell(name, value=local.isoformat(), url=url),
                *(Cell(text, value=text.replace(",", ""), is_number=True) for text in exact),
            ]
        )
    names = ("Allowed", "Refused")
    lines = [
        charts.Series(name, tuple(amounts[local_date(day.start, tz)] / 10**9 for day in days))
        for name, amounts in zip(names, (through, stopped), strict=True)
    ]
    title = f"Cost per day in {caller.currency}"
    columns = [Column("Day"), *(Column(f"{name}, {caller.currency}", is_number=True) for name in names)]
    return Plot(
        id="trial",
        title=title,
        summary=_summary(found.replay),
        specification=charts.series(points, lines, shape="bars", granularity=Granularity.DAY),
        table=Table("trial-table", f"{title}, newest first", columns, rows[::-1], file="spend-limit-trial"),
        is_empty=not found.spent,
        size="tall",
    )


def _by_day(found: Trial, caller: Caller) -> tuple[dict[date, int], dict[date, int]]:
    """Return what each day would have been let through, and what not."""
    tz, end = zone(caller.timezone), found.replay.period.end
    through: defaultdict[date, int] = defaultdict(int)
    stopped: defaultdict[date, int] = defaultdict(int)
    for one in found.spent:
        within = any(
            pause.paused_at <= one.quarter < (pause.resumed_at or end) for pause in found.replay.pauses
        )
        (stopped if within else through)[local_date(one.quarter, tz)] += one.cost_nanos
    return through, stopped


def _summary(found: Replay) -> str:
    if not found.pauses:
        return "This limit would never have paused."
    count = len(found.pauses)
    return (
        f"This limit would have paused {'once' if count == 1 else f'{count} times'}, "
        f"for {lasting(found.paused_seconds)} in total."
    )


def _pauses(found: Replay, caller: Caller, records: Records) -> Table:
    tz = zone(caller.timezone)
    columns = [
        Column("Paused"),
        Column("Resumed"),
        Column("Duration", is_number=True),
        Column(f"Spent before, {caller.currency}", is_number=True),
        Column(f"Refused, {caller.currency}", is_number=True, meaning="spending during the pause"),
    ]
    end = found.period.end
    longest = sorted(found.pauses, key=lambda pause: pause.paused_at - (pause.resumed_at or end))[:LISTED]
    rows = [_pause(pause, end, tz, records) for pause in found.pauses if pause in longest]
    many = f", the longest {LISTED} of {len(found.pauses)}" if len(found.pauses) > LISTED else ""
    caption = f"Oldest first{many}"
    return Table("pauses", caption, columns, rows, "No pauses.", file="spend-limit-pauses", stacks=True)


def _pause(pause: Pause, end: datetime, tz: ZoneInfo, records: Records) -> list[Cell]:
    window = Period(pause.paused_at, pause.resumed_at or end)
    seconds = int((window.end - window.start).total_seconds())
    return [
        Cell(times.minute(pause.paused_at, tz), value=format_moment(pause.paused_at)),
        Cell("Still paused at the end")
        if pause.resumed_at is None
        else Cell(times.minute(pause.resumed_at, tz), value=format_moment(pause.resumed_at)),
        Cell(lasting(seconds) if seconds else "none", value=str(seconds), is_number=True),
        _amount(pause.spent_nanos),
        _amount(pause.stopped_nanos, records(window)),
    ]


def _amount(nanos: int, url: str = "") -> Cell:
    exact = numbers.exact_money(nanos)
    return Cell(
        numbers.short_money(nanos), exact=exact, value=exact.replace(",", ""), url=url, is_number=True
    )


def _warnings(found: Replay, caller: Caller) -> Table:
    tz = zone(caller.timezone)
    rows = [
        [
            Cell(times.minute(moment, tz), value=format_moment(moment)),
            Cell(f"{share}% reached", value=str(share), tone="warn"),
        ]
        for share, moment in found.warned[-LISTED:]
    ]
    many = f", the last {LISTED} of {len(found.warned)}" if len(found.warned) > LISTED else ""
    return Table(
        "warnings",
        f"Oldest first{many}",
        [Column("Time"), Column("Event")],
        rows,
        "No warnings.",
        file="spend-limit-warnings",
    )


def _api(wanted: Wanted, period: Period) -> str:
    query = QueryDict(mutable=True)
    given = {
        "limit": numbers.exact_money(wanted.limit_nanos).replace(",", ""),
        "window": wanted.window,
        "enforcement": wanted.enforcement,
        "warnAt": ",".join(map(str, wanted.warn_at)),
        "clientId": wanted.key.client_id if wanted.key else "",
        "from": format_moment(period.start),
        "to": format_moment(period.end),
    }
    query.update({name: value for name, value in given.items() if value})
    return f"{reverse('spend-limit-replay')}?{query.urlencode()}"
