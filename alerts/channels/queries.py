"""Reading channels; each read takes the organization first."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db.models import Case, Expression, F, Value, When
from django.db.models.functions import Lower

from alerts.models import Channel, Disabled, Kind
from core.problems import not_found

_BY_LABEL: Final = sorted(Kind, key=lambda kind: str(kind.label).lower())
CHANNEL_SORTS: Final[dict[str, F | Expression]] = {
    "created": F("created_at"),
    "name": Lower("name"),
    "kind": Case(*(When(kind=one, then=Value(rank)) for rank, one in enumerate(_BY_LABEL))),
    # From what is told of everything to what is told of nothing.
    "state": Case(
        When(enabled=True, failing_since=None, then=Value(0)),
        When(enabled=True, then=Value(1)),
        When(disabled_because=Disabled.UNCONFIRMED, then=Value(2)),
        When(disabled_because=Disabled.UNSUBSCRIBED, then=Value(3)),
        default=Value(4),
    ),
    "delivered": F("delivered_at"),
    "previous": F("previous_until"),
}


@dataclass(frozen=True, slots=True)
class ChannelQuery:
    """A page of the channels; with ``signing``, of those whose messages are signed.

    ``sort`` is one of `CHANNEL_SORTS`; what was never delivered to, and whose previous secret has ended by
    ``now``, comes last. Equals stand newest first.
    """

    now: datetime
    signing: bool = False
    sort: str = "created"
    descending: bool = True
    limit: int = 100
    offset: int = 0


def channels(organization_id: int, query: ChannelQuery) -> tuple[list[Channel], int]:
    """Return a page of the channels, and how many there are in all."""
    found = Channel.objects.filter(organization_id=organization_id)
    if query.signing:
        found = found.exclude(secret=None)
    by = CHANNEL_SORTS[query.sort]
    first = by.desc(nulls_last=True) if query.descending else by.asc(nulls_last=True)
    lasting = Case(When(old_secret_until__gt=query.now, then=F("old_secret_until")))
    page = found.annotate(previous_until=lasting).order_by(first, "-created_at", "-pk")
    return list(page[query.offset : query.offset + query.limit]), found.count()


def channel(organization_id: int, channel_id: UUID) -> Channel:
    """Return one channel.

    Raises: `Problem` 404.
    """
    return _one(Channel.objects.filter(organization_id=organization_id, pk=channel_id).first())


def locked_channel(organization_id: int, channel_id: UUID) -> Channel:
    """Return one channel, held until the transaction ends.

    Raises: `Problem` 404.
    """
    found = Channel.objects.select_for_update(no_key=True)
    return _one(found.filter(organization_id=organization_id, pk=channel_id).first())


def _one(found: Channel | None) -> Channel:
    if found is None:
        raise not_found("There is no such channel.")
    return found
