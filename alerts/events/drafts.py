"""An event that is to be raised, and what makes it the same as another. Pure."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from alerts.models import Severity
from core.moments import format_moment
from core.periods import Period

ORGANIZATION: Final[Mapping[str, str]] = {"kind": "organization"}


@dataclass(frozen=True, slots=True)
class Draft:
    """What is to be told of one organization.

    Shape: ``scope`` is ``{"kind": …, "value": …}``; ``chart`` as `alerts.senders.charts.draw` takes it;
    ``channels`` are those to tell, None for all of the organization's. ``occurrence`` tells apart events that
    are otherwise the same, such as the episodes of a rule without a period.
    Units: ``threshold`` and ``value`` in ``unit``.
    """

    organization_id: int
    metric: str
    message: str
    severity: str = Severity.WARNING
    rule_id: UUID | None = None
    rule_name: str = ""
    rule_revision: int | None = None
    scope: Mapping[str, Any] = field(default_factory=lambda: dict(ORGANIZATION))
    unit: str = ""
    threshold: Decimal | None = None
    value: Decimal | None = None
    period: Period | None = None
    recommendation: str = ""
    occurrence: str = ""
    chart: Mapping[str, Any] | None = None
    channels: frozenset[UUID] | None = None
    fired_at: datetime | None = None

    @property
    def dedup_key(self) -> UUID:
        """What this event and its repetitions have in common: rule revision, scope, period and threshold."""
        same = [
            None if self.rule_id is None else self.rule_id.hex,
            self.rule_revision,
            self.metric,
            dict(self.scope),
            None if self.threshold is None else str(self.threshold.normalize()),
            None
            if self.period is None or self.occurrence
            else [format_moment(self.period.start), format_moment(self.period.end)],
            self.occurrence,
        ]
        text = json.dumps(same, sort_keys=True, separators=(",", ":"))
        return UUID(bytes=hashlib.sha256(text.encode()).digest()[:16])
