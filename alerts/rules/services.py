"""Making, changing and removing rules.

Tenancy: call in the tenant's scope.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from alerts.events.services import resolve_events
from alerts.models import Channel, Condition, Event, Rule, RuleChannel, ScopeKind, Severity
from alerts.rules import limits, terms
from alerts.rules.queries import locked_rule
from core import clock
from core.problems import FieldError, conflict, invalid
from organizations.models import Credential
from organizations.services.locks import lock_organization

MOST_RULES: Final = 100
DEFAULT_HYSTERESIS: Final = Decimal(5)
DEFAULT_QUIET_MINUTES: Final = 60
_TERMS: Final = ("metric", "condition", "scope")
"""What a rule that every organization has keeps."""
_MEANT: Final = (
    "metric", "condition", "scope_kind", "credential_id", "value", "window", "thresholds", "least_requests",
    "hysteresis", "enabled",
)  # fmt: skip
"""The columns that decide what is told: changed, it is told anew."""


@dataclass(frozen=True, slots=True)
class ScopeTerms:
    """What a rule looks at: the organization, each part of a kind, or the part that is named."""

    kind: ScopeKind = ScopeKind.ORGANIZATION
    value: str | None = None


def create_rule(
    *,
    organization_id: int,
    name: str,
    metric: str,
    condition: str,
    scope: ScopeTerms | None = None,
    window: str = "",
    thresholds: Sequence[Decimal] = (),
    severity: str = Severity.WARNING,
    least_requests: int | None = None,
    hysteresis: Decimal = DEFAULT_HYSTERESIS,
    quiet_minutes: int = DEFAULT_QUIET_MINUTES,
    channels: Sequence[UUID] = (),
    enabled: bool = True,
    created_by_id: int | None = None,
) -> Rule:
    """Make a rule.

    Raises: `Problem` 422 naming every field that does not go with the others, 409 when there are as many as
    there may be.
    """
    made = Rule(
        organization_id=organization_id,
        name=name,
        metric=metric,
        condition=condition,
        window=window,
        thresholds=terms.in_order(condition, thresholds),
        severity=severity,
        least_requests=_least_requests(least_requests, condition, metric),
        hysteresis=hysteresis,
        quiet_minutes=quiet_minutes,
        enabled=enabled,
        created_by_id=created_by_id,
    )
    if condition == Condition.LIMIT:
        accepted = ", ".join(other for other in Condition.values if other != Condition.LIMIT)
        detail = f"Every organization has its rule of this condition already; accepted: {accepted}."
        raise invalid(detail, errors=[FieldError("/condition", "invalid_choice", detail)])
    _look_at(made, scope or ScopeTerms())
    _check(made, thresholds)
    lock_organization(organization_id)
    if Rule.objects.filter(organization_id=organization_id, code="").count() >= MOST_RULES:
        raise conflict(f"An organization has at most {MOST_RULES} rules of its own.", code="too_many_rules")
    made.save()
    if channels:
        _choose(made, channels)
    return made


def change_rule(*, organization_id: int, rule_id: UUID, **changes: Any) -> Rule:
    """Change what is given of a rule: any parameter of `create_rule` but the first and the last.

    What decides when it is told raises its revision: what is reached then is told anew. Switched off, its
    events end.
    Raises: `Problem` 404; 422 naming every field that does not go with the others, or that a rule which every
    organization has keeps.
    """
    rule = locked_rule(organization_id, rule_id)
    _check_kept(rule, changes)
    before = _meaning(rule)
    given = changes.pop("thresholds", None)
    channels = changes.pop("channels", None)
    scope = changes.pop("scope", None)
    if scope is not None:
        _look_at(rule, scope)
    least = changes.pop("least_requests", rule.least_requests)
    for name, value in changes.items():
        setattr(rule, name, value)
    rule.least_requests = least
    asked = rule.thresholds if given is None else given
    rule.thresholds = list(terms.in_order(rule.condition, asked))
    _check(rule, asked)
    _keep(rule, before)
    if channels is not None:
        _choose(rule, channels)
    return rule


def delete_rule(*, organization_id: int, rule_id: UUID) -> None:
    """Remove a rule. Its events end, and stay in the list.

    Raises: `Problem` 404, 409 for one that every organization has.
    """
    rule = locked_rule(organization_id, rule_id)
    if rule.code:
        raise conflict(
            "Every organization has this rule; switch it off instead of deleting it.", code="built_in_rule"
        )
    _end_events(rule)
    rule.delete()


def _keep(rule: Rule, before: Mapping[str, Any]) -> None:
    now = clock.now()
    rule.updated_at = now
    changed = _meaning(rule) != before
    if changed:
        rule.revision += 1
    rule.save()
    if changed and not rule.enabled:
        _end_events(rule)
    if changed and rule.enabled and rule.condition == Condition.LIMIT:
        limits.tell_again(rule.organization_id)


def _end_events(rule: Rule) -> None:
    open_ = Event.objects.filter(organization_id=rule.organization_id, rule=rule, resolved_at=None)
    resolve_events(list(open_.values_list("pk", flat=True)))


def _meaning(rule: Rule) -> dict[str, Any]:
    return {name: _plain(getattr(rule, name)) for name in _MEANT}


def _plain(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _least_requests(given: int | None, condition: str, metric: str) -> int:
    if given is not None:
        return given
    return terms.LEAST_REQUESTS if terms.needs_requests(condition, metric) else 0


def _check(rule: Rule, thresholds: Sequence[Decimal]) -> None:
    asked = terms.Terms(
        metric=rule.metric,
        condition=Condition(rule.condition),
        scope_kind=ScopeKind(rule.scope_kind),
        named=rule.credential_id is not None or rule.value is not None,
        window=rule.window,
        thresholds=tuple(thresholds),
    )
    _refuse(terms.faults(asked))


def _check_kept(rule: Rule, changes: Mapping[str, Any]) -> None:
    """Refuse to change what a rule that every organization has is about."""
    if rule.code:
        given = [name for name in _TERMS if name in changes]
        _refuse([FieldError(f"/{name}", "invalid", "Of this rule it can't be changed.") for name in given])


def _refuse(faults: Sequence[FieldError]) -> None:
    if faults:
        raise invalid(" ".join(fault.detail for fault in faults), errors=faults)


def _look_at(rule: Rule, scope: ScopeTerms) -> None:
    rule.scope_kind, rule.credential, rule.value = scope.kind, None, None
    if scope.value is None:
        return
    if scope.kind == ScopeKind.ORGANIZATION:
        _refuse([FieldError("/scope/value", "invalid", "There is one organization: leave it out.")])
    if scope.kind == ScopeKind.CREDENTIAL:
        found = Credential.objects.filter(organization_id=rule.organization_id, client_id=scope.value).first()
        if found is None:
            detail = "There is no such credential in the organization."
            _refuse([FieldError("/scope/value", "unknown_client", detail)])
        rule.credential = found
    else:
        rule.value = scope.value


def _choose(rule: Rule, channels: Iterable[UUID]) -> None:
    """Have exactly these channels told; of none, those that are told when nothing is chosen."""
    wanted = set(channels)
    known = Channel.objects.filter(organization_id=rule.organization_id, pk__in=wanted)
    found = set(known.values_list("pk", flat=True))
    if wanted - found:
        detail = "There is no such channel in the organization."
        raise invalid(detail, errors=[FieldError("/channels", "unknown_channel", detail)])
    RuleChannel.objects.filter(rule=rule).exclude(channel__in=found).delete()
    RuleChannel.objects.bulk_create(
        (
            RuleChannel(organization_id=rule.organization_id, rule=rule, channel_id=channel)
            for channel in sorted(found)
        ),
        ignore_conflicts=True,
    )
    getattr(rule, "_prefetched_objects_cache", {}).clear()
