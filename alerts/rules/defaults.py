"""The rules that every organization has from the start."""

from datetime import timedelta
from decimal import Decimal
from typing import Any, Final

from alerts.models import Condition, Rule, ScopeKind, Severity, Span
from core import clock
from organizations.models import Organization
from organizations.tenancy import system_scope

_APART: Final = timedelta(microseconds=1)
SPEND_LIMIT: Final = "spend_limit"
_EACH_KEY: Final = {"scope_kind": ScopeKind.CREDENTIAL}

DEFAULTS: Final[tuple[dict[str, Any], ...]] = (
    {
        "code": SPEND_LIMIT,
        "name": "Spend limit",
        "metric": "cost",
        "condition": Condition.LIMIT,
    },
    {
        "code": "limit_forecast",
        "name": "Spend limit forecast",
        "metric": "cost",
        "condition": Condition.FORECAST_SHARE,
        "thresholds": [Decimal(100)],
        "quiet_minutes": 1440,
    },
    {
        "code": "credits",
        "name": "Credits running out",
        "metric": "credits",
        "condition": Condition.SHARE,
        "thresholds": [Decimal(80), Decimal(95), Decimal(100)],
    },
    {
        "code": "quota",
        "name": "Quota running out",
        "metric": "quota",
        "condition": Condition.SHARE,
        "thresholds": [Decimal(80), Decimal(95), Decimal(100)],
    },
    {
        "code": "error_rate_up",
        "name": "High error rate",
        "metric": "errorRate",
        "condition": Condition.ABOVE,
        "window": Span.HOUR,
        "thresholds": [Decimal(5), Decimal(20)],
        "least_requests": 50,
        **_EACH_KEY,
    },
    {
        "code": "latency_up",
        "name": "Latency increase",
        "metric": "latency.average",
        "condition": Condition.RISES,
        "window": Span.HOURS_24,
        "thresholds": [Decimal(50)],
        "least_requests": 50,
        **_EACH_KEY,
    },
    {
        "code": "rate_limit_near",
        "name": "Rate limit nearly reached",
        "metric": "rateLimit",
        "condition": Condition.SHARE,
        "thresholds": [Decimal(80), Decimal(100)],
        **_EACH_KEY,
    },
    {
        "code": "suddenly_busy",
        "name": "Sudden traffic increase",
        "metric": "requests",
        "condition": Condition.RISES,
        "window": Span.HOURS_24,
        "thresholds": [Decimal(900)],
        # Ten times of next to nothing is no news.
        "least_requests": 200,
        "quiet_minutes": 1440,
        **_EACH_KEY,
    },
    {
        "code": "unused",
        "name": "Unused key",
        "metric": "requests",
        "condition": Condition.NO_TRAFFIC,
        "window": Span.DAYS_30,
        "severity": Severity.INFO,
        **_EACH_KEY,
    },
    {
        "code": "unpriced",
        "name": "Usage without a price",
        "metric": "unpriced",
        "condition": Condition.ABOVE,
        "window": Span.DAY,
        "thresholds": [Decimal(1)],
    },
    {
        "code": "cost_anomaly",
        "name": "Unusual cost",
        "metric": "cost",
        "condition": Condition.ANOMALY,
    },
)
"""The limit's own warnings, what runs out, and what `usage.advice` tells of keys, by the same codes."""


def default_rules(organization_id: int) -> list[Rule]:
    """Return the rules of a new organization, not yet written; they are listed in their order."""
    now = clock.now()
    return [
        Rule(organization_id=organization_id, created_at=now + place * _APART, updated_at=now, **one)
        for place, one in enumerate(DEFAULTS)
    ]


def make_defaults(sender: type[Organization], instance: Organization, created: bool, **_: Any) -> None:
    """Give an organization that was just made its rules: a receiver of Django's ``post_save``."""
    if created:
        with system_scope():
            Rule.objects.bulk_create(default_rules(instance.pk))
