"""Addresses of pages: what is looked at is in them, so that a view can be kept and shared."""

from __future__ import annotations

from django.http import QueryDict
from django.urls import reverse

ORGANIZATION: str = "organization"


def address(name: str, *places: str, organization: str | None = None, **parameters: str) -> str:
    """Return a page's path, with the organization where the reader belongs to several, and its parameters.

    A parameter of a name that Python keeps for itself is written with an underscore after it.
    """
    query = QueryDict(mutable=True)
    if organization is not None:
        query[ORGANIZATION] = organization
    query.update({key.rstrip("_"): value for key, value in parameters.items() if value})
    path = reverse(f"portal:{name}", args=places)
    return f"{path}?{query.urlencode()}" if query else path
