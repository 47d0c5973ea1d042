"""What lists of the usage API can be filtered by."""

from collections.abc import Iterable
from typing import Any, Final

from django.db.models import QuerySet
from django_filters import ChoiceFilter, FilterSet

from core.params import Params
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
    fields = ExportFilter(queryset=exports).form.fields
    given = {name: params.choice(name, _accepted(fields[name]), "") for name in EXPORT_FILTERS}
    found: QuerySet[Export] = ExportFilter(given, queryset=exports).qs
    return found


def _accepted(field: Any) -> list[str]:
    return [value for value, _ in field.choices if value]
