"""What the Alerts pages show of events: those that hold first, and one in full."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

from alerts.deliveries.queries import DeliveryQuery, deliveries
from alerts.events import queries
from alerts.events.queries import EventQuery
from alerts.figures import figure
from alerts.models import Event, Rule
from alerts.rules.words import metric_name
from core.paging import Position
from core.periods import Period, local_date, zone
from organizations.models import Credential
from organizations.roles import Scope
from organizations.tenancy import Caller
from portal import times, windows
from portal.layout import Link
from portal.measures import NONE
from portal.plots import Plot
from portal.reading import courses
from portal.reading.deliveries import Sent, sent
from portal.reading.facts import Fact
from portal.recent import Notice, notice

PAGE: Final = 25
DELIVERIES: Final = 50

_KEYS: Final = ("credential", "clientId")
_FILTERS: Final = {
    **dict.fromkeys(_KEYS, "clientId"),
    **{name: name for name in ("model", "capability", "endpoint")},
}
"""What the logs call the part of the organization that an event is about."""
_JUST_BEFORE: Final = timedelta(microseconds=1)
_OF_ERRORS: Final = ("errors", "errorRate")

To = Callable[..., str]


@dataclass(frozen=True, slots=True)
class Events:
    """Events by what they are: ``holding`` still hold, ``over`` is a page of the others or of what was asked.

    ``after`` is where the next page begins; ``more_holding`` says that more hold than are shown.
    """

    holding: list[Notice]
    over: list[Notice]
    after: Position | None
    more_holding: bool


@dataclass(frozen=True, slots=True)
class Alert:
    """One event in full; ``deliveries`` is None for those who may not see them.

    ``links`` lead to what is behind its chart; ``no_chart`` says why there is none.
    """

    notice: Notice
    facts: list[Fact]
    recommendation: str
    chart: Plot | None
    no_chart: str
    links: list[Link]
    deliveries: list[Sent] | None


def read(caller: Caller, query: EventQuery, to: To) -> Events:
    """Return a page of events; those that hold come apart on the first page of all events.

    Tenancy: call in the tenant's scope.
    """
    organization = caller.organization_id
    parted = query.is_open is None
    holding: list[Event] = []
    if parted and query.after is None:
        holding = queries.events(organization, replace(query, is_open=True, take=PAGE + 1))
    asked = replace(query, is_open=False if parted else query.is_open, take=PAGE + 1)
    found = queries.events(organization, asked)
    shown = found[:PAGE]
    return Events(
        holding=[notice(event, caller, to) for event in holding[:PAGE]],
        over=[notice(event, caller, to) for event in shown],
        after=(shown[-1].fired_at, shown[-1].pk) if len(found) > PAGE else None,
        more_holding=len(holding) > PAGE,
    )


def read_one(caller: Caller, event: Event, now: datetime, to: To) -> Alert:
    """Return one event in full.

    Tenancy: call in the tenant's scope.
    """
    told = None
    if Scope.ALERTS_WRITE in caller.scopes:
        query = DeliveryQuery(take=DELIVERIES, event_id=event.pk)
        told = [sent(one, caller, to) for one in deliveries(caller.organization_id, query)]
    chart = courses.chart(event, caller, now)
    return Alert(
        notice=notice(event, caller, to),
        facts=_facts(event, caller, to),
        recommendation=event.recommendation,
        chart=chart,
        no_chart="" if chart else courses.why_not(event, caller, now),
        links=_links(event, caller, to),
        deliveries=told,
    )


def _facts(event: Event, caller: Caller, to: To) -> list[Fact]:
    tz = zone(caller.timezone)
    facts = [
        Fact("Metric", metric_name(event.metric)),
        _concerned(event, to),
        Fact("Value", _figure(event.value, event.unit), url=_records(event, tz, to)),
        *([Fact("Threshold", figure(event.threshold, event.unit))] if event.threshold is not None else []),
        *_rule(event, to),
    ]
    if event.period_start is not None and event.period_end is not None:
        first, last = times.minute(event.period_start, tz), times.minute(event.period_end, tz)
        facts.append(Fact("Window", f"{first} – {last}"))
    facts.append(Fact("Fired", times.second(event.fired_at, tz)))
    over = event.resolved_at
    facts.append(Fact("Resolved", NONE if over is None else times.second(over, tz)))
    return facts


def _records(event: Event, tz: ZoneInfo, to: To) -> str:
    """Return where the records are that an event was judged by; nothing where there is no window."""
    if event.period_start is None or event.period_end is None:
        return ""
    kind, value = event.scope.get("kind", ""), str(event.scope.get("value", ""))
    own = {_FILTERS[kind]: value} if kind in _FILTERS and value else {}
    if event.metric in _OF_ERRORS:
        own["status"] = "error"
    return windows.records(to, Period(event.period_start, event.period_end), tz, **own)


def _links(event: Event, caller: Caller, to: To) -> list[Link]:
    """Return the ways to what an event was judged by; none where there is no window."""
    tz = zone(caller.timezone)
    records = _records(event, tz, to)
    if not records or event.period_start is None or event.period_end is None:
        return []
    kind, value = event.scope.get("kind", ""), str(event.scope.get("value", ""))
    own = {_FILTERS[kind]: value} if kind in _FILTERS and kind != "endpoint" and value else {}
    first = local_date(event.period_start, tz).isoformat()
    last = local_date(event.period_end - _JUST_BEFORE, tz).isoformat()
    return [
        Link("Records", records),
        Link("Usage", to("usage", range="custom", from_=first, to=last, **own)),
    ]


def _figure(value: Decimal | None, unit: str) -> str:
    return NONE if value is None else figure(value, unit)


def _rule(event: Event, to: To) -> list[Fact]:
    """Name the rule that was met, with the way to it while there is one."""
    if event.rule_id is None:
        return []
    is_kept = Rule.objects.filter(organization_id=event.organization_id, pk=event.rule_id).exists()
    return [Fact("Rule", event.rule_name, url=to("rule", str(event.rule_id)) if is_kept else "")]


def _concerned(event: Event, to: To) -> Fact:
    """Say what an event is about, with the way to its use where there is one."""
    kind, value = event.scope.get("kind", "organization"), str(event.scope.get("value", ""))
    if kind == "organization" or not value:
        return Fact("Applies to", "The organization")
    if kind in _KEYS:
        name = Credential.objects.filter(client_id=value).values_list("name", flat=True).first()
        return Fact("Applies to", name or value, url=to("key", value), note=f"API key {value}")
    url = to("usage", **{_FILTERS[kind]: value}) if kind in ("model", "capability") else ""
    return Fact("Applies to", value, url=url, note=kind)
