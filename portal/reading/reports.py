"""What the Exports page shows of scheduled reports: which there are, who gets them, and one's own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from alerts.models import Cadence, Channel, MutedMember, Report, ReportRecipient
from alerts.reports import queries
from alerts.reports.answers import coming
from alerts.reports.services import MOST_REPORTS, PAGERS
from core.periods import zone
from organizations import queries as organizations
from organizations.roles import Scope
from organizations.tenancy import Caller
from portal import times

To = Callable[..., str]
_WHEN: Final = {Cadence.WEEKLY: "Mondays", Cadence.MONTHLY: "First of the month"}


@dataclass(frozen=True, slots=True)
class Recipient:
    """Who gets a report; ``note`` says why they don't, if so."""

    name: str
    note: str


@dataclass(frozen=True, slots=True)
class Row:
    """One report, and what may be done with it; addresses are empty where nothing may.

    ``own`` says how oneself stands to it: ``told``, ``stopped``, or nothing for who is no recipient.
    """

    name: str
    when: str
    next: str
    next_days: str
    recipients: list[Recipient]
    own: str
    change: str
    send: str
    end: str
    subscription: str


@dataclass(frozen=True, slots=True)
class Reports:
    """The reports that a member sees: all of them, or without the right to change them their own.

    ``unmute`` is where who unsubscribed from mails of alerts takes that back; empty for everybody else.
    """

    rows: list[Row]
    new: str
    unmute: str


def read(caller: Caller, now: datetime, to: To) -> Reports:
    """Read the reports.

    Tenancy: call in the tenant's scope.
    """
    found, _ = queries.reports(caller.organization_id, limit=MOST_REPORTS)
    may_change = Scope.ALERTS_WRITE in caller.scopes
    rows = [_row(one, caller, now, to, may_change=may_change) for one in found]
    return Reports(
        rows=rows if may_change else [row for row in rows if row.own],
        new=to("report-new") if may_change else "",
        unmute=to("alert-mails") if _is_muted(caller) else "",
    )


def member_choices(caller: Caller) -> list[tuple[str, str]]:
    """Return the members, by their addresses."""
    found = organizations.members(caller.organization_id)
    return [(one.user.email, _named(one.user.name, one.user.email)) for one in found]


def channel_choices(caller: Caller) -> list[tuple[str, str]]:
    """Return the channels that a report can be sent to, by their names."""
    found = Channel.objects.filter(organization_id=caller.organization_id).exclude(kind__in=PAGERS)
    return [(str(one.pk), _channel(one)) for one in found.order_by("name", "pk")]


def chosen(found: Report) -> dict[str, object]:
    """Return what a report is now, as its form takes it."""
    recipients = list(found.recipients.all())
    return {
        "name": found.name,
        "cadence": found.cadence,
        "hour": found.hour,
        "enabled": found.enabled,
        "members": [one.membership.user.email for one in recipients if one.membership is not None],
        "channels": [str(one.channel_id) for one in recipients if one.channel_id is not None],
    }


def _is_muted(caller: Caller) -> bool:
    if caller.user_id is None:
        return False
    muted = MutedMember.objects.filter(organization_id=caller.organization_id)
    return muted.filter(membership__user_id=caller.user_id).exists()


def _row(found: Report, caller: Caller, now: datetime, to: To, *, may_change: bool) -> Row:
    tz = zone(caller.timezone)
    following = coming(found, caller.timezone, now)
    recipients = list(found.recipients.all())
    own = _own(recipients, caller)
    key = str(found.pk)
    return Row(
        name=found.name,
        when=f"{_WHEN[Cadence(found.cadence)]}, {found.hour:02d}:00",
        next="" if following is None else times.minute(following.at, tz),
        next_days="" if following is None else times.days(following.period, tz),
        recipients=[_recipient(one) for one in recipients] if may_change else [],
        own=own,
        change=to("report", key) if may_change else "",
        send=to("report-send", key) if may_change else "",
        end=to("report-end", key) if may_change else "",
        subscription=to("report-subscription", key) if own else "",
    )


def _own(recipients: list[ReportRecipient], caller: Caller) -> str:
    for one in recipients:
        if one.membership is not None and one.membership.user_id == caller.user_id:
            return "told" if one.unsubscribed_at is None else "stopped"
    return ""


def _recipient(one: ReportRecipient) -> Recipient:
    if one.membership is not None:
        name, is_off = one.membership.user.email, not one.membership.user.is_active
        note = "deactivated" if is_off else ""
    elif one.channel is not None:
        name = one.channel.name
        note = "" if one.channel.enabled else str(one.channel.get_disabled_because_display()).lower()
    if one.unsubscribed_at is not None:
        note = "unsubscribed"
    return Recipient(name, note)


def _channel(one: Channel) -> str:
    off = "" if one.enabled else ", disabled"
    return f"{one.name} ({one.get_kind_display()}{off})"


def _named(name: str, address: str) -> str:
    return f"{name}, {address}" if name else address
