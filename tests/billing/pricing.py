"""Prices for tests."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

from billing.book.services import add_price
from billing.book.terms import Terms
from billing.models import Price
from billing.rating import Rate

BEGINNING: Final = datetime(2000, 1, 1, tzinfo=UTC)
MILLION: Final = 1_000_000


def price(organization_id: int | None = None, *, prompt: int = 1, **terms: Any) -> Price:
    """Add a price of so many nanos a prompt token, or with the rates given, from 2000 on."""
    terms.setdefault("rates", (Rate("prompt", prompt, 1),))
    terms.setdefault("effective_from", BEGINNING)
    terms.setdefault("provider", "openai")
    terms.setdefault("model", "gpt-4o")
    return add_price(Terms(**terms), organization_id=organization_id)
