"""What rules say of keys, as the use of keys shows it."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from alerts.models import Event, Rule, ScopeKind, Span
from alerts.rules.windows import LENGTHS
from usage.key_rules import KeyRules, Standing, Term

WORKED_OUT: Final = ("error_rate_up", "rate_limit_near", "latency_up", "suddenly_busy", "unused")
"""What is worked out anew from whichever use is looked at, with the thresholds of the rules called so."""
OWN: Final = "rule"


def key_rules(organization_id: int, client_ids: Sequence[str]) -> KeyRules:
    """Return the terms of the rules about keys, and the open events of all others about these keys.

    Tenancy: call in the tenant's scope.
    Concurrency: two statements.
    """
    rules = Rule.objects.filter(organization_id=organization_id, code__in=WORKED_OUT, enabled=True)
    open_ = Event.objects.filter(
        organization_id=organization_id,
        rule__isnull=False,
        resolved_at=None,
        scope__kind=ScopeKind.CREDENTIAL.value,
        scope__value__in=list(client_ids),
    )
    found = open_.exclude(rule__code__in=WORKED_OUT).order_by("-fired_at", "-pk")
    rows = found.values_list("severity", "rule__code", "scope", "message", "recommendation")
    return KeyRules(
        {rule.code: _term(rule) for rule in rules},
        [Standing(severity, code or OWN, scope["value"], *told) for severity, code, scope, *told in rows],
    )


def _term(rule: Rule) -> Term:
    after = LENGTHS[Span(rule.window)] if rule.code == "unused" else timedelta(0)
    return Term(rule.severity, tuple(rule.thresholds), rule.least_requests, after)
