"""The rule by which an event was judged, as it was then: rules change, and are removed."""

from typing import Any
from uuid import UUID

from alerts.models import Condition, Event, Rule, ScopeKind
from alerts.rules.defaults import DEFAULTS
from alerts.rules.watched import Watched
from organizations.models import Credential, Organization


def rule_at(event: Event) -> Watched | None:
    """Return an event's rule as it was when the event fired, about the event's subject alone.

    None where the event has no rule, or nobody knows any more how it was.
    Tenancy: call in the tenant's scope.
    """
    found = None if event.rule_id is None else _found(event, event.rule_id)
    if found is None or event.rule_id is None:
        return None
    organization = Organization.objects.get(pk=event.organization_id)
    kind, value = str(event.scope.get("kind", "")), event.scope.get("value")
    is_key = kind == ScopeKind.CREDENTIAL
    keys = Credential.objects.filter(organization_id=event.organization_id, client_id=value)
    return Watched(
        id=event.rule_id,
        organization_id=event.organization_id,
        code=found.code,
        name=event.rule_name,
        metric=event.metric,
        condition=found.condition,
        scope_kind=kind or ScopeKind.ORGANIZATION,
        credential_id=keys.values_list("pk", flat=True).first() if is_key else None,
        value=None if is_key or not value else str(value),
        window=found.window,
        thresholds=tuple(found.thresholds),
        severity=found.severity,
        least_requests=found.least_requests,
        hysteresis=found.hysteresis,
        quiet_minutes=found.quiet_minutes,
        revision=found.revision,
        timezone=organization.timezone,
        rollup_timezone=organization.rollup_timezone,
        currency=organization.currency,
        requests_per_minute=0,
    )


def _found(event: Event, rule_id: UUID) -> Any:
    """Return the rule, or what the audit trail has of it, in the revision that the event names."""
    wanted: dict[str, Any] = {"organization_id": event.organization_id, "revision": event.rule_revision}
    kept = Rule.objects.filter(**wanted, pk=rule_id).first()
    if kept is not None:
        return kept
    trail: Any = Rule.pgh_event_model  # type: ignore[attr-defined]
    noted = trail.objects.filter(pgh_obj_id=rule_id, **wanted).order_by("-pgh_id").first()
    return noted if noted is not None else _first(event, rule_id)


def _first(event: Event, rule_id: UUID) -> Rule | None:
    """Return a rule that every organization has as it was made, which the trail does not note."""
    if event.rule_revision != 1:
        return None
    own = Rule.objects.filter(organization_id=event.organization_id, pk=rule_id)
    code = own.values_list("code", flat=True).first()
    terms = next((one for one in DEFAULTS if one["code"] == code), None)
    return None if terms is None else Rule(organization_id=event.organization_id, **terms)


def is_of_limit(rule: Watched) -> bool:
    """Tell whether a rule is about what a spend limit has seen."""
    of_limits = (Condition.LIMIT, Condition.FORECAST_SHARE, Condition.SHARE)
    return rule.metric == "cost" and rule.condition in of_limits
