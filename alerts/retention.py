"""Retention: events, deliveries and attempts go when the organization's history has passed them."""

from datetime import datetime
from typing import Final

from django.conf import settings
from django.db import connection

from organizations.models import Organization
from organizations.tenancy import Actor, system_scope, tenant_scope
from usage.history import history_start

AT_ONCE: Final = 1000
"""How many deliveries, and how many events, go in one transaction."""
_ACTOR: Final = Actor(kind="system", job="drop expired alerts")


def drop_expired(now: datetime) -> int:
    """Remove what was told before the organizations' histories, and return how much that was.

    What is younger than ``ALERT_HISTORY`` stays, however short the plan's history is.
    Concurrency: in many small transactions; what another worker is just removing is passed over.
    """
    with system_scope():
        found = list(Organization.objects.select_related("plan").order_by("pk"))
    return sum(_drop(one.pk, _keeps_from(one, now)) for one in found)


def _keeps_from(organization: Organization, now: datetime) -> datetime:
    begins = history_start(organization.plan.history_days, organization.timezone, now)
    return min(begins, now - settings.ALERT_HISTORY)


def _drop(organization_id: int, before: datetime) -> int:
    dropped = 0
    while True:
        with tenant_scope(organization_id, actor=_ACTOR), connection.cursor() as cursor:
            cursor.execute("SELECT alerts_drop_expired(%s, %s, %s)", [organization_id, before, AT_ONCE])
            gone: int = cursor.fetchone()[0]
        dropped += gone
        if gone < AT_ONCE:
            return dropped
