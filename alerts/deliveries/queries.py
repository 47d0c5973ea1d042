"""Reading the log of deliveries; each read takes the organization first."""

from dataclasses import dataclass
from uuid import UUID

from django.db.models import Q

from alerts.models import Delivery
from core.paging import Position
from core.problems import not_found


@dataclass(frozen=True, slots=True)
class DeliveryQuery:
    """A page of deliveries: what they must be, how many, which way, and where to go on."""

    take: int
    descending: bool = True
    after: Position | None = None
    states: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()
    channel_id: UUID | None = None
    event_id: UUID | None = None


def deliveries(organization_id: int, query: DeliveryQuery) -> list[Delivery]:
    """Return a page of deliveries with their attempts, in order of when they were written."""
    found = Delivery.objects.filter(_conditions(query), organization_id=organization_id)
    sign, beyond = ("-", "lt") if query.descending else ("", "gt")
    if query.after is not None:
        moment, key = query.after
        found = found.filter(
            Q(**{f"created_at__{beyond}": moment}) | Q(created_at=moment, **{f"pk__{beyond}": key})
        )
    ordered = found.order_by(f"{sign}created_at", f"{sign}pk").prefetch_related("attempts")
    return list(ordered[: query.take])


def delivery(organization_id: int, delivery_id: UUID) -> Delivery:
    """Return one delivery with its attempts.

    Raises: `Problem` 404.
    """
    mine = Delivery.objects.filter(organization_id=organization_id, pk=delivery_id)
    found = mine.prefetch_related("attempts").first()
    if found is None:
        raise not_found("There is no such delivery.")
    return found


def _conditions(query: DeliveryQuery) -> Q:
    wanted = {
        "state__in": query.states or None,
        "notice__in": query.notices or None,
        "channel_id": query.channel_id,
        "event_id": query.event_id,
    }
    return Q(**{name: value for name, value in wanted.items() if value is not None})
