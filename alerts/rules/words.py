"""What is said of a rule that is met, and what to do about it. Pure."""

from decimal import Decimal
from typing import Final

from alerts.figures import MILLISECONDS, PERCENT, change, figure, label
from alerts.models import Condition, ScopeKind
from alerts.rules.terms import RATE_LIMIT
from alerts.rules.watched import Reading, Subject, Watched

_NAMES: Final = {
    "cost": "Cost",
    "errorRate": "Error rate",
    "successRate": "Success rate",
    "unpriced": "Records without a price",
    "latency.average": "Average latency",
    "latency.p50": "Latency p50",
    "latency.p95": "Latency p95",
    "latency.p99": "Latency p99",
    "costPerMillionTokens": "Cost of a million tokens",
    RATE_LIMIT: "Requests per minute",
}
_SPANS: Final = {
    "1m": "in the last minute",
    "5m": "in the last 5 minutes",
    "15m": "in the last 15 minutes",
    "1h": "in the last hour",
    "6h": "in the last 6 hours",
    "24h": "in the last 24 hours",
    "7d": "in the last 7 days",
    "30d": "in the last 30 days",
    "day": "today",
    "week": "this week",
    "month": "this month",
}
_WHOLE: Final = {
    "cost": "the spend limit",
    "credits": "the credits granted",
    "quota": "the quota granted",
    RATE_LIMIT: "the rate limit",
}
_OF_ERRORS: Final = (
    "Look at the errors by code and endpoint; retry 429 and 5xx with backoff, fix 4xx in the calling code."
)
_ADVICE: Final = {
    "cost": "Look at what spends the most, by key and model; raise the limit if this spending is expected.",
    "credits": "Ask for more credits, or look at what uses them up.",
    "quota": "Ask for more quota, or look at what uses it up.",
    RATE_LIMIT: "Spread the requests over time, send records in batches, or move to a plan that allows more.",
    "unpriced": "Enter prices for the models that have none, then have the records priced.",
    "errorRate": _OF_ERRORS,
    "errors": _OF_ERRORS,
    "latency": "Compare endpoints and models: shorter or cached prompts and smaller models respond faster.",
}
_BY_CONDITION: Final = {
    Condition.NO_TRAFFIC: "Check whether the caller still runs. Revoke the key if it is no longer needed.",
    Condition.RISES: "Check that this traffic is expected. Rotate the key if it may have leaked.",
    Condition.FALLS: "Check whether callers fail before they send requests, or have moved elsewhere.",
    Condition.BELOW: "Check whether callers fail before they send requests, or have moved elsewhere.",
    Condition.ANOMALY: "Check what drives it. Rotate the key if this traffic is not yours.",
    Condition.FORECAST_SHARE: "Slow down what spends the most, or raise the limit before calls are refused.",
    Condition.FORECAST: "Look at what grows the fastest, by key and model.",
}


def message(rule: Watched, subject: Subject, reading: Reading, threshold: Decimal | None) -> str:
    """Return what happened, in a sentence or two."""
    return f"{_whose(rule, subject)}{_SAYERS[Condition(rule.condition)](rule, reading, threshold)}"[:500]


def recommendation(rule: Watched) -> str:
    """Return what to do about it."""
    by_metric = _ADVICE.get(rule.metric.partition(".")[0]) or _ADVICE.get(rule.metric)
    if rule.condition in (Condition.ABOVE, Condition.SHARE) or rule.metric.startswith("latency"):
        return by_metric or ""
    return _BY_CONDITION.get(Condition(rule.condition)) or by_metric or ""


def _whose(rule: Watched, subject: Subject) -> str:
    if not subject:
        return ""
    kind = "key" if rule.scope_kind == ScopeKind.CREDENTIAL else rule.scope_kind
    return f"{kind.capitalize()} {subject}: "


def metric_name(metric: str) -> str:
    """Return what a metric is called: ``Error rate``, ``Prompt tokens``."""
    return _NAMES.get(metric) or label(metric.removeprefix("quantities."))


def _unit(rule: Watched) -> str:
    """Return the unit, unless it is but the name of what is counted."""
    return rule.unit if rule.unit in (PERCENT, MILLISECONDS, rule.currency) else ""


def _above(rule: Watched, reading: Reading, threshold: Decimal | None) -> str:
    seen, least = figure(reading.value, _unit(rule)), figure(threshold, _unit(rule))
    return f"{metric_name(rule.metric)} {_SPANS[rule.window]}: {seen}, at or above {least}."


def _below(rule: Watched, reading: Reading, threshold: Decimal | None) -> str:
    seen, least = figure(reading.value, _unit(rule)), figure(threshold, _unit(rule))
    return f"{metric_name(rule.metric)} {_SPANS[rule.window]}: {seen}, below {least}."


def _share(rule: Watched, reading: Reading, threshold: Decimal | None) -> str:
    whole = _WHOLE[rule.metric]
    verb = "are at" if rule.metric in ("credits", RATE_LIMIT) else "is at"
    return f"{metric_name(rule.metric)} {verb} {figure(reading.value, PERCENT)} of {whole}."


def _changed(rule: Watched, reading: Reading, threshold: Decimal | None) -> str:
    verb = "rose" if rule.condition == Condition.RISES else "fell"
    unit = PERCENT if rule.metric in ("errorRate", "successRate") else ""
    if rule.metric.startswith("latency."):
        unit = MILLISECONDS
    elif rule.metric.startswith("cost"):
        unit = rule.currency
    how_much, before = change(reading.value or Decimal(0)), figure(reading.before, unit)
    return f"{metric_name(rule.metric)} {_SPANS[rule.window]} {verb} by {how_much}, from {before}."


def _missing(rule: Watched, reading: Reading, threshold: Decimal | None) -> str:
    return f"No requests {_SPANS[rule.window]}, where there were some before."


def _forecast(rule: Watched, reading: Reading, threshold: Decimal | None) -> str:
    seen, least = figure(reading.value, _unit(rule)), figure(threshold, _unit(rule))
    what = f"{metric_name(rule.metric)} {_SPANS[rule.window]}"
    said = f"{what} is forecast to come to {seen}, at or above {least}."
    return f"{said}{_detail(reading)}"


def _forecast_share(rule: Watched, reading: Reading, threshold: Decimal | None) -> str:
    return f"Spending is forecast to reach {figure(threshold, PERCENT)} of the spend limit.{_detail(reading)}"


def _anomaly(rule: Watched, reading: Reading, threshold: Decimal | None) -> str:
    verb = "was" if rule.metric == "cost" else "were"
    return f"{metric_name(rule.metric)} in the last hour {verb} unusual: {reading.detail}"


def _detail(reading: Reading) -> str:
    return f" {reading.detail}" if reading.detail else ""


_SAYERS: Final = {
    Condition.ABOVE: _above,
    Condition.BELOW: _below,
    Condition.SHARE: _share,
    Condition.RISES: _changed,
    Condition.FALLS: _changed,
    Condition.NO_TRAFFIC: _missing,
    Condition.FORECAST: _forecast,
    Condition.FORECAST_SHARE: _forecast_share,
    Condition.ANOMALY: _anomaly,
}
