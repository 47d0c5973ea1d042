"""Outlooks, remembered by what they were made from: a fit takes a good part of a second.

The key is a digest of the history itself, so that a late record or an import is never overlooked, and a day
later there is another. Without Redis everything is worked out each time.
"""

import struct
from collections.abc import Mapping, Sequence
from hashlib import blake2b
from typing import Final

import structlog
from django.core.cache import cache
from redis.exceptions import RedisError

from alerts.forecasts.history import History
from alerts.forecasts.outlook import Outlook
from alerts.forecasts.predict import predict

HORIZON: Final = 92
"""Days after today that every outlook reaches, whatever is asked: longer than any billing period."""
KEPT_SECONDS: Final = 26 * 3600
_VERSION: Final = 1
"""To be raised with whatever changes the forecasts of a history."""

log: Final = structlog.get_logger(__name__)


def outlooks_of(organization_id: int, histories: Sequence[History]) -> list[Outlook]:
    """Return the outlook of each of the organization's histories."""
    keys = [_key(organization_id, history) for history in histories]
    found = _recall(keys)
    made = {
        key: predict(history, HORIZON)
        for key, history in zip(keys, histories, strict=True)
        if not isinstance(found.get(key), Outlook)
    }
    if made:
        _remember(made)
    return [made.get(key) or found[key] for key in keys]


def _recall(keys: Sequence[str]) -> Mapping[str, Outlook]:
    try:
        return cache.get_many(keys)
    except RedisError as error:
        log.warning("forecast_not_remembered", error=str(error))
        return {}


def _remember(made: Mapping[str, Outlook]) -> None:
    try:
        cache.set_many(dict(made), KEPT_SECONDS)
    except RedisError as error:
        log.warning("forecast_not_remembered", error=str(error))


def _key(organization_id: int, history: History) -> str:
    values = struct.pack(f"<{history.days}d", *history.values)
    digest = blake2b(values + history.today.isoformat().encode(), digest_size=16).hexdigest()
    return f"forecast:{_VERSION}:{organization_id}:{digest}"
