"""How many requests a minute a caller may make.

A caller's window of a minute begins with the first request after the one before has ended: whoever begins has
the whole limit, and not everybody's window begins anew at once. All processes share the exact count.
A refused request doesn't count. What is counted may be lost with Redis: while it is away every request is let
through, and the log says so.
Source: draft-ietf-httpapi-ratelimit-headers.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from core import clock
from core.periods import Period
from core.problems import Problem, too_many_requests
from organizations.counters import READ, TAKE, counters
from organizations.tenancy import Caller

API: Final = "api"
"""The counter of Headroom's own API."""
GATE: Final = "gate"
"""The counter of the calls that the gate decides on."""
WINDOW_SECONDS: Final = 60
POLICY: Final = "permin"
PEAK_DAYS: Final = 370
"""How long peaks are kept: a year, wherever it begins."""

_WINDOW_MS: Final = WINDOW_SECONDS * 1000
_DAY_SECONDS: Final = 24 * 3600


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
    """How much of its limit a credential has used, and the most it has used in any window of a period.

    Where no window runs, ``resets_at`` is the end of one that would begin now.
    """

    used: int
    resets_at: datetime
    peak_per_minute: int


def take(caller: Caller, *, counter: str = API) -> Decision | None:
    """Count one request of a caller, if its limit allows it; None while Redis is away.

    A counter of another name counts apart, by the same limit.
    Concurrency: one script in Redis, exact across threads and processes.
    """
    now_ms = _milliseconds(clock.now())
    limit = caller.plan.requests_per_minute
    found = counters().run(TAKE, [_key(counter, _who(caller))], now_ms, _WINDOW_MS, limit, PEAK_DAYS)
    if found is None:
        return None
    allowed, used, ends_ms = found
    return Decision(bool(allowed), limit, used, -(-(ends_ms - now_ms) // 1000))


def states(client_ids: Sequence[str], period: Period, *, counter: str = API) -> dict[str, State]:
    """Return each credential's state by its client id; its peak is that of the UTC days the period touches.

    One round trip for all of them; while Redis is away they are as if never used.
    """
    found = _read([_key(counter, client_id) for client_id in client_ids], period)
    return dict(zip(client_ids, found, strict=True))


def fuller_states(client_ids: Sequence[str], period: Period) -> dict[str, State]:
    """Return each credential's state at the API or at the gate, whichever it uses more, and the higher peak.

    One round trip, as for `states`.
    """
    found = _read([_key(counter, one) for counter in (API, GATE) for one in client_ids], period)
    pairs = zip(found[: len(client_ids)], found[len(client_ids) :], strict=True)
    return {client_id: _fuller(*pair) for client_id, pair in zip(client_ids, pairs, strict=True)}


def _fuller(one: State, other: State) -> State:
    more = max((one, other), key=lambda state: state.used)
    return State(more.used, more.resets_at, max(one.peak_per_minute, other.peak_per_minute))


def _read(keys: list[str], period: Period) -> list[State]:
    now = clock.now()
    last_moment = max(period.start, period.end - timedelta(microseconds=1))
    days = (_day(period.start), _day(last_moment))
    found = counters().run(READ, keys, _milliseconds(now), _WINDOW_MS, *days) if keys else []
    if found is None:
        return [State(0, now + timedelta(seconds=WINDOW_SECONDS), 0)] * len(keys)
    return [State(used, datetime.fromtimestamp(ends_ms / 1000, UTC), peak) for used, ends_ms, peak in found]


def _who(caller: Caller) -> str:
    return caller.client_id or f"user-{caller.user_id}-{caller.organization_id}"


def _key(counter: str, who: str) -> str:
    return f"headroom:rate:{counter}:{who}"


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def _day(moment: datetime) -> int:
    return int(moment.timestamp()) // _DAY_SECONDS
