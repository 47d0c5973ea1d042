"""Five thousand random records, told from each other by everything that a question can tell apart."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from random import Random
from typing import Any, Final
from zoneinfo import ZoneInfo

from tests.usage.queries.calendars import ZONES

NOW: Final = datetime(2012, 4, 12, 9, 17, 23, 456789, tzinfo=UTC)
"""A Thursday. In the year before, the clocks changed in every zone that does so, and Apia skipped a day."""

RECORDS: Final = 5_000
MICROSECOND: Final = timedelta(microseconds=1)

_ODD: Final = (
    datetime(2011, 9, 24, 14, tzinfo=UTC),  # Apia springs forward
    datetime(2011, 10, 1, 15, 30, tzinfo=UTC),  # Lord Howe springs forward, by half an hour
    datetime(2011, 11, 6, 6, tzinfo=UTC),  # New York falls back
    datetime(2011, 12, 30, 10, tzinfo=UTC),  # Apia skips the 30th
    datetime(2012, 3, 11, 7, tzinfo=UTC),  # New York springs forward
    datetime(2012, 3, 31, 14, tzinfo=UTC),  # Apia falls back
    datetime(2012, 3, 31, 15, tzinfo=UTC),  # Lord Howe falls back, by half an hour
)
_SPANS: Final = (
    (700, timedelta(hours=1)),
    (700, timedelta(hours=24)),
    (800, timedelta(days=7)),
    (700, timedelta(days=30)),
    (600, timedelta(days=90)),
    (500, timedelta(days=365)),
    (100, timedelta(days=450)),
)

ENDPOINTS: Final = (None, "/v1/chat", "/v1/parse", "/v1/embed", "/v1/parse#ünïcode", "(/%20')")
CAPABILITIES: Final = (None, "chat", "parsing", "search")
MODELS: Final = (None, "gpt-4o", "gpt-4o-mini", "claude-sonnet", "unknown")
PROVIDERS: Final = (None, "openai", "azure")
TYPES: Final = (
    "conversation.completion", "task.execution", "ability.invocation", "processor.run", "x",
)  # fmt: skip
OUTCOMES: Final = (
    *[("success", 200, None)] * 6,
    ("success", None, None),
    (None, 201, None),
    ("success", 429, None),
    ("error", 429, "rate_limit"),
    ("error", 429, None),
    ("error", 500, "server"),
    ("error", 504, "timeout"),
    ("error", None, "timeout"),
    ("error", None, None),
)
METERS: Final = ("pages", "credits", "quota", "messages", "conversations", "requests", "own:meter/x-1.y")
AMOUNTS: Final = (0, 1, 2, 700, "1.5", "0.1", "0.000000001", 999_999_999_999, "12345.678900000")
LINKS: Final = ("conversationId", "botId", "executionId", "documentId")


def records(clients: list[str], seed: int = 20120412) -> list[dict[str, Any]]:
    """Return the records, in the order in which they are sent: not that in which they happened."""
    random = Random(seed)
    moments = list(_moments(random))
    moments += [_within(random, timedelta(days=90)) for _ in range(RECORDS - len(moments))]
    random.shuffle(moments)
    return [_record(random, number, moment, clients) for number, moment in enumerate(moments[:RECORDS])]


def _moments(random: Random) -> Iterator[datetime]:
    for edge in _edges():
        for step in (-MICROSECOND, timedelta(), MICROSECOND, timedelta(seconds=random.uniform(-7200, 7200))):
            yield edge + step
    for count, span in _SPANS:
        for _ in range(count):
            yield _within(random, span)
    for _ in range(20):
        yield NOW + timedelta(microseconds=random.randint(1, 299_000_000))


def _edges() -> Iterator[datetime]:
    """Yield changes of the clock, and the midnights of every zone around them and of the last weeks."""
    yield from _ODD
    for zone in ZONES:
        tz = ZoneInfo(zone)
        for day in (*_ODD, *(NOW - timedelta(days=back) for back in (0, 1, 2, 3, 9, 10, 11, 12, 72))):
            midnight = day.astimezone(tz).replace(hour=0, minute=0, second=0, microsecond=0)
            yield midnight.astimezone(UTC)


def _within(random: Random, span: timedelta) -> datetime:
    return NOW - random.randrange(1, span // MICROSECOND) * MICROSECOND


def _record(random: Random, number: int, moment: datetime, clients: list[str]) -> dict[str, Any]:
    status, code, error = random.choice(OUTCOMES)
    fields = {
        "id": f"r{number}",
        "type": random.choice(TYPES),
        "timestamp": _written(random, moment),
        "clientId": random.choices(clients, [5, 3, 2, 1][: len(clients)])[0],
        "endpoint": random.choice(ENDPOINTS),
        "capability": random.choice(CAPABILITIES),
        "model": random.choice(MODELS),
        "provider": random.choice(PROVIDERS),
        "status": status,
        "statusCode": code,
        "errorType": error,
        "latencyMs": _latency(random),
        "tokens": _tokens(random),
        "count": random.choice((None, None, 0, 7, 10**12)),
        "cost": random.choice((None, "0", "0.000000001", "0.0612", "12.5", "999999.999999999")),
        "quantities": {
            name: random.choice(AMOUNTS) for name in random.sample(METERS, random.choice((0, 0, 1, 3)))
        },
        "meta": {
            "team": random.choice(("a", "b")),
            "try": random.randint(1, 3),
            "dry": random.random() < 0.1,
        },
        **{
            name: f"{name}-{random.randint(1, 40)}" for name in random.sample(LINKS, random.choice((0, 1, 2)))
        },
    }
    return {name: value for name, value in fields.items() if value not in (None, {})}


def _written(random: Random, moment: datetime) -> str:
    """Write a moment as one of the clients might."""
    offset = timezone(timedelta(minutes=random.choice((0, 0, 330, -480))))
    return moment.astimezone(offset).isoformat()


def _latency(random: Random) -> float | None:
    kind = random.random()
    if kind < 0.2:
        return None
    if kind < 0.22:
        return random.choice((0, 0.0004, 0.09, 24 * 3600 * 1000))
    return round(random.lognormvariate(5, 2) + 0.1, 3)


def _tokens(random: Random) -> dict[str, int] | None:
    if random.random() < 0.15:
        return None
    prompt, completion = random.choice((0, 1, 999, 128_000)), random.randint(0, 2_000)
    tokens = {"prompt": prompt, "completion": completion}
    if random.random() < 0.3:
        tokens |= {"cachedPrompt": prompt // 2, "cacheWrite": prompt // 4, "reasoning": completion // 3}
    if random.random() < 0.2:
        tokens["total"] = prompt + completion + random.randint(0, 50)
    return tokens
