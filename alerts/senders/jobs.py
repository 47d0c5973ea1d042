"""What a sender is given, and what it says afterwards."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

MOST_RESPONSE: Final = 500
MOST_ERROR: Final = 200


@dataclass(frozen=True, slots=True)
class Job:
    """One attempt at one delivery: the snapshot, where it goes, and the secrets to sign it with."""

    delivery_id: UUID
    organization_id: int
    number: int
    notice: str
    kind: str
    channel_id: UUID | None
    subscription: UUID | None
    target: str = field(repr=False)
    secrets: tuple[str, ...] = field(repr=False)
    payload: Mapping[str, Any] = field(repr=False)
    chart: Mapping[str, Any] | None = field(repr=False)
    at: datetime


@dataclass(frozen=True, slots=True)
class Result:
    """What came of an attempt.

    ``gone`` says that the receiver wants nothing any more, ``final`` that trying again is no use,
    ``retry_after`` that it asked to be left alone for so long.
    """

    delivered: bool
    status: int | None = None
    response: str = ""
    error: str = ""
    gone: bool = False
    final: bool = False
    retry_after: timedelta | None = None


def by_status(status: int, body: bytes, headers: Mapping[str, str]) -> Result:
    """Return the result that an HTTP answer means: only 2xx is a delivery, redirections aren't followed."""
    response = excerpt(body)
    if 200 <= status < 300:
        return Result(delivered=True, status=status, response=response)
    return Result(
        delivered=False,
        status=status,
        response=response,
        error=_error(status),
        gone=status == 410,
        retry_after=_retry_after(headers.get("retry-after", "")),
    )


def excerpt(body: bytes) -> str:
    """Return the beginning of an answer as text that can be kept and shown."""
    text = body[: 4 * MOST_RESPONSE].decode("utf-8", "replace")
    return "".join(sign if sign.isprintable() or sign == "\n" else " " for sign in text)[:MOST_RESPONSE]


def _error(status: int) -> str:
    if 300 <= status < 400:
        return f"The receiver answered {status}; redirections are not followed."
    if status == 410:
        return "The receiver answered 410: it wants nothing any more."
    return f"The receiver answered {status}."


def _retry_after(value: str) -> timedelta | None:
    return timedelta(seconds=int(value)) if value.isascii() and value.isdigit() and len(value) < 8 else None
