"""Where the figures of the Costs page lead."""

from __future__ import annotations

from collections.abc import Callable

from core.periods import Period
from portal import windows
from portal.filters import Filters

To = Callable[..., str]


class Places:
    """Where figures lead: to the page as it is filtered, and to the records behind them."""

    def __init__(self, filters: Filters, currency: str, to: To) -> None:
        self.filters = filters
        self.currency = currency
        self.to = to

    def records(self, **also: str) -> str:
        """Return where the records of the bar's days are."""
        return self.to("logs", **{**self.filters.parameters, **also})

    def within(self, period: Period) -> str:
        """Return where the records of another window are, to the moment."""
        return windows.records(self.to, period, self.filters.zone, **self.filters.what)

    def bucket(self, period: Period, **also: str) -> str:
        """Return where the records of a bucket are."""
        return windows.bucket(self.to, period, self.filters.zone, **{**self.filters.what, **also})
