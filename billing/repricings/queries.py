"""Reading repricings: how far one has come and what it came to, in all or in one organization."""

from dataclasses import dataclass
from typing import Final

from django.db import connection
from django.db.models import Count, Q, Sum

from billing.models import Repricing, RepricingPart
from billing.models.repricing import UNDER_WAY

_LEFT: Final = """
SELECT each->>'provider', each->>'model', sum((each->>'records')::bigint)
FROM billing_repricingpart AS part, jsonb_array_elements(part."left") AS each
WHERE part.repricing_id = %s GROUP BY 1, 2 ORDER BY 3 DESC, 2, 1 LIMIT %s
"""


@dataclass(frozen=True, slots=True)
class Cost:
    """What was priced in one currency.

    Units: ``cost_nanos`` nanos of the currency.
    """

    currency: str
    priced: int
    cost_nanos: int


@dataclass(frozen=True, slots=True)
class Left:
    """Records of one model that still have no price."""

    provider: str
    model: str
    records: int


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a repricing has come; ``records_total`` is None until they are counted."""

    records_total: int | None
    looked_at: int
    priced: int
    left: int
    organizations: int
    organizations_done: int
    costs: tuple[Cost, ...]


@dataclass(frozen=True, slots=True)
class Standing:
    """What an organization has to know of its repricings: the one under way, and the last that ended.

    Of the one under way the part is None until its records are counted.
    """

    under_way: Repricing | None
    part: RepricingPart | None
    last: RepricingPart | None


def progress_of(repricing: Repricing) -> Progress:
    """Return how far a repricing has come, in all organizations together.

    Tenancy: call in the system's scope.
    """
    parts = RepricingPart.objects.filter(repricing=repricing).order_by()
    found = parts.aggregate(
        total=Sum("records_total", default=0),
        looked_at=Sum("looked_at", default=0),
        priced=Sum("priced", default=0),
        left=Sum("left_records", default=0),
        organizations=Count("pk"),
        done=Count("pk", filter=Q(finished_at__isnull=False)),
    )
    costs = parts.values("currency").annotate(priced=Sum("priced"), cost=Sum("cost_nanos"))
    return Progress(
        records_total=int(found["total"]) if repricing.is_counted else None,
        looked_at=int(found["looked_at"]),
        priced=int(found["priced"]),
        left=int(found["left"]),
        organizations=found["organizations"],
        organizations_done=found["done"],
        costs=tuple(
            Cost(row["currency"], int(row["priced"]), int(row["cost"])) for row in costs.order_by("currency")
        ),
    )


def parts_of(repricing: Repricing, *, take: int) -> list[RepricingPart]:
    """Return the parts with the most records, with their organizations.

    Tenancy: call in the system's scope.
    """
    parts = RepricingPart.objects.filter(repricing=repricing).select_related("organization")
    return list(parts.order_by("-records_total", "pk")[:take])


def left_of(repricing: Repricing, *, take: int) -> list[Left]:
    """Return the models that still have no price, those with the most records first.

    Tenancy: call in the system's scope.
    """
    with connection.cursor() as cursor:
        cursor.execute(_LEFT, [repricing.pk, take])
        return [Left(provider, model, int(records)) for provider, model, records in cursor.fetchall()]


def standing_of(organization_id: int) -> Standing:
    """Return the repricing of an organization that is under way, and the last that ended; dry runs aside.

    Tenancy: call in the tenant's scope.
    """
    mine = RepricingPart.objects.filter(organization_id=organization_id, repricing__dry_run=False)
    newest = mine.select_related("repricing").order_by("-repricing__created_at", "-pk")
    running = _running(organization_id)
    part = newest.filter(repricing__in=running, finished_at=None).first() if running else None
    own = next((each for each in running if each.organization_id == organization_id), None)
    stopped = Q(priced__gt=0) & ~Q(repricing__state__in=UNDER_WAY)
    last = newest.filter(Q(finished_at__isnull=False) | stopped).first()
    return Standing(own if part is None else part.repricing, part, last)


def _running(organization_id: int) -> list[Repricing]:
    """Return the real repricings under way of an organization, and those of all."""
    found = Repricing.objects.filter(Q(organization=organization_id) | Q(organization=None), dry_run=False)
    return list(found.filter(state__in=UNDER_WAY).order_by("created_at"))
