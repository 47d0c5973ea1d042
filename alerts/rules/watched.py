"""Rules as they are evaluated, and what is read for them. No clock."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from django.db.models.functions import Coalesce

from alerts.models import Rule
from alerts.rules import terms
from alerts.rules.levels import Ladder
from core.periods import Period

ONE: Final = Decimal(1)


@dataclass(frozen=True, slots=True)
class Watched:
    """A rule with what has to be known of its organization."""

    id: UUID
    organization_id: int
    code: str
    name: str
    metric: str
    condition: str
    scope_kind: str
    credential_id: int | None
    value: str | None
    window: str
    thresholds: tuple[Decimal, ...]
    severity: str
    least_requests: int
    hysteresis: Decimal
    quiet_minutes: int
    revision: int
    timezone: str
    rollup_timezone: str
    currency: str
    requests_per_minute: int

    @property
    def ladder(self) -> Ladder:
        """Its thresholds; what has none is so or not."""
        return Ladder(
            revision=self.revision,
            thresholds=self.thresholds or (ONE,),
            downward=terms.is_downward(self.condition),
            hysteresis=self.hysteresis,
            quiet=timedelta(minutes=self.quiet_minutes),
        )

    @property
    def unit(self) -> str:
        """The unit of its thresholds and values."""
        return terms.unit_of(self.condition, self.metric, self.currency)

    @property
    def each(self) -> bool:
        """Whether it looks at every part of a kind by itself."""
        return self.scope_kind != "organization" and self.credential_id is None and self.value is None


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read for one subject of a rule.

    ``value`` is None where there is nothing to say; ``period`` what was judged; ``begun`` when the calendar's
    period began, within which a threshold is told once. ``before`` is what it is compared with, ``detail``
    whatever explains it.
    Units: those of the rule.
    """

    value: Decimal | None
    period: Period | None = None
    begun: datetime | None = None
    before: Decimal | None = None
    detail: str = ""


Subject = str
"""What a rule looks at: a client id, a model, an endpoint, a capability; empty for the organization."""
Readings = dict[UUID, dict[Subject, Reading]]
Levels = Mapping[UUID, Mapping[Subject, int]]
"""The level that each rule has reached with each subject."""

_COLUMNS: Final = (
    "id", "organization_id", "code", "name", "metric", "condition", "scope_kind", "credential_id", "value",
    "window", "thresholds", "severity", "least_requests", "hysteresis", "quiet_minutes", "revision",
    "organization__timezone", "organization__rollup_timezone", "organization__currency",
)  # fmt: skip


def watched(organizations: Sequence[int], conditions: Iterable[str], **wanted: Any) -> list[Watched]:
    """Return the rules of some organizations that are switched on, by organization.

    Tenancy: call in the system's scope.
    """
    rules = Rule.objects.filter(
        organization_id__in=organizations, condition__in=list(conditions), enabled=True, **wanted
    )
    allowed = Coalesce("organization__requests_per_minute", "organization__plan__requests_per_minute")
    rows = rules.order_by("organization_id", "id").values_list(*_COLUMNS, allowed)
    return [_watched(row) for row in rows]


def _watched(row: Sequence[Any]) -> Watched:
    values = list(row)
    place = _COLUMNS.index("thresholds")
    values[place] = tuple(values[place])
    return Watched(*values)


def held(rules: Iterable[UUID]) -> dict[UUID, int]:
    """Hold rules until the transaction ends, and return the revisions of those that are still switched on."""
    ids = sorted(set(rules))
    if not ids:
        return {}
    found = Rule.objects.select_for_update(no_key=True).filter(pk__in=ids, enabled=True).order_by("pk")
    return dict(found.values_list("pk", "revision"))
