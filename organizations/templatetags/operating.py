"""Cells of the admin's lists that carry the names of their columns."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Final

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

register = template.Library()

_BEGINNING: Final = re.compile(r"^\s*<t[dh]")


@register.filter
def column(field: dict[str, Any]) -> str:
    """Return what a column of an inline is called: its field, or the function that writes it.

    A template would call the function.
    """
    name = field["name"]
    return str(getattr(name, "__name__", name))


@register.filter
def labelled(cells: Iterable[Any], headers: list[dict[str, Any]]) -> list[SafeString]:
    """Return a row's cells, each with the name of its column, beside which a narrow screen shows it."""
    return [_labelled(str(cell), header) for cell, header in zip(cells, headers, strict=True)]


def _labelled(cell: str, header: dict[str, Any]) -> SafeString:
    found = _BEGINNING.match(cell)
    text = str(header["text"])
    if found is None or text.startswith("<"):
        return mark_safe(cell)  # noqa: S308 # Django made it, and escaped what is in it
    label = format_html(' data-label="{}"', text[:1].upper() + text[1:])
    return mark_safe(found[0] + label + cell[found.end() :])  # noqa: S308 # as above
