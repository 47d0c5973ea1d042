"""Reading rules; each read takes the organization first."""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from django.db.models import Case, Expression, F, QuerySet, Value, When
from django.db.models.functions import Lower

from alerts.models import Rule, Severity
from core.problems import not_found

RULE_SORTS: Final[dict[str, F | Expression]] = {
    "created": F("created_at"),
    "name": Lower("name"),
    "severity": Case(*(When(severity=one, then=Value(rank)) for rank, one in enumerate(Severity))),
    # What is on comes before what is off.
    "state": Case(When(enabled=True, then=Value(0)), default=Value(1)),
}


@dataclass(frozen=True, slots=True)
class RuleQuery:
    """A page of the rules; ``sort`` is one of `RULE_SORTS`. Equals stand in the order of their creation."""

    sort: str = "created"
    descending: bool = False
    limit: int = 100
    offset: int = 0


def rules(organization_id: int, query: RuleQuery) -> tuple[list[Rule], int]:
    """Return a page of the rules with their channels, and how many there are in all."""
    found = _of(organization_id)
    by = RULE_SORTS[query.sort]
    page = found.order_by(by.desc() if query.descending else by.asc(), "created_at", "pk")
    return list(page[query.offset : query.offset + query.limit]), found.count()


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
