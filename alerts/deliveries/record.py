"""Keeping what came of an attempt: the attempt's end, the delivery's progress, the channel's health."""

import random
from typing import Any, Final

from alerts.deliveries.schedule import has_failed_for_long, next_attempt
from alerts.deliveries.writing import disable, finished
from alerts.models import Attempt, Channel, Delivery, DeliveryState, Disabled, Notice, Outcome
from alerts.senders import Job, Result
from core import clock
from organizations.tenancy import Actor, tenant_scope

_ACTOR: Final = Actor(kind="system", job="deliver alerts")


def record(job: Job, result: Result, *, duration_ms: int) -> bool:
    """Keep the result; False when the delivery was meanwhile another's, whose result counts.

    Concurrency: the channel is locked before the delivery, as everywhere.
    """
    with tenant_scope(job.organization_id, actor=_ACTOR):
        channel = _locked(job)
        _end_attempt(job, result, duration_ms)
        mine = Delivery.objects.filter(
            pk=job.delivery_id, state=DeliveryState.PENDING, attempt_count=job.number
        )
        if not mine.update(**_progress(job, result, channel)):
            return False
        if channel is not None and job.notice != Notice.TEST:
            _note_health(channel, result)
    return True


def _locked(job: Job) -> Channel | None:
    if job.channel_id is None:
        return None
    return Channel.objects.select_for_update(no_key=True).filter(pk=job.channel_id).first()


def _end_attempt(job: Job, result: Result, duration_ms: int) -> None:
    begun = Attempt.objects.filter(delivery_id=job.delivery_id, number=job.number, outcome=Outcome.UNDER_WAY)
    begun.update(
        outcome=Outcome.DELIVERED if result.delivered else Outcome.FAILED,
        status=result.status,
        duration_ms=duration_ms,
        response=_kept(result.response, 500),
        error=_kept(result.error, 200),
    )


def _progress(job: Job, result: Result, channel: Channel | None) -> dict[str, Any]:
    if result.delivered:
        return finished(DeliveryState.DELIVERED)
    again = None
    is_last = job.notice == Notice.TEST or (channel is not None and not channel.enabled)
    if not (is_last or result.final or result.gone):
        again = next_attempt(
            clock.now(), number=job.number, chance=random.random(), wished=result.retry_after
        )
    if again is None:
        return finished(DeliveryState.FAILED, _kept(result.error, 200))
    return {"due_at": again, "leased_until": None}


def _note_health(channel: Channel, result: Result) -> None:
    now = clock.now()
    if result.delivered:
        channel.failing_since, channel.delivered_at = None, now
    elif channel.failing_since is None:
        channel.failing_since = now
    channel.save(update_fields=["failing_since", "delivered_at"])
    if channel.enabled and not result.delivered:
        if result.gone:
            disable(channel, Disabled.GONE)
        elif has_failed_for_long(channel.failing_since, now):
            disable(channel, Disabled.FAILING)


def _kept(text: str, most: int) -> str:
    # PostgreSQL has no NUL in texts.
    return text.replace("\x00", " ")[:most]
