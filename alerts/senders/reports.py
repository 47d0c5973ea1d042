"""A report in words, for mails and chats. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from alerts.senders.amounts import change, count, money, percent, signed
from core.periods import zone

TYPES: Final = {"report.weekly": "week", "report.monthly": "month"}
"""The types of the messages that are reports, and what they are of."""
_CARDS: Final = {
    "requests": "Requests",
    "cost": "Cost",
    "tokens": "Tokens",
    "errors": "Errors",
    "errorRate": "Error rate",
    "activeKeys": "Active keys",
}
_RISE_IS_BAD: Final = frozenset({"errors", "errorRate"})
_MOVERS: Final = {
    "keys": ("Keys", "name"),
    "models": ("Models", "model"),
    "capabilities": ("Capabilities", "capability"),
}


@dataclass(frozen=True, slots=True)
class Card:
    """One figure; ``tone`` says whether its change is good or bad, where that can be said."""

    label: str
    value: str
    change: str
    before: str
    tone: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """One that moved: its name, its figure now, and by how much that is more or less."""

    name: str
    value: str
    difference: str
    change: str
    is_up: bool


@dataclass(frozen=True, slots=True)
class Group:
    """Those that moved the most, of one kind."""

    label: str
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Told:
    """What a report says. ``notes`` are pairs of a heading and a sentence."""

    organization: str
    name: str
    title: str
    days: str
    against: str
    span: str
    cards: tuple[Card, ...]
    by: str
    movers: tuple[Group, ...]
    notes: tuple[tuple[str, str], ...]
    message: str
    chart: str
    is_test: bool


def told(payload: Mapping[str, Any]) -> Told:
    """Return what a report says."""
    data, span = payload["data"], TYPES[payload["type"]]
    currency = data["currency"]
    cards = tuple(_card(name, label, data["figures"][name], currency) for name, label in _CARDS.items())
    days = _days(data["period"], data)
    return Told(
        organization=data["organization"]["name"],
        name=data["name"],
        title=f"{'Weekly' if span == 'week' else 'Monthly'} report, {days}",
        days=days,
        against="" if data["comparedWith"] is None else _days(data["comparedWith"], data),
        span=span,
        cards=cards,
        by="cost" if data["movers"]["by"] == "cost" else "requests",
        movers=tuple(_groups(data["movers"], currency)),
        notes=tuple(_notes(data, span)),
        message=_message(cards, data, days),
        chart=_chart(data, span, days),
        is_test=data["isTest"],
    )


def facts(said: Told) -> Iterator[tuple[str, str]]:
    """Yield the figures, the movers and the notes as pairs of a name and a text."""
    for card in said.cards:
        yield card.label, f"{card.value} ({card.change})" if card.change else card.value
    for group in said.movers:
        yield (
            f"{group.label}, by {said.by}",
            "; ".join(f"{row.name} {row.value} ({row.difference})" for row in group.rows),
        )
    yield from said.notes


def _card(name: str, label: str, figure: Mapping[str, Any], currency: str) -> Card:
    moved = figure["change"]
    tone = ""
    if name in _RISE_IS_BAD and moved:
        tone = "bad" if moved > 0 else "good"
    before = "" if figure["before"] is None else _value(name, figure["before"], currency)
    is_new = moved is None and figure["before"] is not None and _number(figure["value"]) > 0
    return Card(
        label, _value(name, figure["value"], currency), "new" if is_new else change(moved), before, tone
    )


def _value(name: str, value: Any, currency: str) -> str:
    if name == "cost":
        return money(value, currency)
    return percent(value) if name == "errorRate" else count(value)


def _groups(moved: Mapping[str, Any], currency: str) -> Iterator[Group]:
    for kind, (label, naming) in _MOVERS.items():
        ways = moved[kind]
        rows = [_row(naming, one, moved["by"], currency) for one in (*ways["up"], *ways["down"])]
        if rows:
            yield Group(label, tuple(rows))


def _row(naming: str, one: Mapping[str, Any], by: str, currency: str) -> Row:
    is_up = _number(one["difference"]) > 0
    moved = change(one["change"])
    if not is_up and not _number(one["value"]):
        moved = "gone"
    return Row(
        name=one[naming] or f"no {naming}",
        value=_value(by, one["value"], currency),
        difference=signed(_value(by, one["difference"], currency), is_up=is_up),
        change=moved or "new",
        is_up=is_up,
    )


def _notes(data: Mapping[str, Any], span: str) -> Iterator[tuple[str, str]]:
    for one in data["forecast"]:
        estimate = one["period"]
        if estimate["expected"] is not None:
            label = "Cost" if one["metric"] == "cost" else "Requests"
            yield f"{label} to expect, {_days(estimate, data)}", _estimate(one, data["currency"])
    if data["spendLimit"] is not None:
        yield "Spend limit", _limit(data["spendLimit"], data)
    if data["unpriced"]["records"]:
        yield "Without a price", _unpriced(data["unpriced"])
    if data["comparedWith"] is None:
        yield "Comparison", f"There is none: the {span} before lies ahead of the plan's history."


def _estimate(one: Mapping[str, Any], currency: str) -> str:
    estimate = one["period"]
    expected, low, high = (
        _value(one["metric"], estimate[name], currency) for name in ("expected", "low", "high")
    )
    if low == high:
        return expected
    return f"{expected}; four times in five between {low.removesuffix(f' {currency}')} and {high}"


def _limit(limit: Mapping[str, Any], data: Mapping[str, Any]) -> str:
    spent, most = Decimal(limit["spent"]), Decimal(limit["limit"])
    share = f" ({percent((spent / most).quantize(Decimal('0.001')))})" if most else ""
    text = f"{money(spent, '').strip()} of {money(most, limit['currency'])} spent{share}"
    pauses = limit["forecast"]["pausesAt"]
    if limit["state"] == "paused":
        return f"{text}. It is reached: calls are refused."
    return f"{text}. At this pace it is reached on {_moment(pauses, data)}." if pauses else f"{text}."


def _unpriced(found: Mapping[str, Any]) -> str:
    models = ", ".join(one["model"] or "no model" for one in found["models"])
    many = found["records"]
    text = f"{count(many)} record{'' if many == 1 else 's'} without a cost, which no sum has in it"
    return f"{text}: {models}." if models else f"{text}."


def _message(cards: Sequence[Card], data: Mapping[str, Any], days: str) -> str:
    requests, cost = (card for card in cards if card.label in ("Requests", "Cost"))
    noun = "request" if data["figures"]["requests"]["value"] == 1 else "requests"
    said = f"{requests.value} {noun}{_aside(requests)} for {cost.value}{_aside(cost)}"
    return f"{data['organization']['name']}, {days}: {said}."


def _aside(card: Card) -> str:
    return f" ({card.change})" if card.change else ""


def _chart(data: Mapping[str, Any], span: str, days: str) -> str:
    """Return what the chart shows, for those who don't see it."""
    by, currency = data["movers"]["by"], data["currency"]
    label = "Cost" if by == "cost" else "Requests"
    most = max(data["daily"], key=lambda one: _number(one[by]), default=None)
    if most is None or not _number(most[by]):
        return f"{label} by day, {days}: nothing."
    day = _day(date.fromisoformat(most["date"]))
    beside = f", beside the {span} before" if data["dailyBefore"] else ""
    return f"{label} by day, {days}{beside}: at most {_value(by, most[by], currency)}, on {day}."


def _days(period: Mapping[str, str], data: Mapping[str, Any]) -> str:
    """Write the local days of a period, both ends in it: ``9–15 Nov 2026``."""
    local = zone(data["organization"]["timezone"])
    first = datetime.fromisoformat(period["from"]).astimezone(local).date()
    end = datetime.fromisoformat(period["to"]).astimezone(local)
    last = (end - timedelta(microseconds=1)).date()
    if first >= last:
        return _day(last)
    if (first.year, first.month) == (last.year, last.month):
        return f"{first.day}–{_day(last)}"
    return (
        f"{first.day} {first:%b} – {_day(last)}"
        if first.year == last.year
        else f"{_day(first)} – {_day(last)}"
    )


def _day(day: date) -> str:
    return f"{day.day} {day:%b %Y}"


def _moment(moment: str, data: Mapping[str, Any]) -> str:
    local = datetime.fromisoformat(moment).astimezone(zone(data["organization"]["timezone"]))
    return f"{_day(local.date())}, {local:%H:%M}"


def _number(value: Any) -> Decimal:
    return Decimal(str(value or 0))
