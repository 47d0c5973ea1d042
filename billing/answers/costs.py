"""How costs are written."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from billing.outlook import CONFIDENCE, CostOutlook, Estimate
from billing.queries.comparison import Part
from billing.queries.costs import Cause, Costs, Figures
from core.money import format_money
from usage import answers
from usage.quantities import quotient


def costs(found: Costs, *, names: Mapping[int, tuple[str, str]]) -> dict[str, Any]:
    """Write costs; ``names`` has the client id and the name of each credential."""
    return {
        "cost": format_money(found.total.cost_nanos),
        "daily": [{"date": day.isoformat(), **_figures(figures)} for day, figures in found.days],
        "rolling7Days": format_money(found.rolling_nanos),
        "monthToDate": format_money(found.month_to_date_nanos),
        "billingPeriod": format_money(found.billing_period_nanos),
        "periods": {
            "rolling7Days": answers.period(found.spans.rolling),
            "monthToDate": answers.period(found.spans.month_to_date),
            "billingPeriod": answers.period(found.spans.billing_period),
        },
        "byCredential": [
            {**_credential(cause, names), **_share(cause, found)} for cause in found.by_credential
        ],
        "byModel": [{**_model(cause), **_share(cause, found)} for cause in found.by_model],
        "byCapability": [
            {"capability": cause.values[0] or None, **_share(cause, found)} for cause in found.by_capability
        ],
        "unpriced": {"records": found.total.unpriced, "models": list(_unpriced(found.by_model))},
    }


def foreseen(found: CostOutlook) -> dict[str, Any]:
    """Write what spending will come to."""
    return {
        "method": found.method,
        "historyDays": found.learned_days,
        "confidence": CONFIDENCE,
        "billingPeriod": _estimate(found.billing_period),
        "next30Days": _estimate(found.next_30_days),
    }


def comparison(parts: Sequence[Part]) -> dict[str, Any]:
    """Write what use cost, and what it would have on another model: in all, and by the models it was of."""
    cost_nanos, other_nanos = sum(part.cost_nanos for part in parts), sum(part.other_nanos for part in parts)
    return {
        "records": sum(part.records for part in parts),
        **_difference(cost_nanos, other_nanos),
        "byModel": [
            {
                "model": part.model or None,
                "provider": part.provider or None,
                "records": part.records,
                **_difference(part.cost_nanos, part.other_nanos),
            }
            for part in parts
            if part.records
        ],
        "unpriced": {
            "records": sum(part.unpriced for part in parts),
            "otherCost": format_money(sum(part.unpriced_other_nanos for part in parts)),
        },
    }


def _estimate(found: Estimate | None) -> dict[str, Any] | None:
    if found is None:
        return None
    return {
        "expected": format_money(found.expected_nanos),
        "low": format_money(found.low_nanos),
        "high": format_money(found.high_nanos),
    }


def _difference(cost_nanos: int, other_nanos: int) -> dict[str, Any]:
    return {
        "cost": format_money(cost_nanos),
        "otherCost": format_money(other_nanos),
        "difference": format_money(other_nanos - cost_nanos),
        "ratio": quotient(other_nanos, cost_nanos, 6),
    }


def _figures(figures: Figures) -> dict[str, Any]:
    return {
        "cost": format_money(figures.cost_nanos),
        "requests": figures.requests,
        "tokens": figures.tokens,
        "unpricedRecords": figures.unpriced,
    }


def _share(cause: Cause, found: Costs) -> dict[str, Any]:
    share = quotient(cause.figures.cost_nanos, found.total.cost_nanos, 6)
    return {**_figures(cause.figures), "share": share}


def _credential(cause: Cause, names: Mapping[int, tuple[str, str]]) -> dict[str, Any]:
    client_id, name = names[cause.values[0]]
    return {"clientId": client_id, "name": name}


def _model(cause: Cause) -> dict[str, Any]:
    model, provider = cause.values
    return {"model": model or None, "provider": provider or None}


def _unpriced(causes: Iterable[Cause]) -> Iterable[dict[str, Any]]:
    """Yield the models that have records without a cost, most records first."""
    open_ones = [cause for cause in causes if cause.figures.unpriced]
    for cause in sorted(open_ones, key=lambda cause: -cause.figures.unpriced):
        yield {**_model(cause), "records": cause.figures.unpriced}
