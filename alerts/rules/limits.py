"""What spend limits decide, as events: each warning, each pause, and their ends.

The limits announce their own shares, in the transaction that stores what was spent, each once, none skipped.
Nothing is judged here a second time: a decision is told, and what it told ends when the limit says so.
"""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Final
from uuid import UUID

from django.db import connection

from alerts.events import Draft
from alerts.figures import PERCENT, figure
from alerts.models import Event, Severity
from alerts.rules.charts import of_decisions
from alerts.rules.watched import Watched, held
from billing.models import Decision, DecisionKind, Enforcement, LimitState, SpendLimit, Window
from core.money import NANOS
from core.periods import Period

_WHOLE: Final = Decimal(100)
_PLACES: Final = Decimal("0.000000001")
_TAKE: Final = (
    "DELETE FROM alerts_limitnotice WHERE organization_id = ANY(%s) RETURNING decision_id, organization_id"
)
# Nobody wants to be told, so nothing waits until somebody does.
_FORGET: Final = """
DELETE FROM alerts_limitnotice notice WHERE NOT EXISTS (
    SELECT FROM alerts_rule rule
    WHERE rule.organization_id = notice.organization_id AND rule.condition = 'spendLimit' AND rule.enabled
)
"""
_TELL_AGAIN: Final = """
INSERT INTO alerts_limitnotice (decision_id, organization_id)
SELECT max(d.id), d.organization_id
FROM billing_spend_limit l JOIN billing_decision d
  ON d.organization_id = l.organization_id AND d.credential_id IS NOT DISTINCT FROM l.credential_id
 AND (d.kind = 'warned' AND d.threshold = ANY (l.warned) OR d.kind = 'paused' AND l.state = 'paused')
WHERE l.organization_id = %(id)s
GROUP BY d.organization_id, l.id, d.kind, d.threshold
"""
_TO_DO: Final = {
    DecisionKind.WARNED: "Look at what spends the most, by key and model; raise the limit if this is meant.",
    DecisionKind.PAUSED: "Calls are refused until the limit opens again: raise it, or wait for what was "
    "spent to leave its window.",
}


def tell_again(organization_id: int) -> None:
    """Have told what the limits have announced and still holds, and nothing that is over.

    Tenancy: call in the tenant's scope.
    """
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM alerts_limitnotice WHERE organization_id = %s", [organization_id])
        cursor.execute(_TELL_AGAIN, {"id": organization_id})


def forget_unwanted() -> None:
    """Drop what nobody wants to be told.

    Tenancy: call in the system's scope.
    """
    with connection.cursor() as cursor:
        cursor.execute(_FORGET)


def decided(rules: Sequence[Watched]) -> list[Draft]:
    """Take what limits have decided since, to be told by the transaction that takes it.

    Tenancy: call in the system's scope.
    Concurrency: four statements, however many rules; of several who take at once, one gets each decision.
    """
    by_organization = {rule.organization_id: rule for rule in rules}
    if not by_organization:
        return []
    with connection.cursor() as cursor:
        cursor.execute(_TAKE, [list(by_organization)])
        taken = [row[0] for row in cursor.fetchall()]
    decisions = Decision.objects.filter(pk__in=taken).select_related("credential").order_by("pk")
    told = [(by_organization[one.organization_id], one) for one in decisions if not _is_said_twice(one)]
    revisions = held(rule.id for rule, _ in told)
    wanted = [(rule, one) for rule, one in told if revisions.get(rule.id) == rule.revision]
    zones = {rule.organization_id: (rule.timezone, rule.currency) for rule, _ in wanted}
    charts = of_decisions([one for _, one in wanted], zones)
    return [replace(_draft(rule, one), chart=charts[one.pk]) for rule, one in wanted]


def over(rules: Sequence[Watched]) -> list[UUID]:
    """Return what was told of limits that they do not say any more, or have said anew.

    Tenancy: call in the system's scope.
    Concurrency: two statements, however many rules.
    """
    told = Event.objects.filter(
        organization_id__in=[rule.organization_id for rule in rules],
        rule__in=[rule.id for rule in rules],
        resolved_at=None,
    )
    events = list(told.order_by("-fired_at", "-pk"))
    limits = SpendLimit.objects.filter(organization_id__in={event.organization_id for event in events})
    known = {
        (limit.organization_id, limit.credential.client_id if limit.credential else ""): limit
        for limit in limits.select_related("credential")
    }
    ended, seen = [], set()
    for event in events:
        key = (event.organization_id, str(event.scope.get("value", "")))
        if (key, event.threshold) in seen or not _holds(event, known.get(key)):
            ended.append(event.pk)
        seen.add((key, event.threshold))
    return ended


def _holds(event: Event, limit: SpendLimit | None) -> bool:
    if limit is None or event.threshold is None:
        return False
    if limit.window_kind == Window.WEEK and event.period_start != limit.window_start:
        return False
    if event.threshold == _WHOLE and limit.enforcement == Enforcement.PAUSE:
        return limit.state == LimitState.PAUSED
    return int(event.threshold) in limit.warned


def _is_said_twice(decision: Decision) -> bool:
    """Tell whether a warning is that of the whole, which is told as the pause that it is."""
    pauses = decision.enforcement == Enforcement.PAUSE
    return decision.kind == DecisionKind.WARNED and pauses and decision.threshold == _WHOLE


def _draft(rule: Watched, decision: Decision) -> Draft:
    paused = decision.kind == DecisionKind.PAUSED
    share = _WHOLE if paused else Decimal(decision.threshold or 0)
    client_id = decision.credential.client_id if decision.credential else ""
    scope = {"kind": "credential", "value": client_id} if client_id else {"kind": "organization"}
    spent, limit = Decimal(int(decision.spent_nanos)) / NANOS, Decimal(decision.limit_nanos) / NANOS
    whose = f"Key {client_id}: " if client_id else ""
    figures = f"{figure(spent, rule.currency)} of {figure(limit, rule.currency)}"
    said = (
        f"The spend limit is reached, calls are refused: {figures} spent."
        if paused
        else f"Spending has reached {share}% of the limit: {figures}."
    )
    return Draft(
        decision.organization_id,
        metric="cost",
        message=f"{whose}{said}",
        severity=Severity.CRITICAL if share >= _WHOLE else rule.severity,
        rule_id=rule.id,
        rule_name=rule.name,
        rule_revision=rule.revision,
        scope=scope,
        unit=PERCENT,
        threshold=share,
        value=(Decimal(int(decision.spent_nanos)) * _WHOLE / decision.limit_nanos).quantize(_PLACES),
        period=Period(decision.window_start, decision.window_end),
        recommendation=_TO_DO[DecisionKind(decision.kind)],
        occurrence=f"decision {decision.pk}",
        fired_at=decision.decided_at,
    )
