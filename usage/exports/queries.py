"""Reading exports: a page of them, and one by its id."""

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Q, QuerySet

from core.paging import Position
from core.problems import not_found
from usage.models import Export


@dataclass(frozen=True, slots=True)
class ExportPage:
    """Which page is asked for: how many, which way, and the position of the last export seen."""

    take: int
    descending: bool
    after: Position | None


def visible(organization_id: int, datasets: Collection[str]) -> QuerySet[Export]:
    """Return the organization's exports of some datasets."""
    return Export.objects.filter(organization_id=organization_id, dataset__in=list(datasets))


def page_of(exports: QuerySet[Export], page: ExportPage) -> list[Export]:
    """Return one page, in order of when they were asked for, with who asked."""
    sign, beyond = ("-", "lt") if page.descending else ("", "gt")
    if page.after is not None:
        moment, key = page.after
        exports = exports.filter(
            Q(**{f"created_at__{beyond}": moment}) | Q(created_at=moment, **{f"pk__{beyond}": key})
        )
    ordered = exports.select_related("requested_by", "credential").order_by(f"{sign}created_at", f"{sign}pk")
    return list(ordered[: page.take])


def export_of(organization_id: int, export_id: UUID) -> Export:
    """Return one export, with who asked for it.

    Raises: `Problem` 404.
    """
    found = Export.objects.filter(organization_id=organization_id, pk=export_id)
    export = found.select_related("requested_by", "credential").first()
    if export is None:
        raise not_found(f"There is no export {export_id} in this organization.")
    return export
