"""A price before it is one: what it is for, and what it says. No database, no clock."""

from dataclasses import dataclass
from datetime import UTC, datetime, time
from typing import Final

from billing.rating import Rate

STANDARD: Final = "standard"
MANUAL: Final = "manual"
FIRST: Final = datetime(2000, 1, 1, tzinfo=UTC)
"""When the first price of a model begins, unless something else is known: before any record."""

Key = tuple[str, str, str, time | None, time | None]
"""Provider, model, tier and hours: what a price supersedes earlier ones of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """A price as it is to be: what it is for, from when, and its rates."""

    rates: tuple[Rate, ...]
    effective_from: datetime
    provider: str = ""
    model: str = ""
    tier: str = STANDARD
    currency: str = "USD"
    daily_from: time | None = None
    daily_until: time | None = None
    effective_until: datetime | None = None
    source: str = MANUAL

    @property
    def key(self) -> Key:
        """Return what it is for."""
        return self.provider, self.model, self.tier, self.daily_from, self.daily_until
