"""Exponential smoothing with weekdays, for a history of weeks.

Takes statsmodels, which is large: nothing imports this module before a forecast is made.
Source: Hyndman and Athanasopoulos, Forecasting: Principles and Practice, chapter 8.
"""

import warnings
from typing import Any, Final

import numpy as np
from statsmodels.tsa.exponential_smoothing.ets import ETSModel

from alerts.forecasts.futures import PATHS, SEED, Futures, drift
from alerts.forecasts.history import WEEK, History

_TRENDS: Final = ((None, False), ("add", True))
"""Without a trend, and with one that fades: one that goes on for ever goes wrong for ever."""
_TREND_DAYS: Final = 42
"""Of fewer than six weeks, a trend is mostly noise."""
_FAR_BELOW: Final = 0.05
"""Days below this share of the median make logarithms lie; square roots bear them."""


def simulate(history: History, days: int) -> Futures:
    """Return futures of so many days from today on.

    Units: those of the history.
    """
    level = history.mean
    values = np.array(history.values) / level
    logarithmic = float(values.min()) > _FAR_BELOW * float(np.median(values))
    fitted = _fit(np.log(values) if logarithmic else np.sqrt(values))
    errors = np.random.default_rng(SEED)
    paths = np.asarray(fitted.simulate(days, anchor="end", repetitions=PATHS, rng=errors))
    natural = np.exp(np.minimum(paths, 50)) if logarithmic else np.square(np.maximum(paths, 0))
    wandering = drift(history, days, np.random.default_rng(SEED + 1))
    futures: Futures = level * natural * wandering
    return futures


def _fit(values: Any) -> Any:
    """Return the better of the models, by an information criterion that minds short histories."""
    with warnings.catch_warnings():
        # It warns where it has not quite converged: the best it found is still the best there is.
        warnings.simplefilter("ignore")
        trends = _TRENDS if values.size >= _TREND_DAYS else _TRENDS[:1]
        fits = [_model(values, trend, damped).fit(disp=False, maxiter=200) for trend, damped in trends]
    return min(fits, key=lambda fit: float(fit.aicc))


def _model(values: Any, trend: str | None, damped: bool) -> Any:
    return ETSModel(
        values,
        error="add",
        trend=trend,
        damped_trend=damped,
        seasonal="add",
        seasonal_periods=WEEK,
        initialization_method="heuristic",
    )
