"""Reading channels; each read takes the organization first."""

from uuid import UUID

from alerts.models import Channel
from core.problems import not_found


def channels(organization_id: int, *, limit: int, offset: int = 0) -> tuple[list[Channel], int]:
    """Return channels, newest first, and how many there are in all."""
    found = Channel.objects.filter(organization_id=organization_id)
    return list(found.order_by("-created_at", "-pk")[offset : offset + limit]), found.count()


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
