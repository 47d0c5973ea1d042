"""Making, changing and removing channels, their secrets, and testing them.

Tenancy: call in the tenant's scope.
"""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final
from uuid import UUID

from alerts.channels import secrets
from alerts.channels.queries import locked_channel
from alerts.channels.targets import Target, read_target
from alerts.deliveries.writing import cancel_all, cancel_pending, write_test
from alerts.models import Channel, Delivery, Disabled, Kind, Notice
from core import clock
from core.problems import conflict, too_many_requests
from core.sealing import seal
from organizations.services.locks import lock_organization

MOST_CHANNELS: Final = 50
MOST_TESTS: Final = 20
"""Tests that an organization can ask for in an hour: each is a request or a mail to somebody."""
_HOUR: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Issued:
    """A channel with its secret, which is not shown again; None for a kind that has none."""

    channel: Channel
    secret: str | None = field(repr=False)


def create_channel(
    *,
    organization_id: int,
    kind: str,
    name: str,
    url: str | None = None,
    address: str | None = None,
    created_by_id: int | None = None,
) -> Issued:
    """Make a channel.

    Raises: `Problem` 422 for an address that is none, 409 when there are as many as there may be.
    """
    target = read_target(kind, url=url, address=address)
    lock_organization(organization_id)
    if Channel.objects.filter(organization_id=organization_id).count() >= MOST_CHANNELS:
        raise conflict(f"An organization has at most {MOST_CHANNELS} channels.", code="too_many_channels")
    secret = secrets.generate() if kind == Kind.WEBHOOK else None
    made = Channel.objects.create(
        organization_id=organization_id,
        kind=kind,
        name=name,
        target=seal(target.text),
        shown=target.shown,
        secret=None if secret is None else seal(secret),
        created_by_id=created_by_id,
    )
    return Issued(made, secret)


def change_channel(
    *,
    organization_id: int,
    channel_id: UUID,
    name: str | None = None,
    url: str | None = None,
    address: str | None = None,
    enabled: bool | None = None,
) -> Channel:
    """Change what is given of a channel. Enabled again, or sent elsewhere, it begins with a clean record.

    Raises: `Problem` 404, 422.
    """
    channel = locked_channel(organization_id, channel_id)
    if name is not None:
        channel.name = name
    if url is not None or address is not None:
        _move(channel, read_target(channel.kind, url=url, address=address))
    if enabled is not None:
        _switch(channel, enabled)
    channel.save(
        update_fields=[
            "name",
            "target",
            "shown",
            "enabled",
            "disabled_at",
            "disabled_because",
            "failing_since",
        ]
    )
    return channel


def delete_channel(*, organization_id: int, channel_id: UUID) -> None:
    """Remove a channel with its address and secret; what is pending is cancelled, the log of it all stays.

    Raises: `Problem` 404.
    """
    channel = locked_channel(organization_id, channel_id)
    cancel_all(channel, "The channel was deleted.")
    channel.delete()


def rotate_secret(*, organization_id: int, channel_id: UUID) -> Issued:
    """Give a webhook a new secret; for a day, messages are signed with the one before as well.

    Raises: `Problem` 404, 409 for a channel without a secret.
    """
    channel = locked_channel(organization_id, channel_id)
    if channel.secret is None:
        raise conflict("Only webhooks have a secret.", code="no_secret")
    secret = secrets.generate()
    channel.old_secret, channel.old_secret_until = channel.secret, clock.now() + secrets.OVERLAP
    channel.secret = seal(secret)
    channel.save(update_fields=["secret", "old_secret", "old_secret_until"])
    return Issued(channel, secret)


def request_test(*, organization_id: int, channel_id: UUID) -> Delivery:
    """Write a test to a channel, also to one that is disabled; it is attempted once.

    Raises: `Problem` 404, 429 after too many within an hour.
    """
    channel = locked_channel(organization_id, channel_id)
    lately = Delivery.objects.filter(
        organization_id=organization_id, notice=Notice.TEST, created_at__gt=clock.now() - _HOUR
    )
    if lately.count() >= MOST_TESTS:
        raise too_many_requests(
            f"There were {MOST_TESTS} tests within the last hour, as many as there may be.",
            retry_after=int(_HOUR.total_seconds()) // MOST_TESTS,
            code="too_many_tests",
        )
    return write_test(channel)


def _move(channel: Channel, target: Target) -> None:
    channel.target, channel.shown = seal(target.text), target.shown
    channel.failing_since = None


def _switch(channel: Channel, enabled: bool) -> None:
    if enabled == channel.enabled:
        return
    channel.enabled = enabled
    if enabled:
        channel.disabled_at, channel.disabled_because, channel.failing_since = None, "", None
    else:
        channel.disabled_at, channel.disabled_because = clock.now(), Disabled.BY_HAND
        cancel_pending(channel, "The channel was disabled.")
