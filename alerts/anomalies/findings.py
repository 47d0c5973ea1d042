"""An anomaly and what drives it: which key or model differs most from what it usually does. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import median
from typing import Final

from alerts.anomalies.baseline import WEEK_HOURS, Anomaly

HALF: Final = 0.5
"""The share of a difference from which on something drives it."""


@dataclass(frozen=True, slots=True)
class Driver:
    """A credential (by its id) or a model that an anomaly comes from.

    ``share`` is how much of the difference is its, which can be more than all of it.
    """

    kind: str
    value: int | str
    seen: float
    expected: float
    share: float


@dataclass(frozen=True, slots=True)
class Finding:
    """An unusual hour of a metric, and what drives it, if anything does.

    Units: those of the metric; cost in nanos.
    """

    metric: str
    hour: datetime
    anomaly: Anomaly
    drivers: tuple[Driver, ...] = ()


def drivers(kind: str, parts: Mapping[int | str, Sequence[float]], anomaly: Anomaly) -> list[Driver]:
    """Return which parts drive an anomaly, those that do most first.

    ``parts`` has a series for each, of as many hours as the whole's, the hour in question last.
    """
    difference = anomaly.seen - anomaly.expected
    found = []
    for value, series in parts.items():
        seen, expected = series[-1], _usual(series[:-1])
        share = (seen - expected) / difference
        if share >= HALF:
            found.append(Driver(kind, value, seen, expected, round(share, 2)))
    return sorted(found, key=lambda driver: -driver.share)


def _usual(history: Sequence[float]) -> float:
    """Return what a part usually brings in the hour; nothing, when it is new."""
    same = [history[-week * WEEK_HOURS] for week in range(1, len(history) // WEEK_HOURS + 1)]
    return median(same) if same else 0.0
