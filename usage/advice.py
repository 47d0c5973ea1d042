"""What is worth telling about a key, and what to do about it. Pure: figures in, advice out."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

LEAST_REQUESTS: Final = 20
"""Below this no rate is worth a word."""
ERROR_RATE: Final = 0.05
ERROR_RATE_GROWTH: Final = 2.0
LATENCY_GROWTH: Final = 1.5
NEAR_LIMIT: Final = 0.8
UNUSED_AFTER: Final = timedelta(days=30)
BUSY_GROWTH: Final = 10.0


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


def advise(key: KeyFacts, at: datetime) -> Iterator[Advice]:
    """Yield what is worth telling about a key at a moment, gravest first."""
    for rule in (_errors, _rate_limit, _latency, _sudden, _unused):
        found = rule(key, at)
        if found is not None:
            severity, code, message, recommendation = found
            yield Advice(severity, code, key.client_id, f"{key.name}: {message}", recommendation)


Finding = tuple[str, str, str, str]


def _errors(key: KeyFacts, at: datetime) -> Finding | None:
    rate, before = key.now.error_rate, key.before or Figures()
    if key.now.requests < LEAST_REQUESTS or rate < ERROR_RATE:
        return None
    known = before.requests >= LEAST_REQUESTS
    if known and rate < before.error_rate * ERROR_RATE_GROWTH:
        return None
    return (
        "critical" if rate >= 4 * ERROR_RATE else "warning",
        "error_rate_up",
        f"{rate:.1%} of requests fail" + (f", {before.error_rate:.1%} before." if known else "."),
        "Look at the errors by code and endpoint; retry 429 and 5xx with backoff, mend 4xx at the caller.",
    )


def _rate_limit(key: KeyFacts, at: datetime) -> Finding | None:
    if key.peak_per_minute < key.limit_per_minute * NEAR_LIMIT:
        return None
    return (
        "critical" if key.peak_per_minute >= key.limit_per_minute else "warning",
        "rate_limit_near",
        f"up to {key.peak_per_minute:,} requests in a minute, of {key.limit_per_minute:,} allowed.",
        "Spread the requests over time, send records in batches, or move to a plan with a higher limit.",
    )


def _latency(key: KeyFacts, at: datetime) -> Finding | None:
    before = key.before or Figures()
    if min(key.now.latency_records, before.latency_records) < LEAST_REQUESTS:
        return None
    if key.now.latency_ms < before.latency_ms * LATENCY_GROWTH:
        return None
    return (
        "warning",
        "latency_up",
        f"{key.now.latency_ms:,.0f} ms on average, {before.latency_ms:,.0f} ms before.",
        "Compare endpoints and models: shorter prompts, a smaller model or cached prompts answer sooner.",
    )


def _sudden(key: KeyFacts, at: datetime) -> Finding | None:
    if key.before is None or at - key.created_at < UNUSED_AFTER:
        return None
    if key.now.requests < max(LEAST_REQUESTS, key.before.requests * BUSY_GROWTH):
        return None
    return (
        "warning",
        "suddenly_busy",
        f"{key.now.requests:,} requests, after {key.before.requests:,} in the period before.",
        "Check that this use is yours; rotate the key if it may have leaked.",
    )


def _unused(key: KeyFacts, at: datetime) -> Finding | None:
    last = key.last_used_at or key.created_at
    if at - last < UNUSED_AFTER:
        return None
    since = (
        f"for {(at - last).days} days"
        if key.last_used_at
        else f"since it was made {(at - last).days} days ago"
    )
    return (
        "info",
        "unused",
        f"not used {since}.",
        "Revoke the key if nothing needs it any more.",
    )
