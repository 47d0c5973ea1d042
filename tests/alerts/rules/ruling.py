"""Rules of the tests' tenants."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from alerts.models import Event, Rule, ScopeKind
from alerts.rules import services
from alerts.rules.services import ScopeTerms
from organizations.tenancy import tenant_scope
from tests.usage.factories import Tenant

BUSY: Final[dict[str, Any]] = {
    "name": "Busy",
    "metric": "requests",
    "condition": "above",
    "window": "1h",
    "thresholds": [Decimal(10)],
}


def make_rule(tenant: Tenant, *, each: str = "", of: tuple[str, str] | None = None, **terms: Any) -> Rule:
    """Make a rule of the tenant: by itself about its requests in the last hour."""
    scope = ScopeTerms()
    if each:
        scope = ScopeTerms(ScopeKind(each))
    if of:
        scope = ScopeTerms(ScopeKind(of[0]), of[1])
    with tenant_scope(tenant.id):
        return services.create_rule(organization_id=tenant.id, scope=scope, **{**BUSY, **terms})


def change(tenant: Tenant, rule: Rule | UUID, **changes: Any) -> Rule:
    """Change a rule of the tenant."""
    with tenant_scope(tenant.id):
        key = rule if isinstance(rule, UUID) else rule.pk
        return services.change_rule(organization_id=tenant.id, rule_id=key, **changes)


def delete(tenant: Tenant, rule: Rule) -> None:
    """Delete a rule of the tenant."""
    with tenant_scope(tenant.id):
        services.delete_rule(organization_id=tenant.id, rule_id=rule.pk)


def built_in(tenant: Tenant, code: str) -> Rule:
    """Return a rule that every organization has."""
    with tenant_scope(tenant.id):
        return Rule.objects.get(code=code)


def only(tenant: Tenant, *codes: str) -> None:
    """Switch on these rules, and off every other that the organization has from the start."""
    with tenant_scope(tenant.id):
        Rule.objects.filter(code__in=codes).update(enabled=True)
        Rule.objects.exclude(code="").exclude(code__in=codes).update(enabled=False)


def events(tenant: Tenant, **wanted: Any) -> list[Event]:
    """Return the tenant's events in the order in which they fired."""
    with tenant_scope(tenant.id):
        return list(Event.objects.filter(**wanted).order_by("fired_at", "rule_revision", "threshold", "pk"))
