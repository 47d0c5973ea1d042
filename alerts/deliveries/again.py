"""Telling again what could not be told, when its receiver is right again.

Tenancy: call in the tenant's scope, or the system's.
"""

from typing import Any
from uuid import UUID, uuid4

from django.db import transaction

from alerts.deliveries.writing import write
from alerts.models import Delivery, DeliveryState, ReportRecipient
from core import clock
from core.problems import conflict, not_found

GIVEN_UP = (DeliveryState.FAILED, DeliveryState.CANCELLED)
"""The states of what is not tried any more."""


def retry(*, organization_id: int, delivery_id: UUID) -> Delivery:
    """Write a delivery of the same message to the same receiver; the one that was given up stays in the log.

    Raises: `Problem` 404; 409 for one that was not given up, that is under way again already, or whose
    channel is gone or disabled.
    Concurrency: asked for twice at once, it is written once.
    """
    held = Delivery.objects.select_for_update(no_key=True, of=("self",)).select_related("channel")
    with transaction.atomic():
        found = held.filter(organization_id=organization_id, pk=delivery_id).first()
        if found is None:
            raise not_found("There is no such delivery.")
        _check(found)
        return write([_copy(found)])[0]


def _check(found: Delivery) -> None:
    if found.state not in GIVEN_UP:
        raise conflict("Only what was given up can be tried again.")
    if not found.recipient:
        if found.channel is None:
            raise conflict("Its channel was deleted.")
        if not found.channel.enabled:
            raise conflict("Its channel is disabled; enable it first.")
    if found.subscription is not None and not _is_wanted(found.subscription):
        raise conflict("Its recipient unsubscribed, or does not get this report any more.")
    same: dict[str, Any] = {
        name: getattr(found, name)
        for name in ("organization_id", "notice", "event_id", "channel_id", "recipient", "subscription")
    }
    if Delivery.objects.filter(**same, state=DeliveryState.PENDING).exists():
        raise conflict("It is being tried again already.")


def _is_wanted(recipient_id: UUID) -> bool:
    return ReportRecipient.objects.filter(pk=recipient_id, unsubscribed_at=None).exists()


def _copy(found: Delivery) -> Delivery:
    now, identity = clock.now(), uuid4()
    return Delivery(
        id=identity,
        organization_id=found.organization_id,
        notice=found.notice,
        event_id=found.event_id,
        channel_id=found.channel_id,
        channel_kind=found.channel_kind,
        channel_name=found.channel_name,
        recipient=found.recipient,
        subscription=found.subscription,
        lane=found.channel_id or identity,
        payload=found.payload,
        created_at=now,
        due_at=now,
    )
