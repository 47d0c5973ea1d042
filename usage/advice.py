"""What is worth telling about a key, and what to do about it. Pure: figures in, advice out."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from usage.key_rules import Term, Terms

ERROR_RATE_GROWTH: Final = 2.0
"""By what a rate of errors has to differ from the one before to be news."""
GROWN_UP: Final = timedelta(days=30)
"""How old a key has to be for its use to be sudden."""
_HUNDRED: Final = 100


@dataclass(frozen=True, slots=True)
class Figures:
    """The use of one key over a window."""

    requests: int = 0
    errors: int = 0
    latency_records: int = 0
    latency_us: int = 0

    @property
    def error_rate(self) -> float:
        """Errors per request."""
        return self.errors / self.requests if self.requests else 0.0

    @property
    def latency_ms(self) -> float:
        """The average latency."""
        return self.latency_us / self.latency_records / 1000 if self.latency_records else 0.0


@dataclass(frozen=True, slots=True)
class KeyFacts:
    """What is known of one key: the window asked for, the equally long one before if any, its limits."""

    client_id: str
    name: str
    created_at: datetime
    last_used_at: datetime | None
    now: Figures
    before: Figures | None
    limit_per_minute: int
    peak_per_minute: int


@dataclass(frozen=True, slots=True)
class Advice:
    """One thing to tell of a key."""

    severity: str
    code: str
    client_id: str
    message: str
    recommendation: str


def advise(key: KeyFacts, at: datetime, terms: Terms) -> Iterator[Advice]:
    """Yield what is worth telling about a key at a moment, gravest first."""
    for code, rule in _RULES.items():
        found = rule(key, at, terms[code]) if code in terms else None
        if found is not None:
            severity, message, recommendation = found
            yield Advice(severity, code, key.client_id, f"{key.name}: {message}", recommendation)


Finding = tuple[str, str, str]


def _reached(part: int, whole: int, term: Term, *, above: int = 0) -> int:
    """Return how many thresholds a part of a whole has reached, or exceeds the whole by."""
    return sum(part * _HUNDRED >= whole * (above + threshold) for threshold in term.thresholds)


def _errors(key: KeyFacts, at: datetime, term: Term) -> Finding | None:
    rate, before = key.now.error_rate, key.before or Figures()
    reached = _reached(key.now.errors, key.now.requests, term)
    if key.now.requests < max(term.least_requests, 1) or not reached:
        return None
    known = before.requests >= max(term.least_requests, 1)
    if known and rate < before.error_rate * ERROR_RATE_GROWTH:
        return None
    return (
        term.severity_at(reached),
        f"{rate:.1%} of requests fail" + (f", {before.error_rate:.1%} before." if known else "."),
        "Look at the errors by code and endpoint; retry 429 and 5xx with backoff, mend 4xx at the caller.",
    )


def _rate_limit(key: KeyFacts, at: datetime, term: Term) -> Finding | None:
    reached = _reached(key.peak_per_minute, key.limit_per_minute, term)
    if not reached:
        return None
    return (
        term.severity_at(reached),
        f"up to {key.peak_per_minute:,} requests in a minute, of {key.limit_per_minute:,} allowed.",
        "Spread the requests over time, send records in batches, or move to a plan with a higher limit.",
    )


def _latency(key: KeyFacts, at: datetime, term: Term) -> Finding | None:
    now, before = key.now, key.before or Figures()
    if min(now.latency_records, before.latency_records) < max(term.least_requests, 1):
        return None
    # Both averages over the product of what they are averages of.
    part, whole = now.latency_us * before.latency_records, before.latency_us * now.latency_records
    reached = _reached(part, whole, term, above=_HUNDRED)
    if not reached:
        return None
    return (
        term.severity_at(reached),
        f"{now.latency_ms:,.0f} ms on average, {before.latency_ms:,.0f} ms before.",
        "Compare endpoints and models: shorter prompts, a smaller model or cached prompts answer sooner.",
    )


def _sudden(key: KeyFacts, at: datetime, term: Term) -> Finding | None:
    if key.before is None or at - key.created_at < GROWN_UP or key.now.requests < max(term.least_requests, 1):
        return None
    reached = _reached(key.now.requests, key.before.requests, term, above=_HUNDRED)
    if not reached:
        return None
    return (
        term.severity_at(reached),
        f"{key.now.requests:,} requests, after {key.before.requests:,} in the period before.",
        "Check that this use is yours; rotate the key if it may have leaked.",
    )


def _unused(key: KeyFacts, at: datetime, term: Term) -> Finding | None:
    last = key.last_used_at or key.created_at
    if at - last < term.after:
        return None
    since = (
        f"for {(at - last).days} days"
        if key.last_used_at
        else f"since it was made {(at - last).days} days ago"
    )
    return (term.severity, f"not used {since}.", "Revoke the key if nothing needs it any more.")


_RULES: Final[dict[str, Callable[[KeyFacts, datetime, Term], Finding | None]]] = {
    "error_rate_up": _errors,
    "rate_limit_near": _rate_limit,
    "latency_up": _latency,
    "suddenly_busy": _sudden,
    "unused": _unused,
}
