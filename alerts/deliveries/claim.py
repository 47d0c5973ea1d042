"""Taking deliveries to attempt, for a time: whoever took one and was lost leaves it to the next."""

from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from django.db import connection
from django.db.models import F, QuerySet

from alerts.channels import secrets
from alerts.deliveries.schedule import MOST_ATTEMPTS
from alerts.deliveries.writing import finished
from alerts.models import Attempt, Delivery, DeliveryState, MutedMember, Notice, Outcome, ReportRecipient
from alerts.senders import Job
from core import clock
from core.sealing import Unreadable, unseal
from organizations.models import Membership
from organizations.tenancy import system_scope

LEASE: Final = timedelta(minutes=2)
"""More than an attempt can take, so that nobody attempts what another still does."""
AT_ONCE: Final = 16
OF_A_LANE: Final = 4
_ALSO_DISABLED: Final = (Notice.TEST, Notice.CONFIRMATION)
LOST: Final = "Its workers were lost too often."
_CLAIM: Final = (Path(__file__).parents[1] / "sql" / "claim.sql").read_text()


def claim() -> list[Job]:
    """Take some of what is due, and note an attempt at each, before anything is sent.

    Concurrency: of several workers each takes others; what one leaves undone is due again after ``LEASE``.
    """
    with system_scope():
        taken = _take()
        _note_lost(taken)
        jobs = [job for delivery in taken if (job := _job(delivery)) is not None]
        now = clock.now()
        Attempt.objects.bulk_create(
            Attempt(
                organization_id=job.organization_id,
                delivery_id=job.delivery_id,
                number=job.number,
                started_at=now,
            )
            for job in jobs
        )
    return jobs


def _take() -> list[Delivery]:
    now = clock.now()
    limits: dict[str, Any] = {"now": now, "until": now + LEASE, "of_a_lane": OF_A_LANE, "most": AT_ONCE}
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM, limits)
        taken = [row[0] for row in cursor.fetchall()]
    found = Delivery.objects.filter(pk__in=taken).select_related("channel", "event")
    return list(found.order_by("created_at", "pk"))


def _note_lost(taken: Iterable[Delivery]) -> None:
    """Complete attempts that nobody came back from; whether they arrived is not known."""
    again = [delivery.pk for delivery in taken if delivery.attempt_count > 1]
    if again:
        begun = Attempt.objects.filter(delivery__in=again, outcome=Outcome.UNDER_WAY)
        begun.filter(number__lt=F("delivery__attempt_count")).update(outcome=Outcome.LOST)


def _job(delivery: Delivery) -> Job | None:
    """Return what is to be attempted; a delivery that can't be any more is finished instead."""
    try:
        target, signing = _way(delivery)
    except _Hopeless as hopeless:
        columns = finished(hopeless.state, str(hopeless))
        Delivery.objects.filter(pk=delivery.pk).update(attempt_count=F("attempt_count") - 1, **columns)
        return None
    return Job(
        delivery_id=delivery.pk,
        organization_id=delivery.organization_id,
        number=delivery.attempt_count,
        notice=delivery.notice,
        kind=delivery.channel_kind,
        channel_id=delivery.channel_id,
        subscription=delivery.subscription,
        target=target,
        secrets=signing,
        payload=delivery.payload,
        chart=delivery.event.chart if delivery.event else None,
        at=clock.now(),
    )


class _Hopeless(Exception):
    """The delivery is not to be attempted any more; the text says why."""

    def __init__(self, state: DeliveryState, reason: str) -> None:
        super().__init__(reason)
        self.state = state


def _way(delivery: Delivery) -> tuple[str, tuple[str, ...]]:
    """Return where a delivery goes, and the secrets that it is signed with.

    Raises: `_Hopeless`.
    """
    channel = delivery.channel
    if delivery.attempt_count > _most(delivery):
        raise _Hopeless(DeliveryState.FAILED, LOST)
    _check_wanted(delivery)
    if channel is None:
        return delivery.recipient, ()
    if not channel.enabled and delivery.notice not in _ALSO_DISABLED:
        raise _Hopeless(DeliveryState.CANCELLED, "The channel was disabled.")
    try:
        return unseal(channel.target), secrets.in_force(channel, clock.now())
    except Unreadable as error:
        raise _Hopeless(DeliveryState.FAILED, "Its address was sealed with a key that is gone.") from error


def _check_wanted(delivery: Delivery) -> None:
    """Go on unless who is told unsubscribed, or left the organization, since it was written.

    Raises: `_Hopeless`.
    """
    wanted: QuerySet[Any]
    if delivery.subscription is not None:
        wanted = ReportRecipient.objects.filter(pk=delivery.subscription, unsubscribed_at=None)
    elif delivery.event_id is not None and delivery.channel_id is None:
        wanted = Membership.objects.filter(
            organization_id=delivery.organization_id, user__email=delivery.recipient
        ).exclude(pk__in=MutedMember.objects.values("membership"))
    else:
        return
    if not wanted.exists():
        raise _Hopeless(DeliveryState.CANCELLED, "The recipient unsubscribed, or is none any more.")


def _most(delivery: Delivery) -> int:
    return 1 if delivery.notice == Notice.TEST else MOST_ATTEMPTS
