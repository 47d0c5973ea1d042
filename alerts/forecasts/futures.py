"""From simulated futures to intervals. No database, no clock; importing this takes numpy."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from alerts.forecasts.history import WEEK, History
from alerts.forecasts.outlook import CONFIDENCE, Interval, Method, Outlook

Futures = NDArray[np.float64]
"""Shape: a row for every day from today on, a column for every future."""

PATHS: Final = 1000
SEED: Final = 20_250_701
"""Any number will do; that it is always the same makes the same history give the same forecast."""
MOST: Final = 20.0
"""How many times the largest day so far a simulated one may be: a transform can run away."""
_TAILS: Final = ((1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2)
_LEAST_WALK, _UNKNOWN_WALK, _MOST_WALK = 0.04, 0.1, 0.25
_WALKED: Final = 0.7
"""How much of the change between weeks stays: the rest is noise that the next week takes back."""
_WEEKS_KNOWN: Final = 4


def outlook(method: Method, history: History, futures: Futures) -> Outlook:
    """Return what simulated futures say of days, and of their sums."""
    bounded = np.clip(futures, 0.0, MOST * max(history.values))
    later = bounded.copy()
    later[0] = 0.0
    return Outlook(
        method,
        history.days,
        _intervals(bounded),
        _intervals(np.cumsum(bounded, axis=0)),
        _intervals(np.cumsum(later, axis=0)),
    )


def drift(history: History, days: int, rng: np.random.Generator) -> Futures:
    """Return factors by which the level of each future wanders off, as that of past weeks has.

    A model fitted to noise believes in its level more than it should: without this, the bounds of a month's
    sum would hold the truth far less often than they say.
    """
    daily = _weekly_walk(history) / np.sqrt(WEEK)
    # Half a week has passed since the middle of what the level was read from.
    steps = rng.standard_normal((days, PATHS)) * daily
    steps[0] *= np.sqrt(WEEK / 2)
    walk = np.cumsum(steps, axis=0)
    variance = daily**2 * (np.arange(days) + WEEK / 2)
    factors: Futures = np.exp(walk - variance[:, None] / 2)
    return factors


def _weekly_walk(history: History) -> float:
    """Return by how much weeks differed from those before them, as a standard deviation of logarithms."""
    weeks = history.days // WEEK
    if weeks < _WEEKS_KNOWN:
        return _UNKNOWN_WALK
    totals = np.array(history.values[-weeks * WEEK :]).reshape(weeks, WEEK).sum(axis=1)
    # The mean of the whole history, since these weeks may have been empty.
    changes = np.diff(np.log(totals + 0.05 * WEEK * history.mean))
    return float(np.clip(_WALKED * np.sqrt(np.mean(changes**2)), _LEAST_WALK, _MOST_WALK))


def _intervals(futures: Futures) -> tuple[Interval, ...]:
    expected = futures.mean(axis=1)
    low, high = np.quantile(futures, _TAILS, axis=1)
    bounds = zip(expected, np.minimum(low, expected), np.maximum(high, expected), strict=True)
    return tuple(Interval(float(mean), float(least), float(most)) for mean, least, most in bounds)
