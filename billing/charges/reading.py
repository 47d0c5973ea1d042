"""Going through the records of a window and what each of them is charged."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import msgspec

from billing.charges.items import Divider, Names, Part, whole
from billing.charges.sheets import Sheets
from billing.rating import Usage
from core.periods import Period
from usage.exports.stream import stream
from usage.rollups.adjusted import ADJUSTED_RECORDS

_COLUMNS: Final = (
    "occurred_at", "credential_id", "provider", "model", "service_tier", "price_id", "cost_nanos",
    "prompt_tokens", "completion_tokens", "cached_prompt_tokens", "cache_write_tokens", "reasoning_tokens",
    "quantities::text", "succeeded",
)  # fmt: skip
_SELECT: Final = (
    f"SELECT {', '.join(_COLUMNS)} FROM {ADJUSTED_RECORDS} AS record "
    "WHERE organization_id = %s AND occurred_at >= %s AND occurred_at < %s AND cost_nanos IS NOT NULL "
    # The order of an index, so that nothing is sorted before the first row.
    "ORDER BY organization_id, occurred_at, key"
)
_decode: Final = msgspec.json.Decoder(dict[str, int | str]).decode


@dataclass(frozen=True, slots=True)
class Charged:
    """A record that has a cost, and the parts of it, which add up to it."""

    occurred_at: datetime
    credential_id: int
    parts: list[Part]


def read(organization_id: int, period: Period) -> Iterator[Charged]:
    """Yield the records of a period that have a cost, oldest first, a bounded number at a time.

    Tenancy: call in the tenant's scope, in a snapshot.
    """
    sheets, divider = Sheets(organization_id), Divider()
    for batch in stream(_SELECT, [organization_id, period.start, period.end]):
        for row in zip(*batch, strict=True):
            yield _charged(row, sheets, divider)


def _charged(row: tuple[Any, ...], sheets: Sheets, divider: Divider) -> Charged:
    occurred_at, credential_id, provider, model, tier, price_id, cost_nanos = row[:7]
    names = Names(provider or "", model or "", tier or "")
    sheet = sheets.sheet(price_id, occurred_at)
    parts = divider.divide(_used(*row[7:]), names, cost_nanos, sheet) if sheet is not None else []
    return Charged(occurred_at, credential_id, parts or [whole(names, cost_nanos, price_id)])


def _used(
    prompt: int | None,
    completion: int | None,
    cached: int | None,
    written: int | None,
    reasoning: int | None,
    quantities: str | None,
    succeeded: bool,
) -> Usage:
    read_ = None if quantities is None else _decode(quantities)
    return Usage(prompt, completion, cached, written, reasoning, read_, succeeded)
