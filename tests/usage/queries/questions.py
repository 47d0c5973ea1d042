"""Questions for GET /usage/query, and the rows that answer them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from itertools import islice
from random import Random
from typing import Any, Final

from tests.usage.queries import dataset
from tests.usage.queries.calendars import bucket_starts
from tests.usage.queries.oracle import (
    FACETS,
    METRICS,
    PERCENTILES,
    Tally,
    by_bucket,
    metric,
    moment,
    within,
)
from tests.usage.queries.world import World

ASKABLE: Final = (*METRICS, "pages", "credits", "own:meter/x-1.y", "quantities.requests", "documents")
SORT_AT_MOST: Final = 5_000
"""Rows beyond which a question is asked in order of time: sorting them all takes long, here and there."""

Place = tuple[int, tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Asked:
    """A question, as its parameters say it."""

    zone: str
    granularity: str
    start: datetime
    end: datetime
    metrics: tuple[str, ...] = ("requests", "errors", "tokens", "cost")
    group_by: tuple[str, ...] = ()
    filters: Mapping[str, str | int] = field(default_factory=dict)
    sort: str = "timestamp"
    order: str | None = None
    limit: int = 100
    offset: int = 0

    @property
    def query(self) -> dict[str, Any]:
        """The parameters."""
        given = {
            "from": moment(self.start),
            "to": moment(self.end),
            "timezone": self.zone,
            "granularity": self.granularity,
            "metrics": ",".join(self.metrics),
            "groupBy": ",".join(self.group_by),
            "sort": self.sort,
            "order": self.order,
            "limit": self.limit,
            "offset": self.offset,
            **self.filters,
        }
        return {name: value for name, value in given.items() if value not in (None, "")}

    @property
    def descending(self) -> bool:
        """Whether the largest comes first: time and names rise unless told otherwise, metrics fall."""
        fall = self.sort != "timestamp" and self.sort not in FACETS
        return fall if self.order is None else self.order == "desc"


@dataclass(frozen=True, slots=True)
class Rows:
    """All rows of an answer, worked out as they are looked at."""

    world: World
    asked: Asked
    starts: Sequence[datetime]
    groups: Mapping[Place, Tally]
    keys: Sequence[tuple[Any, ...]]

    @classmethod
    def of(cls, world: World, asked: Asked) -> Rows:
        """Answer a question."""
        starts = bucket_starts(asked.zone, asked.granularity, asked.start, asked.end)
        groups = by_bucket(within(world.uses, asked.start, asked.end, asked.filters), starts, asked.group_by)
        keys = {key for _, key in groups} if asked.group_by else {()}
        return cls(world, asked, starts, groups, sorted(keys, key=_order))

    def __len__(self) -> int:
        return len(self.starts) * len(self.keys)

    def page(self) -> list[dict[str, Any]]:
        """Return the rows of the page, percentiles exactly."""
        asked = self.asked
        return [
            self._row(place) for place in islice(self._places(), asked.offset, asked.offset + asked.limit)
        ]

    def _places(self) -> Iterator[Place]:
        asked, count = self.asked, len(self.starts)
        if asked.sort == "timestamp":
            order = range(count)[::-1] if asked.descending else range(count)
            return ((bucket, key) for bucket in order for key in self.keys)
        every = [(bucket, key) for bucket in range(count) for key in self.keys]
        ranks = {place: self._rank(place) for place in every}
        known = sorted(
            (place for place in every if ranks[place] is not None),
            key=lambda place: ranks[place],
            reverse=asked.descending,
        )
        return iter(known + [place for place in every if ranks[place] is None])

    def _rank(self, place: Place) -> Any:
        asked = self.asked
        if asked.sort in asked.group_by:
            return _order(place[1])[asked.group_by.index(asked.sort)]
        value = metric(self.groups.get(place) or Tally(), asked.sort)
        return Decimal(value) if isinstance(value, str) else value

    def _row(self, place: Place) -> dict[str, Any]:
        bucket, key = place
        group = self.groups.get(place) or Tally()
        return {
            "timestamp": None if self.asked.granularity == "total" else moment(self.starts[bucket]),
            **dict(zip(self.asked.group_by, key, strict=True)),
            **{name: metric(group, name) for name in self.asked.metrics},
        }


def _order(key: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return what values are ordered by: their text, nothing first."""
    return tuple(str(value or "") for value in key)


def any_filters(world: World, random: Random, most: int) -> dict[str, str | int]:
    """Return values that records have, for up to so many facets."""
    values: dict[str, Sequence[Any]] = {
        "clientId": [key.client_id for key in world.keys],
        "endpoint": dataset.ENDPOINTS[1:],
        "capability": dataset.CAPABILITIES[1:],
        "model": (*dataset.MODELS[1:], "nobody's"),
        "provider": dataset.PROVIDERS[1:],
        "type": dataset.TYPES,
        "status": ("success", "error"),
        "statusCode": (200, 429, 504, 418),
        "errorType": ("timeout", "rate_limit"),
    }
    return {name: random.choice(values[name]) for name in random.sample(FACETS, random.randint(0, most))}


def any_question(world: World, random: Random, asked: Asked, *, facets: int = 3) -> Asked:
    """Return a question about the same buckets with whatever else can be asked."""
    group_by = tuple(random.sample(FACETS, random.choice(range(facets + 1))))
    metrics = tuple(random.sample(ASKABLE, random.randint(1, 6)))
    wide = replace(asked, metrics=metrics, group_by=group_by, filters=any_filters(world, random, 2))
    rows = len(Rows.of(world, wide))
    sortable = ["timestamp", *group_by, *(name for name in metrics if name not in PERCENTILES)]
    limit = random.choice((1, 7, 100, 1000))
    return replace(
        wide,
        sort=random.choice(sortable) if rows <= SORT_AT_MOST else "timestamp",
        order=random.choice((None, "asc", "desc")),
        limit=limit,
        offset=random.choice((0, 0, random.randint(0, rows), max(rows - limit // 2, 0))),
    )
