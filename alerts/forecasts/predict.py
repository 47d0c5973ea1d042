"""From a history to an outlook: which method it allows. No database, no clock."""

from typing import Final

from alerts.forecasts.history import History
from alerts.forecasts.outlook import Method, Outlook

ENOUGH_DAYS: Final = 21
"""Three of every weekday: below that, the run-rate."""


def method_for(history: History) -> Method:
    """Return the method that a history allows."""
    if not history.days:
        return Method.NONE
    return Method.ETS if history.days >= ENOUGH_DAYS else Method.RUN_RATE


def predict(history: History, horizon: int) -> Outlook:
    """Return the outlook from today to so many days after it; the same for the same history.

    What is learned from is brought to an average of one first, so that a hundred times the use has a
    hundred times the forecast.
    """
    method = method_for(history)
    if method is Method.NONE:
        return Outlook(method, 0)
    # Here and not above: the libraries take seconds and many megabytes, and most processes never forecast.
    from alerts.forecasts import ets, futures, run_rate

    simulate = ets.simulate if method is Method.ETS else run_rate.simulate
    return futures.outlook(method, history, simulate(history, horizon + 1))
