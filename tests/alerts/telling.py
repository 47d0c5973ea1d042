"""Channels and events of the tests' tenants, and workers' turns."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from alerts.channels.services import Issued, create_channel
from alerts.deliveries import run
from alerts.events import raise_event, resolve_event
from alerts.models import Attempt, Channel, Delivery, Event
from core.periods import Period
from organizations.models import Membership, User
from organizations.tenancy import system_scope, tenant_scope
from tests.usage.factories import Tenant

JULY: Final = Period(datetime(2026, 7, 1, tzinfo=UTC), datetime(2026, 8, 1, tzinfo=UTC))
RULE: Final = UUID("11111111-1111-4111-8111-111111111111")
FIRED: Final[dict[str, Any]] = {
    "metric": "cost",
    "message": "Spend has reached 80% of the limit.",
    "severity": "warning",
    "rule_id": RULE,
    "rule_revision": 1,
    "unit": "percent",
    "threshold": Decimal(80),
    "value": Decimal("81.25"),
    "period": JULY,
    "recommendation": "Raise the limit, or look at what spends the most.",
}


def webhook(tenant: Tenant, url: str, name: str = "Hook") -> Issued:
    """Make a webhook."""
    with tenant_scope(tenant.id):
        return create_channel(organization_id=tenant.id, kind="webhook", name=name, url=url)


def mailbox(tenant: Tenant, address: str = "ops@example.com") -> Channel:
    """Make an e-mail channel, of a member, who need not confirm."""
    user, _ = User.objects.get_or_create(email=address, defaults={"password": "!"})
    with tenant_scope(tenant.id):
        Membership.objects.get_or_create(
            organization=tenant.organization, user=user, defaults={"role": "analyst"}
        )
        return create_channel(
            organization_id=tenant.id, kind="email", name="Operations", address=address
        ).channel


def fire(tenant: Tenant, **changes: Any) -> Event | None:
    """Raise an event of the tenant."""
    with tenant_scope(tenant.id):
        return raise_event(tenant.id, **{**FIRED, **changes})


def clear(tenant: Tenant, event: Event) -> Event | None:
    """Resolve an event of the tenant."""
    with tenant_scope(tenant.id):
        return resolve_event(event.pk)


def work() -> int:
    """Have a worker take its turn."""
    return run.send_due()


def deliveries(tenant: Tenant, **wanted: Any) -> list[Delivery]:
    """Return the tenant's deliveries, the oldest first."""
    with tenant_scope(tenant.id):
        return list(Delivery.objects.filter(**wanted).order_by("created_at", "pk"))


def delivery(tenant: Tenant, **wanted: Any) -> Delivery:
    """Return the tenant's only delivery."""
    (found,) = deliveries(tenant, **wanted)
    return found


def attempts(tenant: Tenant) -> list[Attempt]:
    """Return every attempt at the tenant's deliveries, in order."""
    with tenant_scope(tenant.id):
        return list(Attempt.objects.order_by("started_at", "pk"))


def again(channel: Channel) -> Channel:
    """Return a channel as it is now."""
    with system_scope():
        return Channel.objects.get(pk=channel.pk)
