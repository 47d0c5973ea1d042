"""Times as files write them: without an offset, with any number of digits, with a zone's letters."""

import re
from datetime import UTC, datetime
from typing import Final
from zoneinfo import ZoneInfo

from core.moments import format_moment
from usage.dialects.errors import Fault

_CLOCK: Final = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt ]+([0-9]{2}:[0-9]{2}(?::[0-9]{2})?)(?:[.,]([0-9]+))?"
    r"(?: *(Z|z|UTC|GMT|[+-][0-9]{2}(?::?[0-9]{2})?))?",
    re.ASCII,
)
_MICROSECOND_DIGITS: Final = 6
_BARE_HOURS: Final = 3


def localised(value: str | int | None, tz: ZoneInfo) -> str | int | None:
    """Return a moment with an offset; one that a file gives without is meant in the zone.

    Digits beyond microseconds are cut off. An hour that the zone's clock shows twice is its first. What is
    no time of day and date, such as Unix milliseconds, is returned as it is.
    Raises: `Fault` for a time that the zone's clock skipped.
    """
    if not isinstance(value, str):
        return value
    text = value.strip()
    match = _CLOCK.fullmatch(text)
    if match is None:
        return text
    day, clock, fraction, offset = match.groups()
    written = f"{day}T{clock}" + (f".{fraction[:_MICROSECOND_DIGITS]}" if fraction else "")
    if offset:
        return written + _spelled(offset)
    return f"{written}Z" if tz.key == "UTC" else _from_zone(written, tz)


def _spelled(offset: str) -> str:
    if offset[0] not in "+-":
        return "Z"
    return f"{offset}:00" if len(offset) == _BARE_HOURS else offset


def _from_zone(written: str, tz: ZoneInfo) -> str:
    try:
        naive = datetime.fromisoformat(written)
        moment = naive.replace(tzinfo=tz).astimezone(UTC)
        shown = moment.astimezone(tz).replace(tzinfo=None)
    except (ValueError, OverflowError) as error:
        raise Fault("/timestamp", "invalid", f"Invalid timestamp: {written!r}: {error}.") from error
    if shown != naive:
        raise Fault("/timestamp", "invalid", f"Invalid timestamp: the clock of {tz.key} skipped {written}.")
    return format_moment(moment)
