"""How the answers of the usage API are written."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from core.moments import format_moment
from core.money import format_money
from core.periods import Period
from usage.allowances import Allowance
from usage.links import LINKS
from usage.quantities import average_ms, number, quotient
from usage.queries.records import StoredRecord
from usage.queries.totals import Peak, Totals, utc_midnight_ms
from usage.tiers import Tier


def period(value: Period) -> dict[str, str]:
    """Write a window."""
    return {"from": format_moment(value.start), "to": format_moment(value.end)}


def record(stored: StoredRecord, *, client_ids: Mapping[int, str], currency: str) -> dict[str, Any]:
    """Write a record, with every field of the contract; a cost that was given later as well."""
    links = stored.links or {}
    adjustment = _adjustment(stored)
    cost_nanos = stored.cost_nanos if adjustment is None else stored.adjusted_cost_nanos
    return {
        "id": stored.id,
        "type": stored.type,
        "timestamp": format_moment(stored.occurred_at),
        "count": stored.count,
        "clientId": client_ids.get(stored.credential_id),
        "endpoint": stored.endpoint,
        "capability": stored.capability,
        "model": stored.model,
        "provider": stored.provider,
        "serviceTier": stored.service_tier or Tier.STANDARD.value,
        "status": "success" if stored.succeeded else "error",
        "statusCode": stored.status_code,
        "errorType": stored.error_type,
        "latencyMs": None if stored.latency_us is None else stored.latency_us / 1000,
        "tokens": _tokens(stored),
        "quantities": stored.quantities or {},
        "cost": None if cost_nanos is None else format_money(cost_nanos),
        "currency": currency,
        "priceId": stored.price_id if adjustment is None else stored.adjusted_price_id,
        "adjustment": adjustment,
        **{name: links.get(name) for name in LINKS},
        "reservationId": stored.reservation_id,
        "meta": stored.meta or {},
        "createdAt": format_moment(stored.created_at),
        "updatedAt": format_moment(stored.adjusted_created_at or stored.created_at),
    }


def _adjustment(stored: StoredRecord) -> dict[str, Any] | None:
    """Write the cost that was given to a record later, if one was."""
    if stored.adjusted_created_at is None:
        return None
    return {
        "cost": format_money(stored.adjusted_cost_nanos),
        "priceId": stored.adjusted_price_id,
        "createdAt": format_moment(stored.adjusted_created_at),
    }


def _tokens(stored: StoredRecord) -> dict[str, int | None] | None:
    if stored.total_tokens is None:
        return None
    return {
        "prompt": stored.prompt_tokens,
        "completion": stored.completion_tokens,
        "total": stored.total_tokens,
        "cachedPrompt": stored.cached_prompt_tokens,
        "cacheWrite": stored.cache_write_tokens,
        "reasoning": stored.reasoning_tokens,
    }


def usage(
    sums: Totals, left: Mapping[str, Allowance], *, peak: Peak | None, currency: str, history_from: Any
) -> dict[str, Any]:
    """Write the totals of a period, and what is left of the allowances now."""
    return {
        "period": period(sums.period),
        "requests": {
            "total": sums.requests,
            "succeeded": sums.succeeded,
            "failed": sums.errors,
            "successRate": quotient(sums.succeeded, sums.requests, 6),
        },
        "tokens": {
            "prompt": sums.prompt_tokens,
            "completion": sums.completion_tokens,
            "total": sums.total_tokens,
            "cachedPrompt": sums.cached_prompt_tokens,
            "cacheWrite": sums.cache_write_tokens,
            "reasoning": sums.reasoning_tokens,
        },
        "conversations": number(sums.meter("conversations")),
        "messages": number(sums.meter("messages")),
        "pages": number(sums.meter("pages")),
        "processorRuns": number(sums.meter("processorRuns")),
        "documents": number(sums.meter("documents")),
        "executions": {
            "completed": sums.executions - sums.failed_executions,
            "failed": sums.failed_executions,
        },
        "quota": _allowance(sums, "quota", left),
        "credits": _allowance(sums, "credits", left),
        "cost": format_money(sums.cost_nanos),
        "currency": currency,
        "unpricedRecords": sums.unpriced,
        "averageRpm": sums.per_minute(sums.requests),
        "averageTpm": sums.per_minute(sums.total_tokens),
        "peakMinute": None if peak is None else _peak(peak),
        "averageLatencyMs": average_ms(sums.latency_us, sums.latency_records),
        "quantities": {name: number(value) for name, value in sorted((sums.meters or {}).items())},
        "historyFrom": format_moment(history_from),
    }


def _peak(peak: Peak) -> dict[str, Any]:
    return {
        "requests": {"timestamp": format_moment(peak.requests_at), "total": peak.requests},
        "tokens": {"timestamp": format_moment(peak.tokens_at), "total": peak.tokens},
    }


def _allowance(sums: Totals, meter: str, left: Mapping[str, Allowance]) -> dict[str, int | str | None]:
    """Write what was consumed of an allowance; an organization without grants has none, which isn't zero."""
    held = left.get(meter)
    return {
        "consumed": number(sums.meter(meter)),
        "granted": None if held is None else number(held.granted),
        "remaining": None if held is None else number(held.remaining),
    }


def points(days: Iterable[tuple[Any, Decimal | int]]) -> list[dict[str, Any]]:
    """Write a daily series."""
    return [{"timestamp": utc_midnight_ms(day), "total": number(total)} for day, total in days]
