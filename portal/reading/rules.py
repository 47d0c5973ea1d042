"""What the pages of alerts show of rules: what the organization wants to be told of, in words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from alerts.channels import queries as channels
from alerts.channels.services import MOST_CHANNELS
from alerts.deliveries.snapshots import amount
from alerts.events.queries import EventQuery, events
from alerts.figures import MILLISECONDS, PERCENT, is_currency
from alerts.models import Condition, Rule, ScopeKind, Severity, Span
from alerts.rules import queries, terms
from alerts.rules.words import metric_name
from core import clock
from core.money import NANOS
from core.periods import zone
from organizations.roles import Scope
from organizations.tenancy import Caller
from portal import numbers, times
from portal.reading.facts import Fact
from portal.recent import TONES, Notice, notice
from portal.tables import PAGE_SIZE, Column, Pages, Sorting, ordered, sortable, turned
from usage.queries.metrics import METRICS

LATEST: Final = 10
SORTS: Final = tuple(queries.RULE_SORTS)
RISING: Final = ("created", "name", "state")
_SAID: Final = {
    "created": ("in order of creation", "newest first"),
    "name": ("by name", "by name, descending"),
    "severity": ("by severity, lowest first", "by severity, highest first"),
    "state": ("by state, enabled first", "by state, disabled first"),
}
"""How an order is called, rising and falling."""
METRIC_NAMES: Final = tuple(dict.fromkeys((*METRICS, *terms.SHARES)))
_EACH: Final = {
    ScopeKind.CREDENTIAL: "each API key",
    ScopeKind.MODEL: "each model",
    ScopeKind.ENDPOINT: "each endpoint",
    ScopeKind.CAPABILITY: "each capability",
}
_CALENDAR: Final = {Span.DAY: "the day so far", Span.WEEK: "the week so far", Span.MONTH: "the month so far"}

_PHRASES: Final = {
    Condition.ABOVE: "{metric} at or above {threshold} {over}",
    Condition.BELOW: "{metric} below {threshold} {over}",
    Condition.SHARE: "{metric} at or above {threshold} of the limit",
    Condition.RISES: "{metric} up by {threshold} compared with the previous period, {over}",
    Condition.FALLS: "{metric} down by {threshold} compared with the previous period, {over}",
    Condition.NO_TRAFFIC: "no requests {over}",
    Condition.FORECAST: "{metric} forecast to reach {threshold} {over}",
    Condition.FORECAST_SHARE: "{metric} forecast to reach {threshold} of the limit",
    Condition.ANOMALY: "{metric} unusual compared with previous weeks",
    Condition.LIMIT: "a spend limit warns or pauses",
}

To = Callable[..., str]


@dataclass(frozen=True, slots=True)
class RuleRow:
    """A rule in words; the addresses of what can be done with it are empty for what may not be."""

    name: str
    says: str
    where: str
    severity: str
    tone: str
    is_enabled: bool
    is_built_in: bool
    made: str
    url: str
    switch: str
    remove: str


@dataclass(frozen=True, slots=True)
class Rules:
    """A page of rules; ``columns`` are its headings but that of actions, ``said`` is its order."""

    columns: list[Column]
    rows: list[RuleRow]
    pages: Pages | None
    said: str


@dataclass(frozen=True, slots=True)
class One:
    """A rule in full, with what it told last."""

    row: RuleRow
    facts: list[Fact]
    latest: list[Notice]


def read(caller: Caller, sort: Sorting, place: Mapping[str, str], to: To, here: To) -> Rules:
    """Return a page of rules; ``place`` is where a switch leads back to.

    Tenancy: call in the tenant's scope.
    """

    def page(offset: int) -> tuple[list[Rule], int]:
        query = queries.RuleQuery(sort.by, sort.descending, limit=PAGE_SIZE, offset=offset)
        return queries.rules(caller.organization_id, query)

    found = turned(page, sort.page, ordered(sort, here))
    return Rules(
        columns=[
            sortable("Rule", "name", sort, here, rising=True),
            Column("When"),
            sortable("Severity", "severity", sort, here, is_number=False),
            sortable("State", "state", sort, here, rising=True),
            sortable("Created", "created", sort, here, rising=True),
        ],
        rows=[row(rule, caller, to, **place) for rule in found.rows],
        pages=found.pages,
        said=_SAID[sort.by][sort.descending],
    )


def read_one(caller: Caller, rule: Rule, to: To) -> One:
    """Return a rule with the events that it caused last.

    Tenancy: call in the tenant's scope.
    """
    latest = events(caller.organization_id, EventQuery(take=LATEST, rule_id=rule.pk))
    return One(
        row=row(rule, caller, to),
        facts=_facts(rule, caller),
        latest=[notice(event, caller, to) for event in latest],
    )


def row(rule: Rule, caller: Caller, to: To, **place: str) -> RuleRow:
    """Return a rule in words; ``place`` is where its switch leads back to."""
    key = str(rule.pk)
    may = Scope.ALERTS_WRITE in caller.scopes
    return RuleRow(
        name=rule.name,
        says=says(rule, caller.currency),
        where=where(rule),
        severity=str(Severity(rule.severity).label),
        tone=TONES[rule.severity],
        is_enabled=rule.enabled,
        is_built_in=bool(rule.code),
        made=times.minute(rule.created_at, zone(caller.timezone)),
        url=to("rule", key),
        switch=to("rule-switch", key, **place) if may else "",
        remove=to("rule-remove", key) if may and not rule.code else "",
    )


def says(rule: Rule, currency: str) -> str:
    """Say what has to be so: ``Error rate at or above 5% or 20% over 1 hour``."""
    over = f"over {_span(rule)}" if rule.window else ""
    said = _PHRASES[Condition(rule.condition)]
    said = said.format(
        metric=metric_name(rule.metric), threshold=_thresholds(rule, currency), over=over
    ).rstrip()
    return said[:1].upper() + said[1:]


def where(rule: Rule) -> str:
    """Say what a rule looks at."""
    if rule.scope_kind == ScopeKind.ORGANIZATION:
        return "the organization"
    if rule.credential is not None:
        return f"the API key {rule.credential.name}"
    if rule.value is not None:
        return f"the {rule.scope_kind} {rule.value}"
    return _EACH[ScopeKind(rule.scope_kind)]


def initial(rule: Rule) -> dict[str, Any]:
    """Return a rule as its form has it; its channels are at hand."""
    return {
        "name": rule.name,
        "metric": rule.metric,
        "condition": rule.condition,
        "scope_kind": rule.scope_kind,
        "scope_value": rule.credential.client_id if rule.credential else rule.value or "",
        "window": rule.window,
        "thresholds": ", ".join(amount(one) or "" for one in rule.thresholds),
        "severity": rule.severity,
        "least_requests": rule.least_requests,
        "hysteresis": amount(rule.hysteresis),
        "quiet_minutes": rule.quiet_minutes,
        "channels": [str(one.channel_id) for one in rule.chosen.all()],
    }


def channel_choices(caller: Caller) -> list[tuple[str, str]]:
    """Return the channels that can be told.

    Tenancy: call in the tenant's scope.
    """
    query = channels.ChannelQuery(clock.now(), limit=MOST_CHANNELS)
    found, _ = channels.channels(caller.organization_id, query)
    return [(str(one.pk), f"{one.name} ({one.shown})") for one in found]


def _thresholds(rule: Rule, currency: str) -> str:
    unit = terms.unit_of(rule.condition, rule.metric, currency)
    if unit not in (PERCENT, currency, MILLISECONDS):
        # What is counted is said by the metric's own name.
        unit = ""
    written = [_with_unit(one, unit) for one in rule.thresholds]
    return " or ".join(filter(None, (", ".join(written[:-1]), *written[-1:])))


def _with_unit(value: Decimal, unit: str) -> str:
    if is_currency(unit):
        return f"{numbers.exact_money(int(value * NANOS))} {unit}"
    # What was set is shown as it was set.
    number = numbers.exact(value.normalize())
    return f"{number}%" if unit == PERCENT else f"{number} {unit}".rstrip()


def _span(rule: Rule) -> str:
    span = Span(rule.window)
    return _CALENDAR.get(span) or str(span.label)


def _facts(rule: Rule, caller: Caller) -> list[Fact]:
    tz = zone(caller.timezone)
    requests = [Fact("Minimum requests", numbers.exact(rule.least_requests))] if rule.window else []
    return [
        Fact("Condition", says(rule, caller.currency)),
        Fact("Applies to", where(rule)),
        Fact("Severity", str(Severity(rule.severity).label)),
        *requests,
        Fact("Recovery margin", f"{amount(rule.hysteresis) or 0}%"),
        Fact("Cooldown", f"{numbers.exact(rule.quiet_minutes)} minutes"),
        Fact("Last changed", times.minute(rule.updated_at, tz), note=f"revision {rule.revision}"),
    ]
