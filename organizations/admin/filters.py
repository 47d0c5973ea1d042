"""Whose rows a list of the operator's admin shows; of everybody's, the latest only."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, Final

from django import forms
from django.contrib import admin
from django.contrib.admin.views.main import SEARCH_VAR, ChangeList
from django.db import connection
from django.db.models import Max, Model, QuerySet
from django.http import HttpRequest

from core import clock
from organizations.admin.widgets import Chooser
from organizations.models import Organization

WEEK: Final = timedelta(days=7)
STEPS: Final = {
    timedelta(minutes=5): "5 minutes",
    timedelta(hours=1): "hour",
    timedelta(days=1): "day",
    WEEK: "7 days",
}
"""Spans that a list of everybody's rows can be of, in words."""
ENOUGH: Final = 1_000
"""Rows that are enough for a list of everybody's, which is then of a shorter span."""
LATEST: Final = 100_000
"""Rows of everybody that are looked through: the last ones, by their numbers."""
BY_NUMBER: Final = "pk"
_DIGITS: Final = 18
# Asked of one organization after the other, which the index of their rows by time answers.
_IS_ENOUGH: Final = """
SELECT count(*) FROM (
    SELECT FROM organizations_organization AS owner CROSS JOIN LATERAL (
        SELECT FROM {table} AS one WHERE one.organization_id = owner.id AND one.{column} >= %s LIMIT {enough}
    ) AS found LIMIT {enough}
) AS enough
"""


class OrganizationFilter(admin.SimpleListFilter):
    """One organization's rows; without it, and without a search, what its model admin's ``latest`` says.

    ``latest`` names a moment of the rows, of which the shortest of the ``spans`` is shown that has enough
    rows, or is ``pk``, which shows the rows with the last numbers. Either keeps a list short that would be
    all rows of the whole system. What the model admin says is ``few`` is listed whole, like a search.
    """

    title = "organization"
    parameter_name = "organization"
    template = "admin/filter_organization.html"
    form: forms.Form

    def __init__(
        self, request: HttpRequest, params: dict[str, Any], model: type[Any], model_admin: Any
    ) -> None:
        super().__init__(request, params, model, model_admin)
        self.latest: str = getattr(model_admin, "latest", "")
        self.spans: tuple[timedelta, ...] = getattr(model_admin, "spans", (WEEK,))
        self.span = self.spans[-1]
        few: dict[str, str] = getattr(model_admin, "few", {})
        is_few = any(request.GET.get(name) == value for name, value in few.items())
        self.searched = bool(request.GET.get(SEARCH_VAR)) or is_few
        self.chooser = Chooser(model._meta.get_field("organization"), model_admin.admin_site)

    def has_output(self) -> bool:
        """An organization can always be chosen."""
        return True

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Return nothing: there may be many, so they are found by typing."""
        return []

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Return the rows to list."""
        if self.value():
            return queryset.filter(organization_id=chosen(request) or 0)
        return queryset if self.searched else self._latest(queryset)

    def choices(self, changelist: ChangeList) -> Iterator[Any]:
        """Yield the way back to everybody's, and prepare the form that asks for one."""
        self.form = _form(self.chooser, self.value())
        self.kept = [pair for pair in changelist.params.items() if pair[0] not in (self.parameter_name, "p")]
        yield {
            "selected": not self.value(),
            "query_string": changelist.get_query_string(remove=[self.parameter_name]),
            "display": self._all(),
        }

    def _latest(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if not self.latest:
            return queryset
        if self.latest == BY_NUMBER:
            last = queryset.order_by().aggregate(last=Max("pk"))["last"] or 0
            return queryset.filter(pk__gt=last - LATEST)
        now = clock.now()
        self.span = next(
            (span for span in self.spans[:-1] if _has_enough(queryset.model, self.latest, now - span)),
            self.spans[-1],
        )
        return queryset.filter(**{f"{self.latest}__gte": now - self.span})

    def _all(self) -> str:
        if not self.latest or self.searched:
            return "All"
        by_number = self.latest == BY_NUMBER
        return f"All, latest {LATEST:,}" if by_number else f"All, last {STEPS[self.span]}"


def _has_enough(model: type[Model], moment: str, since: datetime) -> bool:
    field: Any = model._meta.get_field(moment)
    table, column = model._meta.db_table, field.column
    with connection.cursor() as cursor:
        cursor.execute(_IS_ENOUGH.format(table=table, column=column, enough=ENOUGH), [since])
        [count] = cursor.fetchone() or (0,)
    return bool(count >= ENOUGH)


def chosen(request: HttpRequest) -> int | None:
    """Return the number of the organization that a list is of."""
    value = request.GET.get(OrganizationFilter.parameter_name, "")
    return int(value) if value.isascii() and value.isdecimal() and len(value) <= _DIGITS else None


def _form(chooser: Chooser, value: str | None) -> forms.Form:
    field = forms.ModelChoiceField(Organization.objects.all(), required=False, widget=chooser)
    form = forms.Form({OrganizationFilter.parameter_name: value}, auto_id="filter-%s")
    form.fields[OrganizationFilter.parameter_name] = field
    return form
