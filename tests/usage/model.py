"""A plain Python model of usage: a dictionary of what was kept, and loops over it.

It shares no code with the application, so that the two can only agree by both being right.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

EXECUTIONS = ("run", "execution", "invocation")
NANOS = 10**9


@dataclass(frozen=True, slots=True)
class Fact:
    """One record that was kept: what was sent, with the moment and the client it counts for."""

    at: datetime
    client: str
    sent: Mapping[str, Any]

    @property
    def failed(self) -> bool:
        """Whether it counts as an error."""
        return self.sent.get("status") == "error"

    @property
    def latency_us(self) -> int | None:
        """Its latency in microseconds."""
        latency = self.sent.get("latencyMs")
        return None if latency is None else round(latency * 1000)

    def facet(self, name: str) -> str:
        """Its value of one facet, empty when it has none."""
        if name == "clientId":
            return self.client
        if name == "status":
            return "error" if self.failed else "success"
        return str(self.sent.get(name, ""))

    def sums(self) -> dict[str, int]:
        """What it adds to each measure."""
        tokens = self.sent.get("tokens")
        parts = tokens or {}
        total = parts.get("total", parts.get("prompt", 0) + parts.get("completion", 0))
        execution = "executionId" in self.sent or self.sent["type"].split(".")[-1] in EXECUTIONS
        cost = self.sent.get("cost")
        return {
            "requests": 1,
            "errors": int(self.failed),
            "executions": int(execution),
            "failed_executions": int(execution and self.failed),
            "unpriced": int(cost is None),
            "count": self.sent.get("count", total if tokens is not None else 1),
            "prompt_tokens": parts.get("prompt", 0),
            "completion_tokens": parts.get("completion", 0),
            "total_tokens": total,
            "cached_prompt_tokens": parts.get("cachedPrompt", 0),
            "cache_write_tokens": parts.get("cacheWrite", 0),
            "reasoning_tokens": parts.get("reasoning", 0),
            "cost_nanos": 0 if cost is None else int(Decimal(cost) * NANOS),
            "latency_records": int(self.latency_us is not None),
            "latency_us": self.latency_us or 0,
        }

    def quantities(self) -> dict[str, Decimal]:
        """What it adds to each meter."""
        given: Mapping[str, Any] = self.sent.get("quantities", {})
        return {name: Decimal(str(amount)) for name, amount in given.items()}


@dataclass(slots=True)
class Sums:
    """What some facts add up to."""

    measures: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    meters: dict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))

    def add(self, fact: Fact) -> None:
        """Count one fact."""
        for name, number in fact.sums().items():
            self.measures[name] += number
        for name, amount in fact.quantities().items():
            self.meters[name] += amount

    def as_pair(self) -> tuple[dict[str, int], dict[str, Decimal]]:
        """Return what is there, comparable."""
        return dict(self.measures), dict(self.meters)


@dataclass(slots=True)
class Model:
    """What one organization has stored, by id."""

    facts: dict[str, Fact] = field(default_factory=dict)

    def send(self, records: Iterable[Mapping[str, Any]], client: str) -> tuple[int, int]:
        """Keep what isn't known by its id; return how many records were new and how many were not."""
        new = known = 0
        for sent in records:
            if sent["id"] in self.facts:
                known += 1
                continue
            moment = datetime.fromisoformat(sent["timestamp"])
            self.facts[sent["id"]] = Fact(moment, sent.get("clientId", client), sent)
            new += 1
        return new, known

    def adjust(self, record_id: str, cost: str) -> bool:
        """Give a fact its cost; one that has a cost keeps it, which is told by False."""
        fact = self.facts[record_id]
        if fact.sent.get("cost") is not None:
            return False
        self.facts[record_id] = Fact(fact.at, fact.client, {**fact.sent, "cost": cost})
        return True

    def between(self, start: datetime, end: datetime, client: str | None = None) -> Iterator[Fact]:
        """Yield the facts of a half-open window, of one client or of all."""
        for fact in self.facts.values():
            if start <= fact.at < end and client in (None, fact.client):
                yield fact

    def totals(
        self, start: datetime, end: datetime, client: str | None = None
    ) -> tuple[dict[str, int], dict[str, Decimal]]:
        """Return the sums of a window, measures and meters."""
        sums = Sums()
        for fact in self.between(start, end, client):
            sums.add(fact)
        return sums.as_pair()

    def groups(
        self, starts: Sequence[datetime], end: datetime, facets: Sequence[str]
    ) -> dict[tuple[Any, ...], tuple[dict[str, int], dict[str, Decimal]]]:
        """Return the sums by the index of the bucket and the values of the facets."""
        return self._grouped(
            self.between(starts[0], end),
            lambda fact: (bisect_right(starts, fact.at) - 1, *map(fact.facet, facets)),
        )

    def days(
        self, tz: ZoneInfo, client: str | None = None
    ) -> dict[tuple[date], tuple[dict[str, int], dict[str, Decimal]]]:
        """Return the sums by local day."""
        facts = [fact for fact in self.facts.values() if client in (None, fact.client)]
        return self._grouped(facts, lambda fact: (fact.at.astimezone(tz).date(),))

    def latencies_ms(self, start: datetime, end: datetime) -> list[float]:
        """Return the latencies of a window, rising."""
        found = (fact.latency_us for fact in self.between(start, end))
        return sorted(microseconds / 1000 for microseconds in found if microseconds is not None)

    @staticmethod
    def _grouped(
        facts: Iterable[Fact], place: Callable[[Fact], tuple[Any, ...]]
    ) -> dict[tuple[Any, ...], tuple[dict[str, int], dict[str, Decimal]]]:
        groups: dict[tuple[Any, ...], Sums] = defaultdict(Sums)
        for fact in facts:
            groups[place(fact)].add(fact)
        return {key: sums.as_pair() for key, sums in groups.items()}


def nearest_rank(rising: Sequence[float], rank: float) -> float:
    """Return the percentile of numbers in rising order, by the nearest rank."""
    return rising[math.ceil(rank * len(rising)) - 1]
