"""Which of several prices and discounts holds at a moment. No database, no clock."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from typing import Final

from billing.rating import Rate, Sheet

BEGINNING: Final = datetime.min.replace(tzinfo=UTC)
END: Final = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Version:
    """A price as the book keeps it; of two the later ``id`` was made later."""

    id: int
    provider: str
    model: str
    tier: str
    effective_from: datetime
    effective_until: datetime | None
    daily_from: time | None
    daily_until: time | None
    rates: tuple[Rate, ...]
    own: bool = False
    _sheets: dict[int, Sheet] = field(default_factory=dict, compare=False, repr=False)

    def sheet(self, discount_bp: int) -> Sheet:
        """Return the price less a discount, compiled once."""
        found = self._sheets.get(discount_bp)
        if found is None:
            found = self._sheets[discount_bp] = Sheet(self.id, self.rates, discount_bp)
        return found

    def holds(self, at: datetime) -> bool:
        """Tell whether this price can apply to a call at a moment."""
        if not self.effective_from <= at or (self.effective_until is not None and self.effective_until <= at):
            return False
        if self.daily_from is None or self.daily_until is None:
            return True
        if self.daily_from < self.daily_until:
            return self.daily_from <= at.time() < self.daily_until
        return at.time() >= self.daily_from or at.time() < self.daily_until

    @property
    def edges(self) -> tuple[datetime, ...]:
        """The moments at which it begins and ends."""
        return tuple(edge for edge in (self.effective_from, self.effective_until) if edge is not None)


@dataclass(frozen=True, slots=True)
class Reduction:
    """A discount as the book keeps it."""

    id: int
    basis_points: int
    provider: str
    model: str
    effective_from: datetime
    effective_until: datetime | None

    def covers(self, version: Version) -> bool:
        """Tell whether a price of the list is one that it reduces."""
        return self.provider in ("", version.provider) and self.model in ("", version.model)

    def holds(self, at: datetime) -> bool:
        """Tell whether it applies to calls at a moment."""
        return self.effective_from <= at and (self.effective_until is None or at < self.effective_until)

    @property
    def edges(self) -> tuple[datetime, ...]:
        """The moments at which it begins and ends."""
        return tuple(edge for edge in (self.effective_from, self.effective_until) if edge is not None)


def latest(versions: Iterable[Version], at: datetime) -> Version | None:
    """Return the price that holds at a moment: one of the hour before one of the day, then the latest."""
    standing = (version for version in versions if version.holds(at))
    return max(
        standing, key=lambda each: (each.daily_from is not None, each.effective_from, each.id), default=None
    )


def deepest(reductions: Iterable[Reduction], version: Version, at: datetime) -> Reduction | None:
    """Return the discount on a price at a moment: the most particular one, then the latest."""
    standing = (each for each in reductions if each.holds(at) and each.covers(version))
    return max(
        standing,
        key=lambda each: (each.model != "", each.provider != "", each.effective_from, each.id),
        default=None,
    )


def span(
    versions: Sequence[Version], reductions: Sequence[Reduction], at: datetime
) -> tuple[datetime, datetime]:
    """Return a time around a moment in which nothing of these begins or ends."""
    edges = [edge for version in versions for edge in version.edges]
    edges += [edge for reduction in reductions for edge in reduction.edges]
    hours = [each for each in versions if each.daily_from is not None]
    if hours:
        midnight = at.replace(hour=0, minute=0, second=0, microsecond=0)
        edges += [midnight, midnight + timedelta(days=1)]
        edges += [datetime.combine(midnight, edge, UTC) for each in hours for edge in _times(each)]
    start = max((edge for edge in edges if edge <= at), default=BEGINNING)
    return start, min((edge for edge in edges if edge > at), default=END)


def _times(version: Version) -> list[time]:
    return [edge for edge in (version.daily_from, version.daily_until) if edge is not None]
