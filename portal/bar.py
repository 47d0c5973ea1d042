"""The filter bar as it is drawn: what can be chosen, and what is."""

from __future__ import annotations

from dataclasses import dataclass

from portal.filters import RANGES
from portal.reading.asking import Asker, keys_of
from portal.showing import Showing
from portal.times import zone_label
from usage.queries.facets import Facet


@dataclass(frozen=True, slots=True)
class Option:
    """One of several to choose from."""

    value: str
    label: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class Choice:
    """A field of the bar with all that can be chosen; the first option stands for anything."""

    name: str
    label: str
    options: list[Option]


@dataclass(frozen=True, slots=True)
class Bar:
    """The bar of a page; ``kept`` are parameters of the page that it hands on, ``reset`` leads back."""

    action: str
    choices: list[Choice]
    ranges: list[Option]
    first: str
    last: str
    zone: str
    kept: dict[str, str]
    reset: str
    said: str
    is_custom: bool


def bar(showing: Showing, asker: Asker, kept: dict[str, str]) -> Bar:
    """Return the bar of a page.

    Tenancy: call in the tenant's scope.
    """
    filters = asker.filters
    keys = [(key.client_id, f"{key.name} ({key.client_id})") for key in keys_of()]
    own = {name: value for name, value in kept.items() if value}
    return Bar(
        action=showing.here().partition("?")[0],
        choices=[
            _choice("clientId", "API key", keys, filters.client_id),
            _choice("capability", "Capability", _named(asker, Facet.CAPABILITY), filters.capability),
            _choice("model", "Model", _named(asker, Facet.MODEL), filters.model),
        ],
        ranges=[Option(name, label, name == filters.days.range) for name, label in RANGES.items()],
        first=filters.days.first.isoformat(),
        last=filters.days.last.isoformat(),
        zone=zone_label(filters.zone, filters.period.start),
        kept=own | ({"organization": showing.kept} if showing.kept else {}),
        reset=showing.here(**own) if filters.parameters else "",
        said=filters.said,
        is_custom=filters.days.range == "custom",
    )


def _named(asker: Asker, facet: Facet) -> list[tuple[str, str]]:
    return [(value, value) for value in asker.values(facet)]


def _choice(name: str, label: str, values: list[tuple[str, str]], chosen: str | None) -> Choice:
    if chosen is not None and chosen not in dict(values):
        values = [(chosen, chosen), *values]
    options = [Option("", "All", chosen is None)]
    return Choice(name, label, options + [Option(value, said, value == chosen) for value, said in values])
