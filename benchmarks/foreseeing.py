"""How good forecasts are, and anomalies: held against the simplest there is, on days whose truth is known.

Generated use grows, has weekdays and nights, wanders and is noisy; holidays, a launch and a bad afternoon are
in it as events that are known. The demo's use is its own generator's. Nothing here needs a server.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from random import Random
from statistics import fmean
from typing import Final

from alerts.anomalies.baseline import WEEK_HOURS, judge
from alerts.forecasts.history import WEEK, History
from alerts.forecasts.predict import predict
from benchmarks.figures import COST, SHARE, Figure
from benchmarks.scale import FULL, Scale
from core.periods import zone
from usage.demo.cast import STREAMS
from usage.demo.generate import generate
from usage.demo.rhythm import DESK, LEISURE, NIGHTLY, OFFICE, Calendar, Rhythm

HORIZON: Final = 30
TODAY: Final = date(2026, 7, 15)
HISTORIES: Final = (7, 14, 21, 28, 56, 112)
RHYTHMS: Final = {"office": OFFICE, "leisure": LEISURE, "nightly": NIGHTLY, "desk": DESK}
_HOURS: Final = 8 * WEEK_HOURS
_EVENTS: Final = ((30.0, 1), (4.0, 3), (0.0, 4))
"""By what an event multiplies the use, and for how many hours it lasts."""


@dataclass(frozen=True)
class Trial:
    """A forecast beside the truth: mean errors as shares of it, and whether the bounds held."""

    error: float
    seasonal_naive: float
    naive: float
    held: float
    total_error: float
    total_held: bool


def measure(scale: Scale) -> list[Figure]:
    """Return how far forecasts are off, how often their bounds hold, and which anomalies are found."""
    trials = 24 if scale is FULL else 2
    figures: list[Figure] = []
    for days in HISTORIES:
        figures += _figures(f"{days} days", [list(_generated(days, seed, 4)) for seed in range(trials)])
    figures += _figures("demo", [list(_demo())] if scale is FULL else [])
    return [*figures, *_found(trials // 2)]


def _figures(name: str, rounds: Sequence[Sequence[Trial]]) -> list[Figure]:
    flat = [trial for each in rounds for trial in each]
    if not flat:
        return []
    error, seasonal, naive = (
        fmean(getattr(trial, of) for trial in flat) for of in ("error", "seasonal_naive", "naive")
    )
    behind = f"{len(flat)} series; error {error:.0%}; seasonal-naive {seasonal:.0%}; naive {naive:.0%}"
    total = f"30 days together: error {fmean(trial.total_error for trial in flat):.1%}"
    held, totals = fmean(trial.held for trial in flat), fmean(trial.total_held for trial in flat)
    return [
        Figure(f"{name}: error against seasonal-naive", COST, (error / seasonal,), 1.0, 0.8, behind),
        Figure(f"{name}: days within their 80 %", SHARE, (held,), 0.7, 0.8),
        Figure(f"{name}: sums within their 80 %", SHARE, (totals,), 0.7, 0.8, total),
    ]


def _generated(days: int, seed: int, kinds: int) -> Iterator[Trial]:
    for name, rhythm in list(RHYTHMS.items())[:kinds]:
        random = Random(f"{name} {seed}")
        yield _trial(_days(rhythm, days + HORIZON, random), days)


def _days(rhythm: Rhythm, count: int, random: Random) -> list[float]:
    """Return days that grow, wander and are noisy; one in a hundred is a holiday, one a launch."""
    growth, level, noise = random.uniform(-0.001, 0.004), 0.0, random.uniform(0.06, 0.2)
    scale = 10 ** random.uniform(1.5, 6)
    found = []
    for place in range(count):
        level += growth + random.gauss(0, 0.01)
        weekday = (TODAY.toordinal() - count + place - 1) % WEEK
        event = random.choices((1.0, 0.3, 2.0), (98, 1, 1))[0]
        share = rhythm.weekdays[weekday] * WEEK / sum(rhythm.weekdays)
        found.append(round(scale * share * event * math.exp(level + random.gauss(0, noise))))
    return [float(value) for value in found]


def _demo() -> Iterator[Trial]:
    """Yield forecasts of the demo's days, made six times in its history, of its requests and tokens."""
    calendar = Calendar(datetime(2026, 7, 15, tzinfo=UTC), 150, zone("Europe/Berlin"))
    first = calendar.start
    names = {stream.member.name: stream.member.name for stream in STREAMS}
    requests, tokens = [0.0] * 151, [0.0] * 151
    for dated in generate(calendar, names):
        place = min((dated.moment - first) // timedelta(days=1), 150)
        requests[place] += 1
        used = dated.record.tokens
        tokens[place] += (used.prompt or 0) + (used.completion or 0) if used else 0
    for values in (requests[:149], tokens[:149]):
        for days in (28, 42, 56, 84, 98, 112):
            yield _trial(values[: days + HORIZON], days)


def _trial(values: Sequence[float], days: int) -> Trial:
    past, truth = list(values[:days]), list(values[days:])
    today = TODAY - timedelta(days=len(truth))
    outlook = predict(History.until(today, past), len(truth) - 1)
    sums = sum(truth)
    within = [one.low <= value <= one.high for one, value in zip(outlook.days, truth, strict=True)]
    total = outlook.with_today[-1]
    week = past[-WEEK:]
    return Trial(
        error=_off([one.expected for one in outlook.days], truth),
        seasonal_naive=_off([week[place % len(week)] for place in range(len(truth))], truth),
        naive=_off([past[-1]] * len(truth), truth),
        held=fmean(within),
        total_error=abs(total.expected - sums) / sums,
        total_held=total.low <= sums <= total.high,
    )


def _off(guessed: Sequence[float], truth: Sequence[float]) -> float:
    return sum(abs(guess - value) for guess, value in zip(guessed, truth, strict=True)) / sum(truth)


def _found(trials: int) -> list[Figure]:
    """Return the precision and the recall of anomalies, by a robust baseline and by three deviations."""
    methods: dict[str, Callable[[list[float], float], bool]] = {
        "seasonal median": lambda past, seen: judge(past, seen) is not None,
        "mean and 3 deviations": _beyond_three,
    }
    figures = []
    for name, method in methods.items():
        right = wrong = missed = 0
        for kind, rhythm in RHYTHMS.items():
            for seed in range(max(trials // 4, 1)):
                hits = _hunt(rhythm, Random(f"{kind} hours {seed}"), method)
                right, wrong, missed = right + hits[0], wrong + hits[1], missed + hits[2]
        behind = f"{right} found, {missed} missed, {wrong} hours wrongly"
        precision = right / (right + wrong) if right + wrong else 0.0
        figures += [
            Figure(f"anomalies by {name}: precision", SHARE, (precision,), behind=behind),
            Figure(f"anomalies by {name}: recall", SHARE, (right / (right + missed),)),
        ]
    return figures


def _hunt(
    rhythm: Rhythm, random: Random, method: Callable[[list[float], float], bool]
) -> tuple[int, int, int]:
    """Return how many events were found, how many hours wrongly, and how many events were missed."""
    hours = _usual(rhythm, random)
    judged = range(_HOURS - 2 * WEEK_HOURS, _HOURS)
    busy = [place for place in judged if hours[place] >= 20]
    events: list[range] = []
    for factor, length in _EVENTS:
        start = random.choice(busy)
        event = range(start, min(start + length, _HOURS))
        if any(set(event) & set(other) for other in events):
            continue
        events.append(event)
        for place in event:
            hours[place] = round(hours[place] * factor)
    alarms = {place for place in judged if method(hours[:place], hours[place])}
    found = sum(1 for event in events if alarms & set(event))
    wrongly = len(alarms - {place for event in events for place in event})
    return found, wrongly, len(events) - found


def _usual(rhythm: Rhythm, random: Random) -> list[float]:
    a_day = 10 ** random.uniform(2.5, 4.5)
    found = []
    mood = 1.0
    for place in range(_HOURS):
        if place % 24 == 0:
            mood = random.lognormvariate(0, 0.09)
        mean = a_day * rhythm.share(place % WEEK_HOURS // 24, place % 24) * mood
        found.append(float(max(round(random.gauss(mean, math.sqrt(mean))), 0)))
    return found


def _beyond_three(past: list[float], seen: float) -> bool:
    mean = fmean(past)
    deviation = math.sqrt(fmean((value - mean) ** 2 for value in past))
    return abs(seen - mean) > 3 * deviation
