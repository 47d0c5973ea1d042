"""What a rule may ask for: which metric goes with which condition, scope, window and thresholds. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from alerts.figures import PERCENT
from alerts.models.rules import Condition, ScopeKind, Span
from core.problems import FieldError
from usage.queries.metrics import METRICS, Metric, metric_named

MOST_THRESHOLDS: Final = 10
LEAST_REQUESTS: Final = 20
"""Below this no rate is worth a word, unless the rule says otherwise."""

ROLLING: Final = (
    Span.MINUTE,
    Span.MINUTES_5,
    Span.MINUTES_15,
    Span.HOUR,
    Span.HOURS_6,
    Span.HOURS_24,
    Span.DAYS_7,
    Span.DAYS_30,
)
CALENDAR: Final = (Span.DAY, Span.WEEK, Span.MONTH)
WINDOWS: Final[dict[Condition, tuple[Span, ...]]] = {
    Condition.ABOVE: (*ROLLING, *CALENDAR),
    Condition.BELOW: ROLLING,
    Condition.RISES: (*ROLLING, *CALENDAR),
    Condition.FALLS: (*ROLLING, *CALENDAR),
    Condition.NO_TRAFFIC: ROLLING[1:],
    Condition.FORECAST: CALENDAR,
}
"""The windows that each condition can have; the others have none of their own."""

RATE_LIMIT: Final = "rateLimit"
SHARES: Final[dict[str, tuple[ScopeKind, ...]]] = {
    "cost": (ScopeKind.ORGANIZATION, ScopeKind.CREDENTIAL),
    "credits": (ScopeKind.ORGANIZATION,),
    "quota": (ScopeKind.ORGANIZATION,),
    RATE_LIMIT: (ScopeKind.CREDENTIAL,),
}
"""Of what a share can be told: the spend limit, what was granted, the requests allowed in a minute."""
WATCHED: Final = ("requests", "errors", "tokens", "cost")
"""The metrics that are looked at for anomalies."""
_OWN: Final = {
    Condition.NO_TRAFFIC: ("requests",),
    Condition.SHARE: tuple(SHARES),
    Condition.FORECAST_SHARE: ("cost",),
    Condition.ANOMALY: WATCHED,
    Condition.LIMIT: ("cost",),
}
_SCOPES: Final = {
    Condition.FORECAST: (ScopeKind.ORGANIZATION, ScopeKind.CREDENTIAL),
    Condition.FORECAST_SHARE: (ScopeKind.ORGANIZATION, ScopeKind.CREDENTIAL),
    Condition.LIMIT: (ScopeKind.ORGANIZATION,),
}
_WITHOUT_THRESHOLD: Final = (Condition.NO_TRAFFIC, Condition.ANOMALY, Condition.LIMIT)
_OF_PERCENT: Final = (Condition.SHARE, Condition.RISES, Condition.FALLS, Condition.FORECAST_SHARE)
_DOWNWARD: Final = (Condition.BELOW,)
RATES: Final = ("errorRate", "successRate")
_HUNDRED: Final = Decimal(100)
_MOST: Final = Decimal(10) ** 18


@dataclass(frozen=True, slots=True)
class Terms:
    """What a rule asks for.

    ``named`` says whether one part of the scope is named.
    Units: ``thresholds`` in `unit_of` the metric.
    """

    metric: str
    condition: Condition
    scope_kind: ScopeKind
    named: bool
    window: str
    thresholds: tuple[Decimal, ...]

    @property
    def measured(self) -> Metric | None:
        """The metric that is added up; None for what is kept elsewhere."""
        return None if self.condition in (Condition.SHARE, *_ELSEWHERE) else metric_named(self.metric)


_ELSEWHERE: Final = (Condition.FORECAST_SHARE, Condition.LIMIT)


def is_downward(condition: str) -> bool:
    """Tell whether thresholds are reached by falling."""
    return condition in _DOWNWARD


def has_threshold(condition: str) -> bool:
    """Tell whether a rule says itself what is to be reached."""
    return condition not in _WITHOUT_THRESHOLD


def in_order(condition: str, thresholds: Sequence[Decimal]) -> tuple[Decimal, ...]:
    """Return thresholds in the order in which they are reached, each once."""
    return tuple(sorted(set(thresholds), reverse=is_downward(condition)))


def needs_requests(condition: str, metric: str) -> bool:
    """Tell whether few requests say nothing: of quotients, percentiles and changes."""
    found = metric_named(metric)
    of_sums = condition in (Condition.ABOVE, Condition.BELOW)
    return condition in (Condition.RISES, Condition.FALLS) or (
        of_sums and found is not None and not found.adds_up
    )


def unit_of(condition: str, metric: str, currency: str) -> str:
    """Return the unit of thresholds and values: a currency, ``percent``, ``ms`` or what is counted."""
    if condition in _OF_PERCENT or metric in RATES:
        return PERCENT
    if condition == Condition.ANOMALY:
        return "deviations"
    if metric in ("cost", "costPerMillionTokens"):
        return currency
    return "ms" if metric.startswith("latency.") else metric.removeprefix("quantities.")


def faults(terms: Terms) -> list[FieldError]:
    """Return what is wrong with a rule's terms, each fault with its field; none where they are good."""
    known = _metric_fault(terms)
    if known is not None:
        return [known]
    return [*_scope_faults(terms), *_window_faults(terms), *_threshold_faults(terms)]


