"""Reading events; each read takes the organization first."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Q

from alerts.models import Event
from core.paging import Position
from core.problems import not_found


@dataclass(frozen=True, slots=True)
class EventQuery:
    """A page of events: what they must be, how many, which way, and where to go on."""

    take: int
    descending: bool = True
    after: Position | None = None
    severities: tuple[str, ...] = ()
    is_open: bool | None = None
    metric: str | None = None
    rule_id: UUID | None = None
    start: datetime | None = None
    end: datetime | None = None


def events(organization_id: int, query: EventQuery) -> list[Event]:
    """Return a page of events, in order of when they fired."""
    found = Event.objects.filter(_conditions(query), organization_id=organization_id)
    sign, beyond = ("-", "lt") if query.descending else ("", "gt")
    if query.after is not None:
        moment, key = query.after
        found = found.filter(
            Q(**{f"fired_at__{beyond}": moment}) | Q(fired_at=moment, **{f"pk__{beyond}": key})
        )
    return list(found.order_by(f"{sign}fired_at", f"{sign}pk")[: query.take])


def open_count(organization_id: int) -> int:
    """Return how many events still hold."""
    return Event.objects.filter(organization_id=organization_id, resolved_at=None).count()


def event(organization_id: int, event_id: UUID) -> Event:
    """Return one event.

    Raises: `Problem` 404.
    """
    found = Event.objects.filter(organization_id=organization_id, pk=event_id).first()
    if found is None:
        raise not_found("There is no such event.")
    return found


def _conditions(query: EventQuery) -> Q:
    wanted = {
        "severity__in": query.severities or None,
        "resolved_at__isnull": query.is_open,
        "metric": query.metric,
        "rule_id": query.rule_id,
        "fired_at__gte": query.start,
        "fired_at__lt": query.end,
    }
    return Q(**{name: value for name, value in wanted.items() if value is not None})
