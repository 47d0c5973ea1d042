"""Rendering: one template, as the whole page or as the part of it that changes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from core import clock
from core.periods import zone
from organizations.models import User
from organizations.tenancy import Caller
from portal.access import wants_fragment
from portal.layout import layout, names_of
from portal.links import ORGANIZATION, address
from portal.strip import strip
from portal.times import zone_label

WHOLE: Final = "portal/layout.html"
PART: Final = "portal/part.html"


class Showing:
    """A page being shown: its links keep the organization, and it is rendered as it is asked for."""

    def __init__(self, request: HttpRequest, user: User, caller: Caller, name: str) -> None:
        self.request = request
        self.user = user
        self.caller = caller
        self.name = name
        self.layout = None if wants_fragment(request) else layout(request, user, caller, name)
        # What asks for a part was itself given the organization by the whole page.
        self.kept = request.GET.get(ORGANIZATION) if self.layout is None else self.layout.kept

    def to(self, name: str, *places: str, **parameters: str) -> str:
        """Return the address of a page in this organization."""
        return address(name, *places, organization=self.kept, **parameters)

    def here(self, **parameters: str) -> str:
        """Return the address of this page with other parameters."""
        return self.to(self.name, **parameters)

    def organizations(self) -> dict[str, str]:
        """Return the names of a reader's organizations by their short names; none for a member of only one.

        Tenancy: looks through the whole system.
        """
        if self.layout is not None:
            return self.layout.names
        # Only a member of several is handed on the organization from page to page.
        return {} if self.kept is None else names_of(self.user)

    def render(self, template: str, context: Mapping[str, Any], *, status: int = 200) -> HttpResponse:
        """Return the page, or the block ``live`` of it for htmx."""
        own = {"caller": self.caller, "to": self.to, "kept": self.kept, "times_in": self._times_in()}
        full = {**self._frame(), **own, **context}
        response = render(self.request, template, full, status=status)
        if self.layout is None and "here" in context and "" in self.request.GET.values():
            # A form sends all of its fields; the address to keep has those that say something.
            response["HX-Push-Url"] = context["here"]
        return response

    def _times_in(self) -> str:
        """Return what a page with moments names as their zone."""
        return zone_label(zone(self.caller.timezone), clock.now())

    def _frame(self) -> dict[str, Any]:
        if self.layout is not None:
            return {"frame": WHOLE, "layout": self.layout}
        # The strip lies outside of what is replaced, and is as fresh.
        return {"frame": PART, "layout": None, "strip": strip(self.caller, clock.now(), self.to)}
