"""What lists of the usage API can be filtered by."""

from collections.abc import Iterable
from typing import Final

from django.db.models import QuerySet
from django_filters import ChoiceFilter, FilterSet

from core.params import Params
from core.problems import invalid_parameter
from usage.exports.catalogue import datasets
from usage.exports.formats import FORMATS
from usage.models import Export, ExportState


def _choices(names: Iterable[str]) -> list[tuple[str, str]]:
    return [(name, name) for name in names]


class ExportFilter(FilterSet):  # type: ignore[misc] # it has no types
    """Exports by state, dataset and format."""

    state = ChoiceFilter(choices=ExportState.choices)
    dataset = ChoiceFilter(choices=lambda: _choices(datasets()))
    format = ChoiceFilter(choices=_choices(FORMATS))

    class Meta:
        model = Export
        fields = ("state", "dataset", "format")


EXPORT_FILTERS: Final = tuple(ExportFilter.base_filters)


def filter_exports(params: Params, exports: QuerySet[Export]) -> QuerySet[Export]:
    """Return the exports that the parameters ask for.

    Raises: `Problem` 400 naming a parameter and what it accepts.
    """
    given = {name: value for name in EXPORT_FILTERS if (value := params.text(name)) is not None}
    filters = ExportFilter(given, queryset=exports)
    for name in filters.form.errors:
        accepted = ", ".join(value for value, _ in filters.form.fields[name].choices if value)
        raise invalid_parameter(name, f"Invalid {name}: {given[name]!r}; accepted: {accepted}.")
    found: QuerySet[Export] = filters.qs
    return found
