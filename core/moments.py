"""Moments as clients write and read them."""

import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Final

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
FIRST: Final = datetime(1900, 1, 1, tzinfo=UTC)
LAST: Final = datetime(3000, 1, 1, tzinfo=UTC)
_MILLISECONDS = re.compile(r"-?[0-9]{1,15}", re.ASCII)
_ISO = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})[Tt ]([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:[.,]([0-9]+))?)?"
    r"(?:([Zz])|([+-])([0-9]{2}):?([0-9]{2}))?",
    re.ASCII,
)


def parse_moment(value: str | int) -> datetime:
    """Read ISO 8601 with an offset or ``Z``, or Unix milliseconds as a number or digits.

    Units: an aware datetime in UTC; digits beyond microseconds are cut off.
    Raises: ValueError for anything else, saying so when only the offset is missing, and for
    moments outside the years 1900 to 2999.
    """
    if isinstance(value, bool):
        raise ValueError("a boolean is not a moment")  # noqa: TRY004 one kind of fault for every bad input
    if isinstance(value, int):
        return _from_milliseconds(value)
    if _MILLISECONDS.fullmatch(value):
        return _from_milliseconds(int(value))
    return _in_range(_from_iso(value))


def format_moment(moment: datetime) -> str:
    """Write a moment as ISO 8601 in UTC with ``Z``; microseconds only when there are any."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"


def _from_milliseconds(value: int) -> datetime:
    if abs(value) >= 10**15:
        raise ValueError("the number is too large for Unix milliseconds")
    try:
        return _in_range(_EPOCH + timedelta(milliseconds=value))
    except OverflowError as error:
        raise ValueError(f"{value} is not a moment in Unix milliseconds") from error


def _in_range(moment: datetime) -> datetime:
    # Calendar arithmetic needs room on both sides, and no use is that far from today.
    if not FIRST <= moment < LAST:
        raise ValueError("a moment must lie in the years 1900 to 2999")
    return moment


def _from_iso(text: str) -> datetime:
    match = _ISO.fullmatch(text)
    if match is None:
        raise ValueError(
            f"{text[:48]!r} is neither ISO 8601, such as 2026-11-21T09:30:00Z, nor Unix milliseconds"
        )
    year, month, day, hour, minute, second, fraction, zulu, sign, off_hours, off_minutes = match.groups()
    if zulu is None and sign is None:
        raise ValueError(f"{text[:48]!r} has no offset: add Z or one such as +02:00")
    offset = timedelta() if zulu else _offset(sign, int(off_hours), int(off_minutes))
    microsecond = int(((fraction or "") + "000000")[:6])
    try:
        local = datetime(
            int(year), int(month), int(day), int(hour), int(minute), int(second or 0), microsecond,
            tzinfo=timezone(offset),
        )  # fmt: skip
        return local.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise ValueError(f"{text[:48]!r} is not a moment that exists: {error}") from error


def _offset(sign: str, hours: int, minutes: int) -> timedelta:
    if hours > 23 or minutes > 59:
        raise ValueError(f"{sign}{hours:02d}:{minutes:02d} is not an offset from UTC")
    offset = timedelta(hours=hours, minutes=minutes)
    return -offset if sign == "-" else offset
