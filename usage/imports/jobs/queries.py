"""Reading imports: a page of them, and one by its id."""

from uuid import UUID

from django.db.models import Q

from core.paging import Position
from core.problems import not_found
from usage.models import Import


def page_of(organization_id: int, take: int, after: Position | None) -> list[Import]:
    """Return one page of an organization's imports, newest first, with who asked."""
    imports = Import.objects.filter(organization_id=organization_id)
    if after is not None:
        moment, key = after
        imports = imports.filter(Q(created_at__lt=moment) | Q(created_at=moment, pk__lt=key))
    return list(imports.select_related("requested_by").order_by("-created_at", "-pk")[:take])


def import_of(organization_id: int, import_id: UUID) -> Import:
    """Return one import, with who asked for it and whose use it is.

    Raises: `Problem` 404.
    """
    found = Import.objects.filter(organization_id=organization_id, pk=import_id)
    one = found.select_related("requested_by", "credential").first()
    if one is None:
        raise not_found(f"There is no import {import_id} in this organization.")
    return one
