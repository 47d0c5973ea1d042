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
from alerts.deliveries.writing import cancel_all, cancel_pending, write_confirmation, write_test
from alerts.models import Channel, Delivery, Disabled, Kind, Notice
from core import clock
from core.problems import conflict, too_many_requests
from core.sealing import seal, unseal
from organizations.models import Membership, User, normalize_email
from organizations.services.locks import lock_organization

MOST_CHANNELS: Final = 50
MOST_TESTS: Final = 20
"""Tests that an organization can ask for in an hour: each is a request or a mail to somebody."""
AWAITING: Final = (Disabled.UNCONFIRMED, Disabled.UNSUBSCRIBED)
"""Why a channel is told nothing until the owner of its address agrees."""
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
    """Make a channel; an address that is no member's is asked first whether it wants to be told.

    Raises: `Problem` 422 for an address that is none, 409 when there are as many as there may be.
    """
    target = read_target(kind, url=url, address=address)
    lock_organization(organization_id)
    if Channel.objects.filter(organization_id=organization_id).count() >= MOST_CHANNELS:
        raise conflict(f"An organization has at most {MOST_CHANNELS} channels.", code="too_many_channels")
    secret = secrets.generate() if kind == Kind.WEBHOOK else None
    asks = _needs_consent(organization_id, kind, target.text)
    if asks:
        check_tests(organization_id)
    made = Channel.objects.create(
        organization_id=organization_id,
        kind=kind,
        name=name,
        target=seal(target.text),
        shown=target.shown,
        secret=None if secret is None else seal(secret),
        created_by_id=created_by_id,
        enabled=not asks,
        disabled_at=clock.now() if asks else None,
        disabled_because=Disabled.UNCONFIRMED if asks else "",
    )
    if asks:
        write_confirmation(made)
    return Issued(made, secret)


def change_channel(
    *,
    organization_id: int,
    channel_id: UUID,
    name: str | None = None,
    url: str | None = None,
    address: str | None = None,
    enabled: bool | None = None,
    by_id: int | None = None,
) -> Channel:
    """Change what is given of a channel. Enabled again, or sent elsewhere, it begins with a clean record.

    An address that is no member's is asked first whether it wants to be told. ``by_id`` is the member who
    asks: who unsubscribed can be told again by their own will alone.
    Raises: `Problem` 404, 409, 422.
    """
    channel = locked_channel(organization_id, channel_id)
    asks = False
    if name is not None:
        channel.name = name
    if url is not None or address is not None:
        asks = _move(channel, read_target(channel.kind, url=url, address=address))
    if asks:
        check_tests(organization_id)
    if enabled is not None:
        _switch(channel, enabled, by_id)
    channel.save(
        update_fields=[
            "name",
            "target",
            "shown",
            "enabled",
            "disabled_at",
            "disabled_because",
            "failing_since",
            "confirmed_at",
        ]
    )
    if asks:
        write_confirmation(channel)
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

    Raises: `Problem` 404, 409 while the owner of its address has not agreed, 429 after too many within an
    hour.
    """
    channel = locked_channel(organization_id, channel_id)
    check_consent(channel)
    check_tests(organization_id)
    return write_test(channel)


def request_confirmation(*, organization_id: int, channel_id: UUID) -> Delivery:
    """Ask the owner of an address once more whether they want to be told; it is attempted as any delivery.

    Raises: `Problem` 404, 409 for a channel that needs no confirmation, 429 after too many within an hour.
    """
    channel = locked_channel(organization_id, channel_id)
    if channel.disabled_because not in AWAITING:
        raise conflict("This channel needs no confirmation.", code="no_confirmation_needed")
    check_tests(organization_id)
    _await_consent(channel)
    channel.save(update_fields=["enabled", "disabled_at", "disabled_because", "confirmed_at"])
    return write_confirmation(channel)


def check_tests(organization_id: int) -> None:
    """Go on only while there were not too many tests and confirmations lately.

    Raises: `Problem` 429.
    """
    lately = Delivery.objects.filter(
        organization_id=organization_id,
        notice__in=(Notice.TEST, Notice.CONFIRMATION),
        created_at__gt=clock.now() - _HOUR,
    )
    if lately.count() >= MOST_TESTS:
        raise too_many_requests(
            f"There were {MOST_TESTS} tests within the last hour, as many as there may be.",
            retry_after=int(_HOUR.total_seconds()) // MOST_TESTS,
            code="too_many_tests",
        )


def check_consent(channel: Channel) -> None:
    """Go on only unless the owner of a channel's address has yet to agree.

    Raises: `Problem` 409.
    """
    if channel.disabled_because in AWAITING:
        raise conflict(
            "The owner of this address has not agreed to be told: ask for another confirmation.",
            code="unconfirmed",
        )


def _needs_consent(organization_id: int, kind: str, address: str) -> bool:
    """Tell whether an address is one whose owner is to be asked first: no member's."""
    if kind != Kind.EMAIL:
        return False
    members = Membership.objects.filter(organization_id=organization_id, user__is_active=True)
    return not members.filter(user__email=normalize_email(address)).exists()


def _await_consent(channel: Channel) -> None:
    channel.enabled, channel.disabled_because = False, Disabled.UNCONFIRMED
    channel.disabled_at, channel.confirmed_at = clock.now(), None


def _move(channel: Channel, target: Target) -> bool:
    """Send a channel elsewhere, and tell whether the owner of the new address is to be asked."""
    is_same = unseal(channel.target) == target.text
    channel.target, channel.shown = seal(target.text), target.shown
    channel.failing_since = None
    if is_same:
        return False
    if _needs_consent(channel.organization_id, channel.kind, target.text):
        _await_consent(channel)
        return True
    channel.confirmed_at = None
    if channel.disabled_because in AWAITING:
        channel.enabled, channel.disabled_at, channel.disabled_because = True, None, ""
    return False


def _switch(channel: Channel, enabled: bool, by_id: int | None) -> None:
    if enabled == channel.enabled:
        return
    if enabled and not is_owner(channel, by_id):
        check_consent(channel)
    channel.enabled = enabled
    if enabled:
        channel.disabled_at, channel.disabled_because, channel.failing_since = None, "", None
    else:
        channel.disabled_at, channel.disabled_because = clock.now(), Disabled.BY_HAND
        cancel_pending(channel, "The channel was disabled.")


def is_owner(channel: Channel, by_id: int | None) -> bool:
    """Tell whether a channel's address is the member's own."""
    if channel.kind != Kind.EMAIL or by_id is None:
        return False
    address = normalize_email(unseal(channel.target))
    return User.objects.filter(pk=by_id, is_active=True, email=address).exists()
