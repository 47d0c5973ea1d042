"""From which figures on something is told of a key, and what else is wrong with it now.

Who keeps the organization's rules is named in the settings (``USAGE_KEY_RULES``): a room further right does.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal

from django.conf import settings
from django.utils.module_loading import import_string


@dataclass(frozen=True, slots=True)
class Term:
    """When one thing is told: from which thresholds on, of how many requests at least, after how long.

    Of several thresholds the last is critical, whatever ``severity`` says.
    Units: ``thresholds`` in per cent, in the order in which they are reached.
    """

    severity: str = "warning"
    thresholds: tuple[Decimal, ...] = ()
    least_requests: int = 0
    after: timedelta = timedelta(0)

    def severity_at(self, reached: int) -> str:
        """Return the severity with so many thresholds reached."""
        return "critical" if 1 < len(self.thresholds) == reached else self.severity


Terms = Mapping[str, Term]
"""By the code of what is told; what is absent is not told."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Something that a rule has found of a key, and that still holds."""

    severity: str
    code: str
    client_id: str
    message: str
    recommendation: str


@dataclass(frozen=True, slots=True)
class KeyRules:
    """The terms of what is worked out from a key's use, and what was found otherwise."""

    terms: Terms
    standing: Sequence[Standing] = field(default_factory=tuple)


Keeper = Callable[[int, Sequence[str]], KeyRules]


def key_rules(organization_id: int, client_ids: Sequence[str]) -> KeyRules:
    """Return the organization's rules about keys, and what they have found of these.

    Tenancy: call in the tenant's scope.
    """
    keeper: Keeper = import_string(settings.USAGE_KEY_RULES)
    return keeper(organization_id, client_ids)
