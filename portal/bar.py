"""The filter bar as it is drawn: what can be chosen, and what is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from portal.filters import RANGES
from portal.links import ORGANIZATION
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
class Elsewhere:
    """The organizations to choose from, with what the same page of another one is asked for.

    ``across`` leads to all of them at once.
    """

    choice: Choice
    parameters: dict[str, str]
    across: str


@dataclass(frozen=True, slots=True)
class Bar:
    """The bar of a page; ``kept`` are parameters of the page that it hands on, ``reset`` leads back.

    ``elsewhere`` is None for a member of only one organization.
    """

    action: str
    elsewhere: Elsewhere | None
    choices: list[Choice]
    ranges: list[Option]
    first: str
    last: str
    zone: str
    kept: dict[str, str]
    reset: str
    said: str
    is_custom: bool


def bar(
    showing: Showing,
    asker: Asker,
    kept: Mapping[str, str],
    *,
    elsewhere: Mapping[str, str] | None = None,
    narrow: Iterable[str] = (),
) -> Bar:
    """Return the bar of a page.

    ``elsewhere`` are the page's own parameters that another organization is asked for, by default all;
    ``narrow`` those that go with the filters when these are cleared.
    Tenancy: call in the tenant's scope.
    """
    filters = asker.filters
    keys = [(key.client_id, f"{key.name} ({key.client_id})") for key in keys_of()]
    own = {name: value for name, value in kept.items() if value}
    ways = {name: value for name, value in own.items() if name not in set(narrow)}
    return Bar(
        action=showing.here().partition("?")[0],
        elsewhere=_elsewhere(showing, asker, own if elsewhere is None else elsewhere),
        choices=[
            _choice("clientId", "API key", keys, filters.client_id),
            _choice("capability", "Capability", _named(asker, Facet.CAPABILITY), filters.capability),
            _choice("model", "Model", _named(asker, Facet.MODEL), filters.model),
        ],
        ranges=[Option(name, label, name == filters.days.range) for name, label in RANGES.items()],
        first=filters.days.first.isoformat(),
        last=filters.days.last.isoformat(),
        zone=zone_label(filters.zone, filters.period.end),
        kept=own | ({ORGANIZATION: showing.kept} if showing.kept else {}),
        reset=showing.here(**ways) if filters.parameters or ways != own else "",
        said=filters.said,
        is_custom=filters.days.range == "custom",
    )


def _elsewhere(showing: Showing, asker: Asker, own: Mapping[str, str]) -> Elsewhere | None:
    organizations = showing.organizations()
    if not organizations:
        return None
    chosen = asker.caller.organization
    options = [Option(slug, name, slug == chosen) for slug, name in organizations.items()]
    # A key is one organization's alone.
    parameters = {name: value for name, value in asker.filters.parameters.items() if name != "clientId"}
    return Elsewhere(
        choice=Choice(ORGANIZATION, "Organization", options),
        parameters=parameters | dict(own),
        across=showing.to("organizations"),
    )


def _named(asker: Asker, facet: Facet) -> list[tuple[str, str]]:
    return [(value, value) for value in asker.values(facet)]


def _choice(name: str, label: str, values: list[tuple[str, str]], chosen: str | None) -> Choice:
    if chosen is not None and chosen not in dict(values):
        values = [(chosen, chosen), *values]
    options = [Option("", "All", chosen is None)]
    return Choice(name, label, options + [Option(value, said, value == chosen) for value, said in values])
