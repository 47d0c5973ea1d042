"""`/alerts/rules`: what is accepted, what is refused and how, and what a change means."""

from __future__ import annotations

from typing import Any

import pytest

from tests.alerts.rules.ruling import built_in
from tests.alerts.telling import mailbox
from tests.usage.factories import Tenant

pytestmark = pytest.mark.django_db

RULES = "/alerts/rules"
SPEND: dict[str, Any] = {
    "name": "Spend this month",
    "metric": "cost",
    "condition": "above",
    "window": "month",
    "threshold": ["100", "50.5"],
}


def post(tenant: Tenant, **changes: Any) -> Any:
    body = {name: value for name, value in {**SPEND, **changes}.items() if value is not ...}
    return tenant.api.call("POST", RULES, body)


def made(tenant: Tenant, **changes: Any) -> dict[str, Any]:
    answer = post(tenant, **changes)
    assert answer.status == 201, answer.body
    body: dict[str, Any] = answer.body
    return body


def test_a_rule_is_made_with_what_goes_without_saying(acme: Tenant) -> None:
    answer = post(acme)
    rule = answer.body
    assert answer.headers["Location"].endswith(f"{RULES}/{rule['id']}")
    assert {name: value for name, value in rule.items() if not name.endswith("At")} == {
        "id": rule["id"],
        "code": None,
        "name": "Spend this month",
        "metric": "cost",
        "scope": {"kind": "organization", "value": None},
        "condition": "above",
        "threshold": ["50.5", "100"],
        "window": "month",
        "severity": "warning",
        "leastRequests": 0,
        "hysteresis": "5",
        "quietMinutes": 60,
        "channels": [],
        "enabled": True,
        "revision": 1,
    }
    assert acme.api.get(f"{RULES}/{rule['id']}").body == rule


def test_one_threshold_can_be_given_by_itself(acme: Tenant) -> None:
    assert made(acme, threshold="80")["threshold"] == ["80"]


def test_rates_need_requests_unless_it_is_said_otherwise(acme: Tenant) -> None:
    rate = {"metric": "errorRate", "window": "1h", "threshold": "5"}
    assert made(acme, **rate)["leastRequests"] == 20
    assert made(acme, **rate, leastRequests=0)["leastRequests"] == 0
    assert made(acme, condition="rises", window="24h")["leastRequests"] == 20


@pytest.mark.parametrize(
    ("changes", "pointer", "said"),
    [
        ({"metric": "timestamp"}, "/metric", "accepted: requests, errors"),
        ({"metric": "a b"}, "/metric", ""),
        ({"condition": "noTraffic", "threshold": ..., "window": "1h"}, "/metric", "one of: requests."),
        ({"condition": "aboveShare", "metric": "tokens"}, "/metric", "cost, credits, quota, rateLimit"),
        ({"condition": "anomaly", "metric": "errorRate"}, "/metric", "requests, errors, tokens, cost"),
        ({"condition": "forecastAbove", "metric": "latency.p95"}, "/metric", "what adds up"),
        ({"condition": "spendLimit"}, "/condition", ""),
        ({"condition": "below"}, "/window", "1m, 5m, 15m, 1h, 6h, 24h, 7d, 30d."),
        ({"condition": "forecastAbove", "window": "24h"}, "/window", "day, week, month."),
        ({"condition": "aboveShare"}, "/window", "leave it out"),
        ({"window": None}, "/window", "1m, 5m"),
        ({"window": "2h"}, "/window", "is not a valid choice"),
        ({"threshold": ...}, "/threshold", "At least one"),
        ({"threshold": []}, "/threshold", "At least one"),
        ({"threshold": ["1", "1.0"]}, "/threshold", "once"),
        ({"threshold": [80]}, "/threshold", "decimal string"),
        ({"threshold": "1e3"}, "/threshold", "decimal string"),
        ({"threshold": "0.0000000001"}, "/threshold", "9 places"),
        ({"threshold": "-1"}, "/threshold", "decimal string"),
        ({"threshold": ["5", "0"]}, "/threshold/1", "more than 0"),
        ({"threshold": [str(n) for n in range(1, 12)]}, "/threshold", "at most 10"),
        ({"condition": "falls", "threshold": "101"}, "/threshold/0", "at most 100"),
        ({"metric": "errorRate", "threshold": "101"}, "/threshold/0", "at most 100"),
        ({"condition": "anomaly", "window": ...}, "/threshold", "leave it out"),
        ({"scope": {"kind": "team"}}, "/scope/kind", "not a valid choice"),
        ({"scope": {"kind": "organization", "value": "x"}}, "/scope/value", "leave it out"),
        ({"scope": {"kind": "credential", "value": "cl_nobody"}}, "/scope/value", "no such credential"),
        ({"scope": {"kind": "model", "name": "x"}}, "/scope/name", "accepted: kind, value"),
        (
            {"condition": "aboveShare", "metric": "credits", "window": ..., "scope": {"kind": "credential"}},
            "/scope/kind",
            "accepted: organization.",
        ),
        ({"condition": "forecastAbove", "scope": {"kind": "credential"}}, "/scope/value", "name it"),
        ({"hysteresis": "51"}, "/hysteresis", "At most 50"),
        ({"hysteresis": "0.123"}, "/hysteresis", "2 places"),
        ({"quietMinutes": -1}, "/quietMinutes", ""),
        ({"enabled": 0}, "/enabled", "valid boolean"),
        ({"enabled": "yes"}, "/enabled", "valid boolean"),
        ({"severity": "fatal"}, "/severity", "not a valid choice"),
        ({"channels": ["00000000-0000-0000-0000-000000000000"]}, "/channels", "no such channel"),
        ({"revision": 2}, "/revision", "There is no such field"),
    ],
)
def test_what_does_not_go_together_is_named_with_what_does(
    changes: dict[str, Any], pointer: str, said: str, acme: Tenant
) -> None:
    answer = post(acme, **changes)
    assert answer.status == 422, answer.body
    fault = next(error for error in answer.errors if error["pointer"] == pointer)
    assert said in fault["detail"], fault


