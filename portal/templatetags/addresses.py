"""What templates do to addresses."""

from __future__ import annotations

from django import template
from django.http import QueryDict

from organizations.door import CHOICE_PARAM

register = template.Library()


@register.filter
def within(address: str, organization: str | None) -> str:
    """Return the API's address for an organization, where the reader belongs to several."""
    if not organization:
        return address
    path, _, query = address.partition("?")
    parameters = QueryDict(query, mutable=True)
    parameters[CHOICE_PARAM] = organization
    return f"{path}?{parameters.urlencode()}"
