"""What the gate does where it can't know: the settings of docs/limits.md, as one object."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from functools import lru_cache

from django.conf import settings


class Unpriced(StrEnum):
    """What becomes of a call to a model that has no price."""

    DENY = "deny"
    ALLOW = "allow"
    HOLD = "hold"


class Outage(StrEnum):
    """What becomes of calls while the database does not answer."""

    CLOSED = "closed"
    OPEN = "open"


@dataclass(frozen=True, slots=True)
class Policy:
    """The gate's settings.

    Units: amounts are nanos, of whatever currency the organization has.
    """

    hold_without_estimate: int
    unpriced: Unpriced
    unpriced_hold: int
    without_database: Outage
    seen_within: timedelta
    hold_ttl: timedelta
    hold_ttl_most: timedelta


def policy() -> Policy:
    """Return the policy of the settings."""
    return _policy(
        settings.GATE_HOLD_WITHOUT_ESTIMATE,
        settings.GATE_UNPRICED_MODEL,
        settings.GATE_UNPRICED_HOLD,
        settings.GATE_WITHOUT_DATABASE,
        settings.GATE_SEEN_WITHIN,
        settings.GATE_HOLD_TTL,
        settings.GATE_HOLD_TTL_MOST,
    )


@lru_cache(maxsize=8)
def _policy(
    hold: int,
    unpriced: str,
    unpriced_hold: int,
    outage: str,
    seen: timedelta,
    ttl: timedelta,
    ttl_most: timedelta,
) -> Policy:
    return Policy(hold, Unpriced(unpriced), unpriced_hold, Outage(outage), seen, ttl, ttl_most)
