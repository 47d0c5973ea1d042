"""When an attempt is repeated, and when it isn't. Pure.

Source: the retry schedule that the Standard Webhooks specification recommends.
"""

from datetime import datetime, timedelta
from typing import Final

DELAYS: Final = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
MOST_ATTEMPTS: Final = len(DELAYS) + 1
JITTER: Final = 0.1
"""The most that a delay is prolonged, as a part of it: those who failed together don't come back together."""
LONGEST_WISH: Final = timedelta(hours=24)
LASTING: Final = timedelta(days=3)
"""After failing for so long, without one delivery in between, a channel is disabled."""


def next_attempt(
    now: datetime, *, number: int, chance: float, wished: timedelta | None = None
) -> datetime | None:
    """Return when to try again after the attempt with a number; None when that was the last.

    Units: ``chance`` from 0 to 1; ``wished`` is the delay that the receiver asked for, if any.
    """
    if number >= MOST_ATTEMPTS:
        return None
    delay = DELAYS[number - 1] * (1 + JITTER * chance)
    return now + max(delay, min(wished or timedelta(), LONGEST_WISH))


def has_failed_for_long(failing_since: datetime | None, now: datetime) -> bool:
    """Tell whether a channel has failed for so long that it is to be disabled."""
    return failing_since is not None and now - failing_since >= LASTING
