"""Reading imports: a page of them, and one by its id."""

from uuid import UUID

from django.db.models import Q

from core.paging import Position
from core.problems import not_found
from usage.models import Import


def page_of(organization_id: int, *, take: int, descending: bool, after: Position | None) -> list[Import]:
    """Return one page of an organization's imports, in order of when they were uploaded, with who asked."""
    sign, beyond = ("-", "lt") if descending else ("", "gt")
    imports = Import.objects.filter(organization_id=organization_id)
    if after is not None:
        moment, key = after
        imports = imports.filter(
            Q(**{f"created_at__{beyond}": moment}) | Q(created_at=moment, **{f"pk__{beyond}": key})
        )
    ordered = imports.select_related("requested_by").order_by(f"{sign}created_at", f"{sign}pk")
    return list(ordered[:take])


def import_of(organization_id: int, import_id: UUID) -> Import:
    """Return one import, with who asked for it and whose use it is.

    Raises: `Problem` 404.
    """
    found = Import.objects.filter(organization_id=organization_id, pk=import_id)
    one = found.select_related("requested_by", "credential").first()
    if one is None:
        raise not_found(f"There is no import {import_id} in this organization.")
    return one
