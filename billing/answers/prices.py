"""How prices, and the reasons for costs, are written."""

from datetime import time
from typing import Any

from billing.queries.prices import Explanation, PriceTerms
from billing.rating import Line, Rate
from core.moments import format_moment
from core.money import format_money
from usage.quantities import number
from usage.queries.records import StoredRecord
from usage.tiers import Tier


def price(terms: PriceTerms) -> dict[str, Any]:
    """Write a price."""
    return {
        "id": terms.id,
        "own": terms.own,
        "provider": terms.provider or None,
        "model": terms.model or None,
        "tier": terms.tier,
        "currency": terms.currency,
        "effectiveFrom": format_moment(terms.effective_from),
        "effectiveUntil": None if terms.effective_until is None else format_moment(terms.effective_until),
        "hours": _hours(terms.daily_from, terms.daily_until),
        "source": terms.source,
        "discountPercent": f"{terms.discount_bp // 100}.{terms.discount_bp % 100:02d}",
        "rates": [_rate(rate) for rate in terms.rates],
    }


def explanation(record: StoredRecord, why: Explanation, *, currency: str) -> dict[str, Any]:
    """Write why a record costs what it does."""
    return {
        "id": record.id,
        "timestamp": format_moment(record.occurred_at),
        "provider": record.provider,
        "model": record.model,
        "serviceTier": record.service_tier or Tier.STANDARD.value,
        "basis": why.basis.value,
        "cost": None if why.cost_nanos is None else format_money(why.cost_nanos),
        "currency": currency,
        "price": None if why.price is None else price(why.price),
        "lines": [_line(line) for line in why.lines],
    }


def _rate(rate: Rate) -> dict[str, Any]:
    return {
        "meter": rate.meter,
        "above": rate.above,
        "amount": format_money(rate.amount_nanos),
        "per": rate.per,
    }


def _line(line: Line) -> dict[str, Any]:
    return {**_rate(line.rate), "quantity": number(line.quantity), "cost": format_money(line.cost_nanos)}


def _hours(start: time | None, end: time | None) -> dict[str, str] | None:
    if start is None or end is None:
        return None
    return {"from": start.isoformat("minutes"), "to": end.isoformat("minutes")}
