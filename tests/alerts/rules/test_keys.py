"""`alerts` of `/usage/keys`: by the organization's rules, and what they have found."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from alerts.rules.evaluate import evaluate
from tests.alerts.rules.ruling import built_in, change, make_rule, only
from tests.billing.spending import limit_to, spend
from tests.usage.factories import NOW, Tenant, at, record

pytestmark = pytest.mark.django_db


def told(tenant: Tenant, **query: Any) -> list[tuple[str, str, str]]:
    alerts = tenant.api.get("/usage/keys", **query).body["alerts"]
    return [(alert["code"], alert["severity"], alert["keyId"]) for alert in alerts]


def fail(tenant: Tenant, count: int, of: int) -> None:
    moment = at(NOW - timedelta(minutes=5))
    tenant.api.keep(*[record(timestamp=moment, status="error") for _ in range(count)])
    tenant.api.keep(*[record(timestamp=moment) for _ in range(of - count)])


def test_the_thresholds_are_those_of_the_rules(acme: Tenant) -> None:
    only(acme, "error_rate_up")
    fail(acme, 3, 60)
    key = acme.client_id
    assert told(acme) == [("error_rate_up", "warning", key)]
    change(acme, built_in(acme, "error_rate_up"), thresholds=[Decimal("5.01")])
    assert told(acme) == []
    change(acme, built_in(acme, "error_rate_up"), thresholds=[Decimal(4)], severity="info")
    assert told(acme) == [("error_rate_up", "info", key)]
    change(acme, built_in(acme, "error_rate_up"), enabled=False)
    assert told(acme) == []


def test_what_rules_have_found_of_a_key_is_told_as_long_as_it_holds(acme: Tenant) -> None:
    other = acme.another_credential()
    rule = make_rule(acme, each="credential", thresholds=[Decimal(3)], name="Busy key")
    make_rule(acme, each="model", thresholds=[Decimal(1)])
    limit_to(acme, 10, credential_id=other.credential_id, warn_at=[50])
    spend(other, 5)
    fail(acme, 0, 3)
    evaluate()
    assert sorted(told(acme)) == sorted(
        [("rule", "warning", acme.client_id), ("spend_limit", "warning", other.client_id)]
    )
    assert told(acme, keyId=acme.client_id) == [("rule", "warning", acme.client_id)]
    change(acme, rule, enabled=False)
    assert told(acme) == [("spend_limit", "warning", other.client_id)]
