"""The run-rate, for as long as there are too few weeks to learn weekdays from."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from alerts.forecasts.futures import PATHS, SEED, Futures, drift
from alerts.forecasts.history import WEEK, History

_LEAST_SPREAD: Final = ((14, 0.15), (7, 0.25), (3, 0.5), (1, 0.9))
"""By how many days are known: how much days differ at least, however alike those few were."""
_DOUBT: Final = 0.3
"""As how many sightings of a weekday that it is like any other counts."""
_MOST_SPREAD: Final = 1.5


def simulate(history: History, days: int) -> Futures:
    """Return futures of so many days from today on, all around the average day so far.

    Units: those of the history.
    """
    rng = np.random.default_rng(SEED)
    known = history.days
    factors = _weekdays(history)
    usual = factors[[history.weekday(place) for place in range(known)]]
    spread = _spread(np.array(history.values) / (history.mean * usual))
    # How wrong the average itself may be: Student's t, since the spread is but an estimate as well.
    degrees = max(known - 1, 4)
    shift = np.clip(rng.standard_t(degrees, PATHS), -3, 3) * spread / np.sqrt(known)
    noise = rng.standard_normal((days, PATHS)) * spread
    natural = np.exp(noise + shift) * drift(history, days, rng)
    ahead = factors[[history.weekday(known + place) for place in range(days)]]
    # The spread is one-sided on the scale of use: what is expected stays the run-rate.
    futures: Futures = history.mean * ahead[:, None] * natural / natural.mean(axis=1, keepdims=True)
    return futures


def _weekdays(history: History) -> NDArray[np.float64]:
    """Return by how much each weekday differs from the average: the less it was seen, the less it does."""
    if history.days < WEEK:
        return np.ones(WEEK)
    sums, seen = np.zeros(WEEK), np.zeros(WEEK)
    for place, value in enumerate(history.values):
        sums[history.weekday(place)] += value / history.mean
        seen[history.weekday(place)] += 1
    shrunk = (sums + _DOUBT) / (seen + _DOUBT)
    factors: NDArray[np.float64] = shrunk / shrunk.mean()
    return factors


def _spread(ratios: NDArray[np.float64]) -> float:
    least = next(least for days, least in _LEAST_SPREAD if ratios.size >= days)
    measured = float(ratios.std(ddof=1)) if ratios.size > 1 else 0.0
    return min(max(measured, least), _MOST_SPREAD)
