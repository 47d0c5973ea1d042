"""What the pages of alerts show of channels: where the organization is told, and how each fares."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from alerts.channels import queries
from alerts.channels.queries import ChannelQuery
from alerts.channels.services import AWAITING, MOST_CHANNELS
from alerts.deliveries.queries import DeliveryQuery, deliveries
from alerts.models import Channel, Disabled, Kind
from alerts.senders.chat import SERVICES
from core.periods import zone
from organizations.roles import Scope
from organizations.tenancy import Caller
from portal import times
from portal.measures import NONE
from portal.reading.deliveries import Sent, sent
from portal.tables import PAGE_SIZE, Column, Pages, Sorting, ordered, sortable, turned

LATEST: Final = 10
SORTS: Final = ("created", "name", "kind", "state", "delivered")
SIGNING_SORTS: Final = ("created", "name", "state", "previous")
RISING: Final = ("name", "kind", "state", "previous")
_SAID: Final = {
    "created": ("oldest first", "newest first"),
    "name": ("by name", "by name, descending"),
    "kind": ("by kind", "by kind, descending"),
    "state": ("by state, enabled first", "by state, disabled first"),
    "delivered": ("by last delivery, earliest first", "by last delivery, latest first"),
    "previous": (
        "by end of the previous secret, earliest first",
        "by end of the previous secret, latest first",
    ),
}
"""How an order is called, rising and falling."""
EXAMPLES: Final = {
    Kind.EMAIL.value: "operations@example.com",
    Kind.WEBHOOK.value: "https://hooks.example.com/headroom",
    **{str(kind): service.example for kind, service in SERVICES.items()},
}
"""What an address of each kind looks like."""

_BECAUSE: Final = {
    Disabled.BY_HAND.value: "Disabled by a member",
    Disabled.GONE.value: "The receiver answered 410",
    Disabled.FAILING.value: "Deliveries failed for days",
    Disabled.UNCONFIRMED.value: "Waiting for the address to be confirmed",
    Disabled.UNSUBSCRIBED.value: "The recipient unsubscribed",
}
"""Why nothing is sent to a channel."""

To = Callable[..., str]


@dataclass(frozen=True, slots=True)
class Place:
    """A channel; the addresses of what can be done with it are empty for what may not be."""

    name: str
    kind: str
    where: str
    is_enabled: bool
    state: str
    tone: str
    because: str
    delivered: str
    failing: str
    made: str
    old_secret_until: str
    url: str
    test: str
    switch: str
    confirm: str
    rotate: str
    remove: str


@dataclass(frozen=True, slots=True)
class Channels:
    """A page of channels; ``columns`` are its headings but that of actions, ``said`` is its order."""

    columns: list[Column]
    places: list[Place]
    pages: Pages | None
    said: str


@dataclass(frozen=True, slots=True)
class One:
    """A channel in full, with its last deliveries; None for those who may not see them."""

    place: Place
    latest: list[Sent] | None


def read(caller: Caller, sort: Sorting, now: datetime, to: To, here: To) -> Channels:
    """Return a page of channels.

    Tenancy: call in the tenant's scope.
    """

    def page(offset: int) -> tuple[list[Channel], int]:
        query = ChannelQuery(now, sort=sort.by, descending=sort.descending, limit=PAGE_SIZE, offset=offset)
        return queries.channels(caller.organization_id, query)

    found = turned(page, sort.page, ordered(sort, here))
    return Channels(
        columns=[
            _column("Channel", "name", sort, here),
            _column("Kind", "kind", sort, here),
            Column("Address"),
            _column("State", "state", sort, here),
            _column("Last delivered", "delivered", sort, here),
            _column("Created", "created", sort, here),
        ],
        places=[place(one, caller, now, to) for one in found.rows],
        pages=found.pages,
        said=_SAID[sort.by][sort.descending],
    )


def signing(caller: Caller, sort: Sorting, now: datetime, to: To, here: To) -> Channels:
    """Return the channels whose messages are signed: there are no more than fit on a page.

    Tenancy: call in the tenant's scope.
    """
    query = ChannelQuery(now, signing=True, sort=sort.by, descending=sort.descending, limit=MOST_CHANNELS)
    found, _ = queries.channels(caller.organization_id, query)
    return Channels(
        columns=[
            _column("Webhook", "name", sort, here),
            _column("Status", "state", sort, here),
            _column("Previous secret", "previous", sort, here),
            _column("Created", "created", sort, here),
        ],
        places=[place(one, caller, now, to) for one in found],
        pages=None,
        said=_SAID[sort.by][sort.descending],
    )


def read_one(caller: Caller, channel: Channel, now: datetime, to: To) -> One:
    """Return a channel with its last deliveries.

    Tenancy: call in the tenant's scope.
    """
    latest = None
    if Scope.ALERTS_WRITE in caller.scopes:
        query = DeliveryQuery(take=LATEST, channel_id=channel.pk)
        latest = [sent(one, caller, to) for one in deliveries(caller.organization_id, query)]
    return One(place(channel, caller, now, to), latest)


def place(channel: Channel, caller: Caller, now: datetime, to: To) -> Place:
    """Return a channel as pages show it."""
    key = str(channel.pk)
    may = Scope.ALERTS_WRITE in caller.scopes
    is_waiting = channel.disabled_because in AWAITING
    until = channel.old_secret_until
    state, tone = _state(channel)
    return Place(
        name=channel.name,
        kind=str(Kind(channel.kind).label),
        where=channel.shown,
        is_enabled=channel.enabled,
        state=state,
        tone=tone,
        because=_BECAUSE.get(channel.disabled_because, ""),
        delivered=_at(channel.delivered_at, caller) or NONE,
        failing=_at(channel.failing_since, caller),
        made=_at(channel.created_at, caller),
        old_secret_until=_at(until, caller) if until is not None and now < until else "",
        url=to("channel", key),
        test=to("channel-test", key) if may and not is_waiting else "",
        switch=to("channel-switch", key) if may and not is_waiting else "",
        confirm=to("channel-confirm", key) if may and is_waiting else "",
        rotate=to("channel-rotate", key) if may and channel.secret is not None else "",
        remove=to("channel-remove", key) if may else "",
    )


def _column(label: str, name: str, sort: Sorting, here: To) -> Column:
    return sortable(label, name, sort, here, rising=name in RISING, is_number=False)


def _state(channel: Channel) -> tuple[str, str]:
    if channel.disabled_because in AWAITING:
        return ("Unconfirmed" if channel.disabled_because == Disabled.UNCONFIRMED else "Unsubscribed"), "warn"
    if not channel.enabled:
        return "Disabled", "bad"
    return ("Failing", "warn") if channel.failing_since is not None else ("Enabled", "good")


def _at(moment: datetime | None, caller: Caller) -> str:
    return "" if moment is None else times.minute(moment, zone(caller.timezone))
