"""Who uses the demo's platform: its credentials, and what each of them does all day."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from organizations.roles import Scope
from usage.demo.catalogue import (
    EMBEDDING,
    FINE_TUNED,
    FLASH,
    GPT,
    GPT_MINI,
    GPT_OLD,
    HAIKU,
    OCR,
    PRO,
    SONNET,
    Model,
)
from usage.demo.rhythm import DESK, LEISURE, NIGHTLY, OFFICE, Rhythm

WRITE: Final = (Scope.USAGE_WRITE.value,)
READ: Final = (Scope.USAGE_READ.value, Scope.BILLING_READ.value)


@dataclass(frozen=True, slots=True)
class Member:
    """A credential of the demo, so old when the demo is loaded; some have got a new secret or ended since."""

    name: str
    environment: str
    scopes: tuple[str, ...]
    age: timedelta
    revoked: timedelta | None = None
    rotated: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Stream:
    """One kind of work of one credential: ``a_day`` times on an average day, each a visit of some calls."""

    member: Member
    work: str
    models: tuple[tuple[Model, int], ...]
    rhythm: Rhythm
    a_day: float
    growth: float
    failing: float = 1.0


GATEWAY: Final = Member("Chat gateway", "production", WRITE, timedelta(days=212))
DOCUMENTS: Final = Member("Document pipeline", "production", WRITE, timedelta(days=180))
MOBILE: Final = Member("Mobile bot", "production", WRITE, timedelta(days=133))
TASKS: Final = Member("Task runner", "production", WRITE, timedelta(days=121), rotated=timedelta(days=13))
LEGACY: Final = Member("Website widget (old)", "production", WRITE, timedelta(days=390), timedelta(days=38))
STAGING: Final = Member("Staging", "staging", WRITE, timedelta(days=200))
LAPTOP: Final = Member("Prompt workbench", "development", WRITE, timedelta(days=64))
REPORTS: Final = Member("Finance reports", "production", READ, timedelta(days=41))

CAST: Final = (GATEWAY, DOCUMENTS, MOBILE, TASKS, LEGACY, STAGING, LAPTOP, REPORTS)
"""All of them; the finance reports have never been asked for."""

STREAMS: Final = (
    Stream(GATEWAY, "chat", ((GPT, 34), (SONNET, 30), (GPT_MINI, 22), (FLASH, 14)), OFFICE, 112, 0.7),
    Stream(GATEWAY, "search", ((EMBEDDING, 1),), OFFICE, 70, 0.7),
    Stream(MOBILE, "chat", ((HAIKU, 46), (GPT_MINI, 38), (FLASH, 16)), LEISURE, 52, 1.3),
    Stream(DOCUMENTS, "parse", ((OCR, 1),), NIGHTLY, 82, 0.9),
    Stream(DOCUMENTS, "extract", ((PRO, 70), (SONNET, 30)), NIGHTLY, 38, 0.9),
    Stream(TASKS, "task", ((SONNET, 44), (GPT, 36), (HAIKU, 20)), OFFICE, 36, 1.1),
    Stream(LEGACY, "chat", ((GPT_OLD, 1),), LEISURE, 26, -0.9),
    Stream(STAGING, "chat", ((GPT_MINI, 50), (HAIKU, 30), (FLASH, 20)), DESK, 8, 0.2, failing=6),
    Stream(STAGING, "parse", ((OCR, 1),), DESK, 4, 0.2, failing=5),
    Stream(LAPTOP, "chat", ((SONNET, 58), (PRO, 38), (FINE_TUNED, 4)), DESK, 5, 0.8, failing=4),
)