def _metric_fault(terms: Terms) -> FieldError | None:
    accepted = _OWN.get(terms.condition)
    if accepted is not None:
        if terms.metric in accepted:
            return None
        return _fault("metric", f"With {terms.condition}, the metric is one of: {', '.join(accepted)}.")
    found = metric_named(terms.metric)
    if found is None:
        names = ", ".join(METRICS)
        return _fault("metric", f"There is no such metric; accepted: {names}, or the name of a quantity.")
    if terms.condition == Condition.FORECAST and not found.adds_up:
        return _fault("metric", "A forecast is made of what adds up, not of rates, averages or percentiles.")
    return None


def _scope_faults(terms: Terms) -> Iterator[FieldError]:
    scopes = _SCOPES.get(terms.condition)
    if terms.condition == Condition.SHARE:
        scopes = SHARES[terms.metric]
    if scopes is not None and terms.scope_kind not in scopes:
        names = ", ".join(scope.value for scope in scopes)
        yield _fault("scope/kind", f"With {terms.condition} of {terms.metric}, accepted: {names}.")
    if terms.condition == Condition.FORECAST and terms.scope_kind != "organization" and not terms.named:
        yield _fault("scope/value", "A forecast is made of the organization, or of one credential: name it.")


def _window_faults(terms: Terms) -> Iterator[FieldError]:
    accepted = WINDOWS.get(terms.condition)
    if accepted is None:
        if terms.window:
            yield _fault("window", f"With {terms.condition} there is no window to choose: leave it out.")
    elif terms.window not in accepted:
        names = ", ".join(span.value for span in accepted)
        yield _fault("window", f"With {terms.condition}, accepted: {names}.")


def _threshold_faults(terms: Terms) -> Iterator[FieldError]:
    given = terms.thresholds
    if not has_threshold(terms.condition):
        if given:
            yield _fault("threshold", f"With {terms.condition} there is no threshold: leave it out.")
        return
    if not given:
        yield _fault("threshold", "At least one threshold is needed.", "required")
    if len(set(given)) != len(given) or len(given) > MOST_THRESHOLDS:
        yield _fault("threshold", f"Each threshold can be given once, and {MOST_THRESHOLDS} in all.")
    most = _HUNDRED if terms.condition == Condition.FALLS or terms.metric in RATES else _MOST
    for place, threshold in enumerate(given):
        if not 0 < threshold <= most:
            yield _fault(f"threshold/{place}", f"Must be more than 0, and at most {most:f}.")


def _fault(field: str, detail: str, code: str = "invalid") -> FieldError:
    return FieldError(f"/{field}", code, detail)
