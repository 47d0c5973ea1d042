"""The pace at which spending will go on, by hours: who knows it is named in the settings (``BILLING_PACE``).

It takes more than adding up to know, and that is done in a room further right.
"""

from collections.abc import Callable, Sequence
from datetime import datetime

from django.conf import settings
from django.utils.module_loading import import_string

from billing.forecast import Pace, Spent

_Teller = Callable[[Sequence[Spent], datetime], Pace]


def pace_of(spent: Sequence[Spent], now: datetime) -> Pace:
    """Return the pace of the coming week, from what was spent by quarter-hours in the weeks before."""
    teller: _Teller = import_string(settings.BILLING_PACE)
    return teller(spent, now)
