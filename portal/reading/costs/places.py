"""Where the figures of the Costs page lead."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Final

from core.moments import format_moment
from core.periods import Period
from portal.filters import Filters, day_parameters

_INSTANT: Final = timedelta(microseconds=1)

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
        first = day_parameters(self.filters, period.start)
        last = day_parameters(self.filters, max(period.end - _INSTANT, period.start))
        exact = {"since": format_moment(period.start), "before": format_moment(period.end)}
        return self.to("logs", **{**first, "to": last["to"], **exact})

    def days(self, period: Period) -> str:
        """Return where the records of a bucket are, by its days."""
        last = day_parameters(self.filters, period.end - _INSTANT)
        return self.to("logs", **{**day_parameters(self.filters, period.start), "to": last["to"]})
