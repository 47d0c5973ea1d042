"""How the operator's admin writes what rows hold: amounts with their currency, numbers, links, words."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, TypeAlias

from django.contrib import admin
from django.db.models import Model
from django.urls import NoReverseMatch, reverse
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from core.written import exact, exact_money

Shown: TypeAlias = Any
"""A column, which takes a row; Django allows one wherever it allows a field's name, its types do not."""
EMPTY: Final = "–"
"""What stands where there is nothing."""
_CENT_DIGITS: Final = 7
"""How many digits of nanos are less than a cent."""


def money(name: str, label: str, *, cents: bool = False) -> Shown:
    """Return a column with an amount in the currency of the row, or of its organization.

    Units: the field is in nanos; in whole cents where lists compare it, unless nothing would be left of it.
    """

    @admin.display(description=label)
    def shown(row: Any) -> str:
        nanos = getattr(row, name)
        if nanos is None:
            return EMPTY
        written = round(nanos, -_CENT_DIGITS) if cents else nanos
        return f"{exact_money(written or nanos)} {currency_of(row)}"

    shown.__name__ = f"number_{name}"
    return shown


def number(name: str, label: str, unit: str = "", places: int | None = None) -> Shown:
    """Return a column with a number, its thousands grouped, and what it counts; rounded to the places."""

    @admin.display(description=label)
    def shown(row: Any) -> str:
        value = getattr(row, name)
        if value is None:
            return EMPTY
        return f"{exact(value if places is None else round(Decimal(value), places))}{unit}"

    shown.__name__ = f"number_{name}"
    return shown


def pairs(name: str, label: str) -> Shown:
    """Return a column with a JSON object, a line to each of its names."""

    @admin.display(description=label)
    def shown(row: Any) -> SafeString | str:
        value: Mapping[str, Any] = getattr(row, name) or {}
        lines = ((key, _json(one)) for key, one in value.items())
        found = format_html_join("", "<div><dt>{}</dt><dd>{}</dd></div>", lines)
        return format_html('<dl class="pairs">{}</dl>', found) if found else EMPTY

    shown.__name__ = name
    return shown


def listed(name: str, label: str, unit: str = "") -> Shown:
    """Return a column with several values, separated by commas."""

    @admin.display(description=label)
    def shown(row: Any) -> str:
        values: Sequence[Any] = getattr(row, name) or ()
        return ", ".join(_text(value) + unit for value in values) or EMPTY

    shown.__name__ = name
    return shown


def linked(name: str, label: str = "") -> Shown:
    """Return a column with the row that another names, leading to its own page."""

    @admin.display(description=label or name.replace("_", " "))
    def shown(row: Any) -> SafeString | str:
        return link(getattr(row, name))

    shown.__name__ = name
    return shown


def link(row: Model | None) -> SafeString | str:
    """Return a row's name, leading to its page where it has one."""
    if row is None:
        return EMPTY
    try:
        url = reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=(row.pk,))
    except NoReverseMatch:
        return format_html("{}", row)
    return format_html('<a href="{}">{}</a>', url, row)


def links(places: Sequence[tuple[str, str]]) -> SafeString:
    """Return names that lead to addresses, side by side."""
    return format_html('<span class="links">{}</span>', format_html_join("", '<a href="{1}">{0}</a>', places))


def moment(value: datetime | None) -> str:
    """Write a moment, with its zone."""
    return EMPTY if value is None else date_format(value, "DATETIME_FORMAT")


def _json(value: Any) -> str:
    if isinstance(value, str):
        return value
    # Truth values are numbers in Python.
    return exact(value) if type(value) is int else json.dumps(value)


def _text(value: Any) -> str:
    return exact(value) if isinstance(value, int | Decimal) else str(value)


def currency_of(row: Any) -> str:
    """Return the currency that a row's amounts are in."""
    own = getattr(row, "currency", None)
    return str(own or row.organization.currency)
