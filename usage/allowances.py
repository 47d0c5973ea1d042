"""What an organization may still use of what it was granted.

Who keeps the grants is named in the settings (``USAGE_ALLOWANCES``), since that is a room further right.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.conf import settings
from django.utils.module_loading import import_string


@dataclass(frozen=True, slots=True)
class Allowance:
    """What was granted to date, and what is left of it now."""

    granted: Decimal
    remaining: Decimal


Keeper = Callable[[int, datetime], Mapping[str, Allowance]]


def allowances(organization_id: int, now: datetime) -> Mapping[str, Allowance]:
    """Return the organization's allowances by the meters that use them up; none where nothing was granted.

    Tenancy: call in the tenant's scope.
    """
    keeper: Keeper = import_string(settings.USAGE_ALLOWANCES)
    return keeper(organization_id, now)
