"""Which pages there are: each registers itself with its path, who may see it, and its place in the menu."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Final

from django.urls import URLPattern, path
from django.views.decorators.http import require_http_methods

from organizations.models import User
from organizations.tenancy import Caller
from portal.access import Page, View, member_page

READ: Final = ("GET", "HEAD")
WRITE: Final = ("POST",)


class Group(Enum):
    """The parts of the menu, in their order; the first has no heading."""

    START = ""
    ANALYZE = "Analytics"
    MONEY = "Cost and billing"
    BUILD = "Developers"
    MANAGE = "Organization"


@dataclass(frozen=True, slots=True)
class Entry:
    """A page, and who may see it: members with the scope and, where so said, only those who manage.

    Without a label it isn't in the menu; ``place`` is its order within the group. ``under`` names the page of
    the menu that it belongs to.
    """

    name: str
    path: str
    scope: str
    managers: bool = False
    label: str = ""
    group: Group = Group.START
    place: int = 0
    under: str = ""

    def shown_to(self, user: User, caller: Caller) -> bool:
        """Tell whether the menu shows the page to a member."""
        return self.scope in caller.scopes and (caller.is_manager or not self.managers)


_pages: dict[str, tuple[Entry, View]] = {}
_methods: dict[str, tuple[str, ...]] = {}


def page(entry: Entry, methods: Iterable[str] = READ) -> Callable[[Page], Page]:
    """Register what answers a page's address.

    Raises: ValueError for a name that another page has.
    """

    def register(answer: Page) -> Page:
        if entry.name in _pages:
            raise ValueError(f"Two pages are called {entry.name}.")
        view = member_page(scope=entry.scope, managers=entry.managers)(answer)
        _methods[entry.name] = tuple(methods)
        _pages[entry.name] = (entry, require_http_methods(list(methods))(view))
        return answer

    return register


def patterns() -> list[URLPattern]:
    """Return the addresses of all pages that are registered."""
    return [path(entry.path, view, name=entry.name) for entry, view in _pages.values()]


def menu() -> list[Entry]:
    """Return the pages of the menu, in its order."""
    order = list(Group)
    listed = [entry for entry, _ in _pages.values() if entry.label]
    return sorted(listed, key=lambda entry: (order.index(entry.group), entry.place, entry.label))


def methods_of(name: str) -> tuple[str, ...]:
    """Return the methods that a page is asked with."""
    return _methods[name]


def entry_of(name: str) -> Entry:
    """Return the page of that name."""
    return _pages[name][0]


def is_page(name: str) -> bool:
    """Tell whether a page has that name."""
    return name in _pages
