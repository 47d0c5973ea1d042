"""Writing deliveries: immutable snapshots, pending from the moment that their transaction commits."""

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any, Final
from uuid import UUID, uuid4

from django.db import transaction
from django.db.models import Q

from alerts.deliveries import snapshots
from alerts.models import Channel, Delivery, DeliveryState, Disabled, Event, Kind, MutedMember, Notice
from core import clock
from core.workers import tell
from organizations.models import Membership, Organization
from organizations.roles import MANAGERS, Role

TASK: Final = "alerts.tasks.send_due"
HEARD_FOR_SECONDS: Final = 30


def of_event(event: Event, notice: Notice, channel: Channel, organization: Organization) -> Delivery:
    """Return the delivery that tells a channel of an event, not yet written."""
    payload = snapshots.of_event(event, notice, organization)
    return to_channel(channel, notice, payload, event_id=event.pk)


def of_event_to(event: Event, notice: Notice, address: str, organization: Organization) -> Delivery:
    """Return the delivery that tells a member of an event by e-mail, not yet written."""
    payload = snapshots.of_event(event, notice, organization)
    return to_address(address, event.organization_id, notice, payload, event_id=event.pk)


def managers(organizations: Iterable[int]) -> dict[int, list[str]]:
    """Return the addresses of the owners and admins of organizations, who are told where nobody else is.

    Who unsubscribed is not among them.
    """
    found = Membership.objects.filter(
        organization_id__in=list(organizations), role__in=MANAGERS, user__is_active=True
    ).exclude(pk__in=MutedMember.objects.values("membership"))
    addresses: dict[int, list[str]] = {}
    for organization_id, address in found.order_by("user__email").values_list(
        "organization_id", "user__email"
    ):
        addresses.setdefault(organization_id, []).append(address)
    return addresses


def write(deliveries: Iterable[Delivery]) -> list[Delivery]:
    """Write deliveries, and have workers told when that is committed."""
    written = Delivery.objects.bulk_create(deliveries)
    if written and not clock.is_standing():
        transaction.on_commit(partial(tell, TASK, expires=HEARD_FOR_SECONDS))
    return written


def write_test(channel: Channel) -> Delivery:
    """Write a test to a channel."""
    organization = Organization.objects.get(pk=channel.organization_id)
    payload = snapshots.of_test(channel, organization, clock.now())
    return write([to_channel(channel, Notice.TEST, payload)])[0]


def write_confirmation(channel: Channel) -> Delivery:
    """Ask the owner of a channel's address whether they want to be told."""
    organization = Organization.objects.get(pk=channel.organization_id)
    payload = snapshots.of_confirmation(channel, organization, clock.now())
    return write([to_channel(channel, Notice.CONFIRMATION, payload)])[0]


def write_disabled(channel: Channel) -> list[Delivery]:
    """Tell the organization's owners by e-mail that a channel was disabled."""
    organization = Organization.objects.get(pk=channel.organization_id)
    payload = snapshots.of_disabled(channel, organization, clock.now())
    owners = Membership.objects.filter(
        organization_id=channel.organization_id, role=Role.OWNER, user__is_active=True
    )
    return write(
        to_address(address, channel.organization_id, Notice.CHANNEL_DISABLED, payload)
        for address in owners.order_by("user__email").values_list("user__email", flat=True)
    )


def cancel_pending(channel: Channel, reason: str) -> int:
    """Give up what waits for a channel that is held, and return how much that was.

    What a worker is just attempting is left to it, and so is a test, which may be asked for all the same.
    """
    waiting = Delivery.objects.filter(channel=channel, state=DeliveryState.PENDING).exclude(
        notice=Notice.TEST
    )
    free = Q(leased_until=None) | Q(leased_until__lte=clock.now())
    return waiting.filter(free).update(**finished(DeliveryState.CANCELLED, reason))


def cancel_all(channel: Channel, reason: str) -> int:
    """Give up everything that is pending for a channel that is held, and return how much that was."""
    pending = Delivery.objects.filter(channel=channel, state=DeliveryState.PENDING)
    return pending.update(**finished(DeliveryState.CANCELLED, reason))


def disable(channel: Channel, because: Disabled) -> None:
    """Disable a channel that is held, give up what is pending for it, and tell the owners."""
    channel.enabled, channel.disabled_at, channel.disabled_because = False, clock.now(), because
    channel.save(update_fields=["enabled", "disabled_at", "disabled_because"])
    cancel_pending(channel, "The channel was disabled.")
    write_disabled(channel)


def cancel_subscriptions(recipient_ids: Iterable[UUID], reason: str) -> int:
    """Give up what waits for recipients of reports, and return how much that was.

    What a worker is just attempting is left to it.
    """
    waiting = Delivery.objects.filter(subscription__in=list(recipient_ids), state=DeliveryState.PENDING)
    free = Q(leased_until=None) | Q(leased_until__lte=clock.now())
    return waiting.filter(free).update(**finished(DeliveryState.CANCELLED, reason))


def finished(state: DeliveryState, reason: str = "") -> dict[str, Any]:
    """Return the columns of a delivery that has come to its end."""
    return {
        "state": state,
        "reason": reason,
        "due_at": None,
        "leased_until": None,
        "finished_at": clock.now(),
    }


def to_channel(
    channel: Channel,
    notice: Notice,
    payload: Mapping[str, Any],
    *,
    event_id: UUID | None = None,
    subscription: UUID | None = None,
) -> Delivery:
    """Return a delivery to a channel, not yet written."""
    now = clock.now()
    return Delivery(
        organization_id=channel.organization_id,
        notice=notice,
        event_id=event_id,
        channel=channel,
        channel_kind=channel.kind,
        channel_name=channel.name,
        subscription=subscription,
        lane=channel.pk,
        payload=payload,
        created_at=now,
        due_at=now,
    )


def to_address(
    address: str,
    organization_id: int,
    notice: Notice,
    payload: Mapping[str, Any],
    *,
    event_id: UUID | None = None,
    subscription: UUID | None = None,
) -> Delivery:
    """Return a delivery to an e-mail address that is no channel's, not yet written."""
    now, identity = clock.now(), uuid4()
    return Delivery(
        id=identity,
        organization_id=organization_id,
        notice=notice,
        event_id=event_id,
        channel_kind=Kind.EMAIL,
        recipient=address,
        subscription=subscription,
        lane=identity,
        payload=payload,
        created_at=now,
        due_at=now,
    )
