"""What the OpenAPI document allows is taken, what it forbids is refused, and every answer is in it."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

import pytest
import time_machine

from organizations.roles import Role, scopes_of
from tests.alerts.reports.reporting import make_report, member
from tests.alerts.telling import webhook
from tests.billing.invoices.months_of_use import issue
from tests.billing.pricing import price
from tests.contracts import fuzzing
from tests.contracts.plans import make_plan
from tests.contracts.test_query_budgets import tell
from tests.usage.exports import support
from tests.usage.factories import NOW, Tenant, make_tenant, record
from usage import partitions
from usage.rollups.fold import fold_pending

pytestmark = [pytest.mark.django_db, pytest.mark.long]

THOROUGH = {"examples": 0, "coverage": 0, "fuzzing": 25, "stateful": 10}
BRIEF = {"examples": 0, "fuzzing": 4}
UNCALLED_FOR = {
    "POST /api/v1/alerts/channels/{channel_id}/confirmation": "The channel that is asked about is no mailbox."
}
"""Operations that have nothing to do here, and why."""
SELDOM = {"POST /api/v1/alerts/rules", "POST /api/v1/alerts/channels", "GET /api/v1/costs/compare"}
"""What chance hardly ever words so that it is taken; tests of their own show that they are."""
REFUSALS = (401, 403, 404, 405)


@pytest.fixture
def acme(db: None) -> Iterator[Tenant]:
    """An organization with some use, folded and pending, and a finished export."""
    partitions.forget()
    with time_machine.travel(NOW):
        tenant = make_tenant("Acme", plan=make_plan(history_days=fuzzing.HISTORY_DAYS))
        tenant.api.keep(
            record("call-1", model="large", capability="chat", quantities={"pages": 1}, latencyMs=12.5),
            record("call-2", status="error", statusCode=500, errorType="timeout", cost="0.5"),
        )
        fold_pending()
        tenant.api.keep(record("call-3", tokens={"prompt": 5, "completion": 7}))
        issue(tenant)
        yield tenant
    partitions.forget()


def fuzz(acme: Tenant, role: Role, phases: dict[str, int], monkeypatch: pytest.MonkeyPatch) -> fuzzing.Run:
    asking = acme.another_credential(f"With the scopes of {role}", scopes=sorted(scopes_of(role)))
    found = fuzzing.run(
        asking.api.key,
        client_ids=[acme.client_id, asking.client_id],
        examples=examples(acme),
        named=named(acme),
        own=asking.client_id,
        phases=phases,
        monkeypatch=monkeypatch,
    )
    assert found.failures == [], "\n\n".join(found.failures[:10])
    # The key was the key to the end, and every operation was tried.
    assert asking.api.get("/usage").status == 200
    assert found.statuses.keys() == found.operations
    return found


def examples(acme: Tenant) -> dict[str, str]:
    """Return values of required parameters that lead somewhere."""
    manager = acme.another_credential("Manages", scopes=sorted(scopes_of(Role.OWNER)))
    assert manager.api.call("PUT", "/spend-limit", {"limit": "1000000"}).status == 200
    held = manager.api.call("POST", "/authorize", {"estimatedCost": "1"}).body
    channel, event, delivery, rule = tell(acme, times=1)
    return {
        "channel_id": channel,
        "event_id": event,
        "delivery_id": delivery,
        "rule_id": rule,
        "report_id": str(make_report(acme, channels=[UUID(channel)]).pk),
        "client_id": acme.another_credential("To be revoked").client_id,
        "model": price(model="large").model,
        "limit": "10",
        "export_id": support.write(acme, support.ask(acme))["id"],
        "record_id": "call-1",
        "reference": acme.api.get("/invoices").body["invoices"][0]["reference"],
        "reservation_id": held["reservationId"],
    }


def named(acme: Tenant) -> dict[str, dict[str, object]]:
    """Return the schemas of fields that name members and channels."""
    hook = str(webhook(acme, "https://hooks.example.com/another").channel.pk)
    member(acme, "reader@example.com")
    return {
        "members": {"items": {"type": "string", "enum": ["reader@example.com"]}},
        "channels": {"items": {"type": "string", "enum": [hook]}},
        "channel": {"enum": [hook]},
    }


@pytest.mark.timeout(600)
def test_all_that_can_be_asked_with_an_owners_scopes(acme: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    found = fuzz(acme, Role.OWNER, THOROUGH, monkeypatch)
    assert found.operations - found.succeeded - UNCALLED_FOR.keys() <= SELDOM
    assert not any(status >= 500 for counts in found.statuses.values() for status in counts)


@pytest.mark.parametrize("role", [Role.ADMIN, Role.BILLING, Role.ANALYST, Role.DEVELOPER])
def test_what_can_be_asked_with_the_scopes_of_each_role(
    role: Role, acme: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = fuzz(acme, role, BRIEF, monkeypatch)
    assert {"GET /api/v1/usage", "GET /api/v1/records"} <= found.succeeded
    if "usage:write" not in scopes_of(role):
        assert found.statuses["POST /api/v1/records"].keys() <= {*REFUSALS}
