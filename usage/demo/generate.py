"""The demo's records, oldest first by the hour: the same for the same moment, and never all in memory."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain
from random import Random
from typing import Final

from usage.demo.calls import Caller
from usage.demo.cast import STREAMS, Stream
from usage.demo.rhythm import Calendar, Hour, Tide
from usage.demo.work import WORK
from usage.dialects.plain import RecordIn

_SEED: Final = 20_260_115
_HOUR_SECONDS: Final = 3_600


@dataclass(frozen=True, slots=True)
class Dated:
    """A record with the credential that it is about and its moment, so that neither has to be read back."""

    record: RecordIn
    member: str
    moment: datetime


def generate(calendar: Calendar, client_ids: Mapping[str, str]) -> Iterator[Dated]:
    """Yield the records of a calendar's days.

    ``client_ids`` are those of the cast by its names.
    """
    for _, records in hourly(calendar, client_ids):
        yield from records


def hourly(calendar: Calendar, client_ids: Mapping[str, str]) -> Iterator[tuple[datetime, Iterator[Dated]]]:
    """Yield the hours of a calendar's days with the records of the visits that begin in each."""
    sources = [_Source(stream, calendar, client_ids[stream.member.name]) for stream in STREAMS]
    for hour in calendar.hours():
        yield hour.start, chain.from_iterable(source.records(hour) for source in sources)


class _Source:
    """The records of one stream."""

    def __init__(self, stream: Stream, calendar: Calendar, client_id: str) -> None:
        # A generator of its own for each, so that one more stream would not change the others.
        random = Random(f"{_SEED} {stream.member.name} {stream.work}")
        self._member = stream.member
        self._random = random
        self._caller = Caller(stream, client_id, calendar.incident, random)
        self._visit = WORK[stream.work]
        self._tide = Tide(stream.rhythm, stream.a_day, stream.growth, random)
        revoked = stream.member.revoked
        self._end = calendar.now if revoked is None else calendar.now - revoked

    def records(self, hour: Hour) -> Iterator[Dated]:
        """Yield the records of the visits that begin in an hour."""
        for _ in range(self._tide.number(hour)):
            seconds = self._random.random() * hour.passed * _HOUR_SECONDS
            start = hour.start + timedelta(seconds=seconds)
            for record, moment in self._dated(start):
                if moment < self._end:
                    yield Dated(record, self._member.name, moment)

    def _dated(self, start: datetime) -> Iterator[tuple[RecordIn, datetime]]:
        for record in self._visit(self._caller, start):
            yield record, datetime.fromisoformat(str(record.timestamp))
