"""How uses burn grants down. Pure; ``billing_burn`` in sql/ledger.sql does the same where the ledger is."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final

LATE: Final = timedelta(hours=1)
"""How long after a grant has expired a record may still arrive of what was used while it was in force."""
_NEVER: Final = datetime.max.replace(tzinfo=UTC)
_ZERO: Final = Decimal(0)


@dataclass(frozen=True, slots=True)
class Held:
    """A grant and what is left of it; ``expires_at`` None is never."""

    id: int
    priority: int
    effective_at: datetime
    expires_at: datetime | None
    balance: Decimal

    def covers(self, moment: datetime) -> bool:
        """Tell whether the grant is in force at a moment."""
        return self.effective_at <= moment and (self.expires_at is None or moment < self.expires_at)


@dataclass(frozen=True, slots=True)
class Use:
    """An amount that was used at a moment."""

    moment: datetime
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Burned:
    """What each grant gives, by its id, and what none of them covers."""

    taken: dict[int, Decimal]
    uncovered: Decimal


def in_order(grants: Iterable[Held]) -> list[Held]:
    """Return grants in the order in which they are burnt down: by priority, then by expiry, then by age."""
    return sorted(grants, key=lambda held: (held.priority, held.expires_at or _NEVER, held.id))


def burn(uses: Iterable[Use], grants: Sequence[Held], now: datetime) -> Burned:
    """Return what uses that arrive now take from grants, the earliest first; none gives more than it has."""
    open_ = [held for held in in_order(grants) if held.expires_at is None or now < held.expires_at + LATE]
    taken: dict[int, Decimal] = {}
    uncovered = _ZERO
    for use in sorted(uses, key=lambda use: use.moment):
        need = use.amount
        for held in open_:
            if need and held.covers(use.moment):
                part = min(need, held.balance - taken.get(held.id, _ZERO))
                if part:
                    taken[held.id] = taken.get(held.id, _ZERO) + part
                need -= part
        uncovered += need
    return Burned(taken, uncovered)
