"""Raising and resolving events: an event and what tells of it are written in the caller's transaction.

Tenancy: call in the tenant's scope, or the system's for events of several organizations.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from alerts.deliveries.writing import managers, of_event, of_event_to, write
from alerts.events.drafts import Draft
from alerts.models import Channel, Delivery, DeliveryState, Event, Notice
from core import clock
from organizations.models import Organization

_TOLD = (DeliveryState.PENDING, DeliveryState.DELIVERED)


def raise_event(organization_id: int, *, metric: str, message: str, **details: Any) -> Event | None:
    """Write an event and a pending delivery to each of its channels; None if it was raised before.

    Shape: ``details`` are those of `Draft`.
    Concurrency: of several who raise the same event at once, one writes it.
    """
    raised = raise_events([Draft(organization_id, metric, message, **details)])
    return raised[0] if raised else None


def raise_events(drafts: Sequence[Draft]) -> list[Event]:
    """Write events with their deliveries, and return those that had not been raised before.

    It takes the same few statements however many events there are, of however many organizations.
    Concurrency: as `raise_event`.
    """
    by_identity = {(draft.organization_id, draft.dedup_key): draft for draft in drafts}
    events = {event.pk: (event, draft) for event, draft in map(_drafted, by_identity.values())}
    with transaction.atomic():
        Event.objects.bulk_create((event for event, _ in events.values()), ignore_conflicts=True)
        new = set(Event.objects.filter(pk__in=list(events)).values_list("pk", flat=True))
        raised = [pair for key, pair in events.items() if key in new]
        write(_firings(raised))
    return [event for event, _ in raised]


def resolve_event(event_id: UUID) -> Event | None:
    """End an event and tell whoever was told of it; None if it had ended before, or there is none."""
    resolved = resolve_events([event_id])
    return resolved[0] if resolved else None


def resolve_events(event_ids: Iterable[UUID]) -> list[Event]:
    """End events, tell the channels that were told of them, and return those that had not ended before."""
    with transaction.atomic():
        open_ = Event.objects.select_for_update(no_key=True).filter(pk__in=list(event_ids), resolved_at=None)
        events = list(open_.order_by("pk"))
        now = clock.now()
        for event in events:
            event.resolved_at = max(now, event.fired_at)
        Event.objects.bulk_update(events, ["resolved_at"])
        write(_resolutions(events))
    return events


def _drafted(draft: Draft) -> tuple[Event, Draft]:
    period = draft.period
    event = Event(
        organization_id=draft.organization_id,
        rule_id=draft.rule_id,
        rule_name=draft.rule_name,
        rule_revision=draft.rule_revision,
        dedup_key=draft.dedup_key,
        severity=draft.severity,
        metric=draft.metric,
        scope=dict(draft.scope),
        unit=draft.unit,
        threshold=draft.threshold,
        value=draft.value,
        period_start=period.start if period else None,
        period_end=period.end if period else None,
        message=draft.message,
        recommendation=draft.recommendation,
        chart=None if draft.chart is None else dict(draft.chart),
        fired_at=_fired_at(draft),
    )
    return event, draft


def _fired_at(draft: Draft) -> datetime:
    return draft.fired_at or clock.now()


def _firings(raised: Sequence[tuple[Event, Draft]]) -> Iterator[Delivery]:
    if not raised:
        return
    organizations = _organizations(event for event, _ in raised)
    channels: dict[int, list[Channel]] = {key: [] for key in organizations}
    for channel in Channel.objects.filter(organization_id__in=organizations, enabled=True).order_by("pk"):
        channels[channel.organization_id].append(channel)
    # Where an organization has no channel to be told by, those who manage it are told.
    members = managers(
        {
            event.organization_id
            for event, draft in raised
            if draft.channels is None and not channels[event.organization_id]
        }
    )
    for event, draft in raised:
        organization = organizations[event.organization_id]
        for channel in channels[event.organization_id]:
            if draft.channels is None or channel.pk in draft.channels:
                yield of_event(event, Notice.FIRED, channel, organization)
        if draft.channels is None:
            for address in members.get(event.organization_id, ()):
                yield of_event_to(event, Notice.FIRED, address, organization)


def _resolutions(events: Sequence[Event]) -> Iterator[Delivery]:
    if not events:
        return
    organizations = _organizations(events)
    by_id = {event.pk: event for event in events}
    told = Delivery.objects.filter(event__in=by_id, notice=Notice.FIRED, state__in=_TOLD)
    reachable = Q(channel__enabled=True) | ~Q(recipient="")
    for delivery in told.filter(reachable).select_related("channel").order_by("pk"):
        if delivery.event_id is None:
            continue
        event = by_id[delivery.event_id]
        organization = organizations[event.organization_id]
        if delivery.channel is not None:
            yield of_event(event, Notice.RESOLVED, delivery.channel, organization)
        elif delivery.recipient:
            yield of_event_to(event, Notice.RESOLVED, delivery.recipient, organization)


def _organizations(events: Iterable[Event]) -> Mapping[int, Organization]:
    return Organization.objects.in_bulk({event.organization_id for event in events})
