"""Addresses of pages: what is looked at is in them, so that a view can be kept and shared."""

from __future__ import annotations

from django.http import QueryDict
from django.urls import reverse

ORGANIZATION: str = "organization"


def address(name: str, *, organization: str | None = None, **parameters: str) -> str:
    """Return a page's path, with the organization where the reader belongs to several, and its parameters."""
    query = QueryDict(mutable=True)
    if organization is not None:
        query[ORGANIZATION] = organization
    query.update(parameters)
    path = reverse(f"portal:{name}")
    return f"{path}?{query.urlencode()}" if query else path
