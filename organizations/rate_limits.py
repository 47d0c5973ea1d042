"""How many requests a minute a caller may make, counted in Redis.

A window is a minute of the clock, so that the count, what is left and when it begins anew are exact and the
same for every process. A refused request doesn't count. What is counted may be lost with Redis: while it is
away every request is let through, and the log says so.
Source: draft-ietf-httpapi-ratelimit-headers.
"""

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Final

import structlog
from django.conf import settings
from redis import Redis
from redis.exceptions import RedisError

from core import clock
from core.problems import Problem, too_many_requests
from organizations.tenancy import Caller

API: Final = "api"
"""The counter of Headroom's own API."""
WINDOW_SECONDS: Final = 60
POLICY: Final = "permin"
PEAK_DAYS: Final = 30
TIMEOUT_SECONDS: Final = 0.1
PAUSE_SECONDS: Final = 5.0
"""How long Redis isn't asked again after it failed to answer."""

_KEPT_SECONDS: Final = 2 * WINDOW_SECONDS
_PEAK_KEPT_SECONDS: Final = (PEAK_DAYS + 1) * 24 * 3600
_WINDOW: Final = timedelta(seconds=WINDOW_SECONDS)

# KEYS: the window's count, the day's peak. ARGV: limit, seconds to keep each. Answers the count with this
# request, or -1 where it is one too many.
_TAKE: Final = """
local used = tonumber(redis.call('GET', KEYS[1]) or '0')
if used >= tonumber(ARGV[1]) then return -1 end
used = redis.call('INCR', KEYS[1])
if used == 1 then redis.call('EXPIRE', KEYS[1], ARGV[2]) end
if used > tonumber(redis.call('GET', KEYS[2]) or '0') then redis.call('SET', KEYS[2], used, 'EX', ARGV[3]) end
return used
"""

log: Final = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether a request is within its limit, and how much of the window is left.

    Units: ``resets_in`` whole seconds, rounded up.
    """

    allowed: bool
    limit: int
    used: int
    resets_in: int

    @property
    def remaining(self) -> int:
        """How many requests more the window allows."""
        return max(self.limit - self.used, 0)

    @property
    def headers(self) -> dict[str, str]:
        """The header fields of an answer."""
        return {
            "RateLimit-Policy": f'"{POLICY}";q={self.limit};w={WINDOW_SECONDS}',
            "RateLimit": f'"{POLICY}";r={self.remaining};t={self.resets_in}',
        }

    def enforce(self) -> None:
        """Go on only within the limit.

        Raises: `Problem` 429.
        """
        if not self.allowed:
            raise self._refusal()

    def _refusal(self) -> Problem:
        detail = (
            f"The limit of {self.limit:,} requests a minute is reached; it begins anew in {self.resets_in} s."
        )
        return too_many_requests(detail, retry_after=self.resets_in, headers=self.headers)


@dataclass(frozen=True, slots=True)
class State:
    """How much of its limit a credential has used in this window, and the most in any minute of late."""

    used: int
    peak_per_minute: int


class _Circuit:
    """Keeps a Redis that doesn't answer from costing every request its timeout."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._closed_from = 0.0

    @property
    def is_open(self) -> bool:
        """Whether Redis is left alone at present."""
        return time.monotonic() < self._closed_from

    def trip(self, error: Exception) -> None:
        """Leave Redis alone for a while, and say so once."""
        with self._lock:
            if self.is_open:
                return
            self._closed_from = time.monotonic() + PAUSE_SECONDS
        log.warning("rate limits are not enforced: Redis does not answer", error=str(error))


_circuit = _Circuit()


def take(caller: Caller, *, counter: str = API) -> Decision | None:
    """Count one request of a caller, if its limit allows it; None while Redis is away.

    Concurrency: one script in Redis, exact across processes.
    """
    now = clock.now()
    if _circuit.is_open:
        return None
    limit = caller.plan.requests_per_minute
    who = _who(caller)
    keys = [_window_key(counter, who, now), _peak_key(counter, who, now)]
    try:
        used = int(_script()(keys=keys, args=[limit, _KEPT_SECONDS, _PEAK_KEPT_SECONDS], client=_redis()))
    except RedisError as error:
        _circuit.trip(error)
        return None
    return Decision(used >= 0, limit, limit if used < 0 else used, _resets_in(now))


def states(client_ids: Sequence[str], *, counter: str = API) -> dict[str, State]:
    """Return the state of each credential by its client id, in one round trip; zeros while Redis is away."""
    now = clock.now()
    days = [now - timedelta(days=back) for back in range(PEAK_DAYS)]
    keys = [_window_key(counter, client_id, now) for client_id in client_ids]
    keys += [_peak_key(counter, client_id, day) for client_id in client_ids for day in days]
    found = _read(keys)
    used, peaks = found[: len(client_ids)], found[len(client_ids) :]
    return {
        client_id: State(used[place], max(peaks[place * PEAK_DAYS : (place + 1) * PEAK_DAYS]))
        for place, client_id in enumerate(client_ids)
    }


def window_end(now: datetime) -> datetime:
    """Return when the window that holds a moment ends."""
    return now.replace(second=0, microsecond=0) + _WINDOW


def _read(keys: list[str]) -> list[int]:
    if not keys or _circuit.is_open:
        return [0] * len(keys)
    try:
        values: Any = _redis().mget(keys)
    except RedisError as error:
        _circuit.trip(error)
        return [0] * len(keys)
    return [int(value or 0) for value in values]


def _resets_in(now: datetime) -> int:
    return -(-(window_end(now) - now) // timedelta(seconds=1))


def _who(caller: Caller) -> str:
    return caller.client_id or f"user-{caller.user_id}-{caller.organization_id}"


def _window_key(counter: str, who: str, now: datetime) -> str:
    return f"headroom:rate:{counter}:{who}:{int(now.timestamp()) // WINDOW_SECONDS}"


def _peak_key(counter: str, who: str, day: datetime) -> str:
    return f"headroom:rate-peak:{counter}:{who}:{day:%Y%m%d}"


@cache
def _redis() -> "Redis":
    return Redis.from_url(
        settings.REDIS_URL, socket_timeout=TIMEOUT_SECONDS, socket_connect_timeout=TIMEOUT_SECONDS
    )


@cache
def _script() -> Any:
    return _redis().register_script(_TAKE)
