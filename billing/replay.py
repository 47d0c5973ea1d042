"""What another limit would have done to the spending of the past. No database, no clock.

Works by quarter-hours: what was spent in the one in which the limit is reached is let through whole, and the
pause begins at its end. While it lasts, what was spent counts as stopped and no longer towards the limit.
"""

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from billing.forecast import Spent
from billing.windows import QUARTER, ROLLING, quarter_of
from core.periods import Granularity, Period, floor, next_bucket

REARM: Final = 5
"""How many points below a share the spend must have been before that share is warned of again."""


@dataclass(frozen=True, slots=True)
class Limit:
    """The limit to try.

    Units: ``limit_nanos`` nanos, ``warn_at`` per cent.
    """

    limit_nanos: int
    rolling: bool
    pauses: bool
    warn_at: Sequence[int] = ()


@dataclass(slots=True)
class Pause:
    """A time in which calls would have been refused; ``resumed_at`` None: still at the end of the period.

    Units: nanos.
    """

    paused_at: datetime
    spent_nanos: int
    resumed_at: datetime | None = None
    stopped_nanos: int = 0


@dataclass(slots=True)
class Replay:
    """What the limit would have done in a period.

    Units: nanos; ``warned`` pairs of a share and a moment.
    """

    period: Period
    spent_nanos: int = 0
    stopped_nanos: int = 0
    pauses: list[Pause] = field(default_factory=list)
    warned: list[tuple[int, datetime]] = field(default_factory=list)

    @property
    def paused_seconds(self) -> int:
        """For how long calls would have been refused."""
        ends = ((pause.resumed_at or self.period.end) - pause.paused_at for pause in self.pauses)
        return sum(int(length.total_seconds()) for length in ends)


def lead(period: Period, limit: Limit, tz: ZoneInfo) -> datetime:
    """Return from when on the spending has to be known for a replay of a period."""
    start = quarter_of(period.start)
    return start - ROLLING if limit.rolling else min(start, floor(start, Granularity.WEEK, tz))


def replay(spent: Iterable[Spent], period: Period, limit: Limit, tz: ZoneInfo) -> Replay:
    """Return what a limit, set at the start of a period, would have done until its end.

    Shape: the spending by quarter-hours, from `lead` on; the period begins and ends on quarter-hours.
    """
    costs = {one.quarter: one.cost_nanos for one in spent}
    return _Run(limit, period, tz, costs).play()


class _Run:
    """One replay: the window as it moves, and what is found on the way."""

    def __init__(self, limit: Limit, period: Period, tz: ZoneInfo, costs: Mapping[datetime, int]) -> None:
        self.limit, self.tz, self.costs = limit, tz, costs
        self.found = Replay(period)
        self.within: deque[tuple[datetime, int]] = deque()
        self.spent = 0
        self.warned: set[int] = set()
        self.week_end = period.start
        self.pause: Pause | None = None
        self.shares = sorted({*limit.warn_at, *(() if limit.pauses else (100,))})

    def play(self) -> Replay:
        period = self.found.period
        quarter = lead(period, self.limit, self.tz)
        self.week_end = next_bucket(quarter, Granularity.WEEK, self.tz)
        while quarter < period.start:
            self._move_to(quarter)
            self._add(quarter, self.costs.get(quarter, 0))
            quarter += QUARTER
        self._move_to(quarter)
        self._judge(quarter)
        while quarter < period.end:
            self._move_to(quarter)
            self._judge(quarter)
            self._pass(quarter, self.costs.get(quarter, 0))
            quarter += QUARTER
        return self.found

    def _pass(self, quarter: datetime, cost: int) -> None:
        self.found.spent_nanos += cost
        if self.pause is not None:
            self.pause.stopped_nanos += cost
            self.found.stopped_nanos += cost
            return
        self._add(quarter, cost)
        if quarter + QUARTER < self.found.period.end:
            self._judge(quarter + QUARTER)

    def _move_to(self, quarter: datetime) -> None:
        if not self.limit.rolling:
            if quarter >= self.week_end:
                self.spent = 0
                self.warned.clear()
                self.week_end = next_bucket(quarter, Granularity.WEEK, self.tz)
            return
        while self.within and self.within[0][0] < quarter - ROLLING:
            self.spent -= self.within.popleft()[1]

    def _add(self, quarter: datetime, cost: int) -> None:
        self.spent += cost
        if self.limit.rolling and cost:
            self.within.append((quarter, cost))

    def _judge(self, at: datetime) -> None:
        limit = self.limit.limit_nanos
        self.warned = {share for share in self.warned if self.spent * 100 >= (share - REARM) * limit}
        for share in self.shares:
            if self.spent * 100 >= share * limit and share not in self.warned:
                self.warned.add(share)
                self.found.warned.append((share, at))
        reached = self.spent >= limit
        if self.pause is None and reached and self.limit.pauses:
            self.pause = Pause(at, self.spent)
            self.found.pauses.append(self.pause)
        elif self.pause is not None and not reached:
            self.pause.resumed_at = at
            self.pause = None
