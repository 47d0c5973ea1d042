"""Reading rules; each read takes the organization first."""

from uuid import UUID

from django.db.models import QuerySet

from alerts.models import Rule
from core.problems import not_found


def rules(organization_id: int, *, limit: int, offset: int = 0) -> tuple[list[Rule], int]:
    """Return rules with their channels, in the order in which they were made, and how many there are."""
    found = _of(organization_id)
    return list(found.order_by("created_at", "pk")[offset : offset + limit]), found.count()


def rule(organization_id: int, rule_id: UUID) -> Rule:
    """Return one rule.

    Raises: `Problem` 404.
    """
    return _one(_of(organization_id).filter(pk=rule_id).first())


def locked_rule(organization_id: int, rule_id: UUID) -> Rule:
    """Return one rule, held until the transaction ends.

    Raises: `Problem` 404.
    """
    held = Rule.objects.select_for_update(no_key=True, of=("self",)).select_related("credential")
    return _one(held.filter(organization_id=organization_id, pk=rule_id).first())


def _of(organization_id: int) -> QuerySet[Rule]:
    found = Rule.objects.filter(organization_id=organization_id)
    return found.select_related("credential").prefetch_related("chosen")


def _one(found: Rule | None) -> Rule:
    if found is None:
        raise not_found("There is no such rule.")
    return found
