"""A batch on its way: what was decoded, the rows to store, and what became of each."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from msgspec import Struct

from organizations.door import Entry
from organizations.tenancy import Caller
from usage.dialects.errors import RecordError
from usage.dialects.plain import RecordIn

# The names by which usage_store knows the columns: short, since every row of a batch repeats them.
_SHORT: Final = {
    "key": "k", "id": "i", "credential_id": "a", "occurred_at": "t", "count": "n", "prompt_tokens": "p",
    "completion_tokens": "c", "total_tokens": "s", "cached_prompt_tokens": "pc", "cache_write_tokens": "pw",
    "reasoning_tokens": "cr", "latency_us": "l", "cost_nanos": "x", "price_id": "xi", "status_code": "sc",
    "succeeded": "ok", "execution": "ex", "type": "ty", "endpoint": "e", "capability": "ca", "model": "m",
    "provider": "pr", "error_type": "et", "reservation_id": "ri", "links": "li", "quantities": "q",
    "meta": "me", "service_tier": "st",
}  # fmt: skip


class Row(Struct, kw_only=True, omit_defaults=True, rename=_SHORT, gc=False):
    """A record as it is stored, in the order and under the short names that ``usage_store`` reads.

    Units: ``latency_us`` microseconds, ``cost_nanos`` nanos of the organization's currency.
    """

    key: str
    id: str
    credential_id: int
    occurred_at: datetime
    count: int
    succeeded: bool
    execution: bool
    type: str
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    total_tokens: int | None = None
    cached_prompt_tokens: int | None = None
    cache_write_tokens: int | None = None
    reasoning_tokens: int | None = None
    latency_us: int | None = None
    cost_nanos: int | None = None
    price_id: int | None = None
    status_code: int | None = None
    endpoint: str | None = None
    capability: str | None = None
    model: str | None = None
    provider: str | None = None
    service_tier: str | None = None
    error_type: str | None = None
    reservation_id: str | None = None
    links: dict[str, str] | None = None
    quantities: dict[str, int | str] | None = None
    meta: dict[str, Any] | None = None


@dataclass(slots=True)
class Batch:
    """One request's records for one organization, passed through the stages of the pipeline.

    ``rows`` are sorted by key and have no key twice; ``known`` are the keys, among them, that were
    stored before. What was refused is in ``errors``, and in none of the rows. With an ``entry`` the caller is
    a remembered one, to be confirmed by it; without one it has just been looked up. ``rests_on`` are the
    numbers of the states by which stages prepared it, for what settles it to confirm. ``receipt`` is what was
    stored, as usage_store tells it.
    """

    caller: Caller
    received_at: datetime
    history_from: datetime
    records: list[tuple[int, RecordIn]]
    errors: list[RecordError] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    repeated: int = 0
    known: frozenset[str] = frozenset()
    receipt: str | None = None
    entry: Entry | None = None
    rests_on: dict[str, int] = field(default_factory=dict)

    @property
    def accepted(self) -> list[Row]:
        """The rows that were stored now."""
        return [row for row in self.rows if row.key not in self.known] if self.known else self.rows

    @property
    def outcome(self) -> "Outcome":
        """What to answer."""
        duplicates = len(self.known) + self.repeated
        errors = tuple(sorted(self.errors, key=lambda error: error.index))
        return Outcome(len(self.rows) - len(self.known), duplicates, len(errors), errors)


class Unconfirmed(Exception):
    """The door says otherwise of the batch's sender than it did; nothing was stored."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a batch."""

    accepted: int
    duplicates: int
    rejected: int
    errors: tuple[RecordError, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return the outcome as it is answered."""
        return {
            "accepted": self.accepted,
            "duplicates": self.duplicates,
            "rejected": self.rejected,
            "errors": [error.as_dict() for error in self.errors],
        }
