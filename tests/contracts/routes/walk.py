"""Every address that the URLconf knows, whoever defines it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from django.urls import URLPattern, URLResolver, get_resolver

ID: Final = "00000000-0000-0000-0000-000000000000"
PLACES: Final = (
    (r"\(\?P<uidb36>.*?\)-\(\?P<key>.*?\)", "1-key"),
    (r"\(\?P<url>.*?\)", "nothing-here"),
    (r"\(\?P<app_label>.*?\)", "billing"),
    (r"<uuid:\w+>", ID),
    (r"<int:\w+>", "1"),
    (r"<\w+:client_id>", "cl_00000000000000000000"),
    (r"<str:reservation_id>", f"res_{0:032x}"),
    (r"<path:content_type_id>", "1"),
    (r"<path:asked>", "v1/chat"),
    (r"<(\w+:)?\w+>", "999999999"),
    (r"[\^$]", ""),
)
"""What stands for the parts of an address that vary: nothing that exists."""

METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


@dataclass(frozen=True, slots=True)
class Route:
    """An address; one without a name is called by what its view is called."""

    name: str
    pattern: str

    @property
    def path(self) -> str:
        """An address that fits."""
        path = self.pattern
        for place, value in PLACES:
            path = re.sub(place, value, path)
        assert "<" not in path, path
        return f"/{path}"


def routes() -> list[Route]:
    """Return every address."""
    return list(_walk(get_resolver().url_patterns, "", ""))


def _walk(patterns: list[URLPattern | URLResolver], before: str, space: str) -> Iterator[Route]:
    for pattern in patterns:
        whole = f"{before}{pattern.pattern}"
        if isinstance(pattern, URLResolver):
            inner = f"{space}{pattern.namespace}:" if pattern.namespace else space
            yield from _walk(pattern.url_patterns, whole, inner)
        else:
            view = getattr(pattern.callback, "__name__", "")
            yield Route(f"{space}{pattern.name or f'({view})'}", whole)
