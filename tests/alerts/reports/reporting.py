"""Reports of the tests' tenants, and weeks of use to tell of."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from alerts.models import Report
from alerts.reports.services import create_report
from organizations.models import Membership, User
from organizations.tenancy import tenant_scope
from tests.usage.factories import Tenant, at, record

MONDAY: Final = datetime(2026, 7, 13, 6, 0, tzinfo=UTC)
"""Eight o'clock in Berlin, on the Monday before `NOW`."""
DAY: Final = timedelta(days=1)
MIDNIGHT: Final = datetime(2026, 7, 12, 22, 0, tzinfo=UTC)
"""When that Monday begins in Berlin."""


def member(tenant: Tenant, address: str, role: str = "analyst") -> User:
    """Make somebody a member."""
    user, _ = User.objects.get_or_create(email=address, defaults={"password": "!"})
    with tenant_scope(tenant.id):
        Membership.objects.get_or_create(organization=tenant.organization, user=user, defaults={"role": role})
    return user


def make_report(tenant: Tenant, **changes: Any) -> Report:
    """Make a report, for a member unless it is said for whom."""
    if not {"members", "channels"} & changes.keys():
        changes["members"] = [member(tenant, "ada@example.com").email]
    terms: dict[str, Any] = {"name": "For the board", "cadence": "weekly", "hour": 8, **changes}
    with tenant_scope(tenant.id):
        return create_report(organization_id=tenant.id, **terms)


def use(tenant: Tenant, days: int = 21, *, other: Tenant | None = None, price: str = "0.5") -> None:
    """Keep so many days of use up to the Monday: more in the last week, some of it of another key."""
    records = [
        record(
            f"{ago}-{number}",
            timestamp=at(MIDNIGHT - ago * DAY + DAY / 2 + timedelta(minutes=number)),
            model="gpt-4o" if number else "claude-sonnet-4",
            provider="openai" if number else "anthropic",
            capability="chat" if number < 2 else "search",
            status="error" if number == 2 and ago % 2 else "success",
            tokens={"prompt": 100 * ago, "completion": 10},
            cost=str(Decimal(price) + Decimal("0.000000001") * ago),
        )
        for ago in range(1, days + 1)
        for number in range(3 if ago <= 7 else 2)
    ]
    tenant.api.keep(*records)
    if other is not None:
        noon = MIDNIGHT - 3 * DAY
        other.api.keep(record("other", timestamp=at(noon), model="gpt-4o", cost="7", provider="openai"))