def test_a_named_credential_is_known_by_its_client_id(acme: Tenant, globex: Tenant) -> None:
    scope = {"kind": "credential", "value": acme.client_id}
    assert made(acme, scope=scope)["scope"] == scope
    answer = post(acme, scope={**scope, "value": globex.client_id})
    assert answer.errors[0]["code"] == "unknown_client"


def test_a_channel_of_another_organization_is_none(acme: Tenant, globex: Tenant) -> None:
    own, other = mailbox(acme), mailbox(globex)
    assert made(acme, channels=[str(own.pk)])["channels"] == [str(own.pk)]
    assert post(acme, channels=[str(own.pk), str(other.pk)]).errors[0]["code"] == "unknown_channel"


@pytest.mark.parametrize(
    ("change", "raised"),
    [
        ({"name": "Else"}, False),
        ({"severity": "critical"}, False),
        ({"quietMinutes": 5}, False),
        ({"threshold": ["100", "50.5"]}, False),
        ({"threshold": "60"}, True),
        ({"window": "week"}, True),
        ({"hysteresis": "10"}, True),
        ({"leastRequests": 5}, True),
        ({"enabled": False}, True),
        ({"metric": "requests"}, True),
        ({"scope": {"kind": "model"}}, True),
        ({"condition": "rises"}, True),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else None,
)
def test_a_change_of_what_is_told_raises_the_revision(
    change: dict[str, Any], raised: bool, acme: Tenant
) -> None:
    rule = made(acme)
    answer = acme.api.call("PATCH", f"{RULES}/{rule['id']}", change)
    assert answer.status == 200, answer.body
    assert answer.body["revision"] == 1 + raised
    assert acme.api.get(f"{RULES}/{rule['id']}").body == answer.body


def test_what_is_changed_has_to_go_with_what_stays(acme: Tenant) -> None:
    rule = made(acme)
    answer = acme.api.call("PATCH", f"{RULES}/{rule['id']}", {"condition": "below"})
    assert [error["pointer"] for error in answer.errors] == ["/window"]
    assert acme.api.get(f"{RULES}/{rule['id']}").body == rule


def test_every_organization_has_its_rules_from_the_start(acme: Tenant) -> None:
    items = acme.api.get(RULES).items
    assert [(item["code"], item["condition"], item["threshold"]) for item in items] == [
        ("spend_limit", "spendLimit", []),
        ("limit_forecast", "forecastShare", ["100"]),
        ("credits", "aboveShare", ["80", "95", "100"]),
        ("quota", "aboveShare", ["80", "95", "100"]),
        ("error_rate_up", "above", ["5", "20"]),
        ("latency_up", "rises", ["50"]),
        ("rate_limit_near", "aboveShare", ["80", "100"]),
        ("suddenly_busy", "rises", ["900"]),
        ("unused", "noTraffic", []),
        ("unpriced", "above", ["1"]),
        ("cost_anomaly", "anomaly", []),
    ]


def test_a_rule_that_every_organization_has_keeps_what_it_is_about(acme: Tenant) -> None:
    path = f"{RULES}/{built_in(acme, 'error_rate_up').pk}"
    answer = acme.api.call("PATCH", path, {"metric": "errors", "threshold": "10"})
    assert [error["pointer"] for error in answer.errors] == ["/metric"]
    assert acme.api.call("PATCH", path, {"threshold": "10", "enabled": False}).body["threshold"] == ["10"]
    assert acme.api.call("DELETE", path).body["code"] == "built_in_rule"


def test_a_rule_is_deleted(acme: Tenant) -> None:
    rule = made(acme)
    assert acme.api.call("DELETE", f"{RULES}/{rule['id']}").status == 204
    assert acme.api.get(f"{RULES}/{rule['id']}").status == 404


def test_there_are_as_many_rules_as_there_may_be(acme: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("alerts.rules.services.MOST_RULES", 1)
    made(acme)
    assert (post(acme).status, post(acme).body["code"]) == (409, "too_many_rules")


def test_what_becomes_of_rules_is_in_the_audit_trail(acme: Tenant) -> None:
    path = f"{RULES}/{made(acme)['id']}"
    acme.api.call("PATCH", path, {"threshold": "60"})
    acme.api.call("PATCH", f"{RULES}/{built_in(acme, 'unused').pk}", {"enabled": True})
    acme.api.call("DELETE", path)
    # Before them the rules that there are from the start were switched off.
    entries = acme.api.get("/audit", kind="alertRule", order="asc").items[-4:]
    assert [(entry["action"], entry["subject"]) for entry in entries] == [
        ("created", "Spend this month"),
        ("updated", "Spend this month"),
        ("updated", "Unused key"),
        ("deleted", "Spend this month"),
    ]
    (change,) = [change for change in entries[1]["changes"] if change["field"] == "threshold"]
    assert (change["before"], change["after"]) == ([50.5, 100.0], [60.0])
