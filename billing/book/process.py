"""One state of the book, kept by a process until it hears of another.

Nothing here asks whether the state is still the present one, but `confirmed`: the transaction that stores
what was rated does, for all of a batch at once.
"""

import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from threading import Lock
from typing import Final

from billing.book import read
from billing.book.names import canonical
from billing.book.versions import Reduction, Version, deepest, latest, span
from billing.rating import Sheet, Used
from usage.tiers import Tier

CONFIRMED_FOR_SECONDS: Final = 2.0
_REMEMBERED: Final = 4096

Names = tuple[str | None, str | None, str | None]
"""Provider, model and service tier, as a record has them."""
_Listed = dict[tuple[str, str, str], list[Version]]


@dataclass(frozen=True, slots=True)
class Segment:
    """What calls of the same names cost from one moment until another; without a sheet they have no price."""

    start: datetime
    end: datetime
    sheet: Sheet | None
    price_id: int | None
    formula: Callable[[Used], int] | None


class Entry:
    """The prices that calls of the same names can have."""

    __slots__ = ("_candidates", "_reductions", "segment")

    def __init__(self, candidates: list[list[Version]], reductions: list[Reduction]) -> None:
        self._candidates = candidates
        self._reductions = reductions
        self.segment: Segment | None = None

    def at(self, moment: datetime) -> Segment:
        """Return what holds at a moment; most calls come at a time like the last one's.

        Concurrency: a segment is replaced as a whole.
        """
        segment = self.segment
        if segment is None or not segment.start <= moment < segment.end:
            segment = self.segment = self._find(moment)
        return segment

    def _find(self, moment: datetime) -> Segment:
        known = [version for versions in self._candidates for version in versions]
        start, end = span(known, self._reductions, moment)
        standing = (latest(versions, moment) for versions in self._candidates)
        version = next((version for version in standing if version is not None), None)
        if version is None:
            return Segment(start, end, None, None, None)
        reduction = None if version.own else deepest(self._reductions, version, moment)
        sheet = version.sheet(reduction.basis_points if reduction else 0)
        return Segment(start, end, sheet, sheet.price_id, sheet.formula)


class Tenant:
    """The book as it is for one organization."""

    def __init__(self, organization_id: int, currency: str, listed: _Listed) -> None:
        versions, self._reductions = read.own(organization_id, currency)
        self._books = (_by_names(versions), listed)
        self.entries: dict[Names, Entry] = {}

    def entry(self, names: Names) -> Entry:
        """Return the prices for a provider, a model and a tier, as a record has them."""
        found = self.entries.get(names)
        if found is None:
            if len(self.entries) >= _REMEMBERED:
                self.entries.clear()
            found = self.entries[names] = Entry(list(self._candidates(names)), self._reductions)
        return found

    def _candidates(self, names: Names) -> Iterable[list[Version]]:
        """Yield the versions that may price such calls, those first that go first.

        A price for the call's tier goes before one for the standard tier, the organization's own before the
        list, the names as they are before what the list would call them.
        """
        provider, model, tier = (name or "" for name in names)
        tier = tier or Tier.STANDARD.value
        spelled = dict.fromkeys([(provider, model), ("", model)])
        meant = canonical(provider, model) if model else None
        for each in dict.fromkeys((tier, Tier.STANDARD.value)):
            for book in self._books:
                for name in spelled:
                    yield book.get((*name, each), [])
                # What another provider charges for its tiers says nothing of this one's.
                if meant is not None and (each == Tier.STANDARD or not meant.borrowed):
                    yield book.get((meant.provider, meant.model, each), [])


class Book:
    """One state of the book, read as far as it was asked for."""

    def __init__(self) -> None:
        # Before anything else is read: what changes meanwhile makes this state an old one.
        self.version: Final = read.version_number()
        self.confirmed_at = time.monotonic()
        self._listed: dict[str, _Listed] = {}
        self._tenants: dict[tuple[int, str], Tenant] = {}
        self._reading = Lock()

    def tenant(self, organization_id: int, currency: str) -> Tenant:
        """Return the book as it is for an organization."""
        found = self._tenants.get((organization_id, currency))
        if found is None:
            found = self._read(organization_id, currency)
        return found

    def _read(self, organization_id: int, currency: str) -> Tenant:
        with self._reading:
            listed = self._listed.get(currency)
            if listed is None:
                listed = self._listed[currency] = _by_names(read.listed(organization_id, currency))
            if len(self._tenants) >= _REMEMBERED:
                self._tenants.clear()
            found = self._tenants[organization_id, currency] = Tenant(organization_id, currency, listed)
        return found


_book: Book | None = None


def current() -> Book:
    """Return the book as this process last knew it."""
    global _book  # noqa: PLW0603 one book a process
    book = _book
    if book is None:
        book = _book = Book()
    return book


def forget() -> None:
    """Read the book anew when it is next asked for."""
    global _book  # noqa: PLW0603 one book a process
    _book = None


def confirmed() -> Book:
    """Return the book as it was no longer than two seconds ago."""
    book = current()
    if time.monotonic() - book.confirmed_at > CONFIRMED_FOR_SECONDS:
        if read.version_number() != book.version:
            forget()
            return current()
        book.confirmed_at = time.monotonic()
    return book


def sheet(
    organization_id: int,
    currency: str,
    provider: str | None,
    model: str | None,
    tier: str | None,
    at: datetime,
    *,
    book: Book | None = None,
) -> Sheet | None:
    """Return what a call at a moment costs an organization, or None when it has no price.

    The book may be two seconds old unless one is given.
    """
    book = book or confirmed()
    return book.tenant(organization_id, currency).entry((provider, model, tier)).at(at).sheet


def _by_names(versions: Iterable[Version]) -> _Listed:
    found: _Listed = defaultdict(list)
    for version in versions:
        found[version.provider, version.model, version.tier].append(version)
    return dict(found)
