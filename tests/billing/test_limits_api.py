"""`/spend-limit` over HTTP: set, read as it stands, removed; decisions, replay, forecast."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine

from organizations.services import change_plan
from tests.billing.spending import decisions, hold, limit_of, limit_to
from tests.usage.factories import NOW, Answer, Tenant, at, record

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("stopped_clock")]
QUARTER = NOW.replace(minute=30, second=0, microsecond=0)


def put(tenant: Tenant, _client_id: str | None = None, **terms: Any) -> Answer:
    query = {} if _client_id is None else {"clientId": _client_id}
    return tenant.api.call("PUT", "/spend-limit", terms, query=query)


def test_a_limit_that_is_set_is_answered_as_it_stands(acme: Tenant) -> None:
    acme.api.keep(record("a", cost="4"))
    answer = put(acme, limit="10")
    assert answer.status == 200
    assert answer.body == {
        "clientId": None,
        "limit": "10.000000000",
        "currency": "USD",
        "window": "rolling7Days",
        "warnAt": [50, 80, 95],
        "enforcement": "pause",
        "state": "open",
        "pausedAt": None,
        "period": {"from": at(QUARTER - timedelta(days=7)), "to": at(QUARTER + timedelta(minutes=15))},
        "spent": "4.000000000",
        "reserved": "0.000000000",
        "remaining": "6.000000000",
        "resetsAt": at(QUARTER + timedelta(days=7, minutes=15)),
        # At 4 a day, the other 6 take a day and a half; of one day's rate, little is sure.
        "forecast": {
            "pausesAt": at(QUARTER + timedelta(hours=36)),
            "earliest": at(QUARTER + timedelta(hours=19)),
            "latest": at(QUARTER + timedelta(hours=68, minutes=30)),
        },
    }
    hold(acme, 1)
    assert acme.api.get("/spend-limit").body["remaining"] == "5.000000000"


def test_the_limit_of_a_credential_is_its_own(acme: Tenant) -> None:
    other = acme.another_credential()
    assert put(acme, other.client_id, limit="1", window="week", warnAt=[], enforcement="warn").status == 200
    assert acme.api.get("/spend-limit").status == 404
    found = acme.api.get("/spend-limit", clientId=other.client_id).body
    assert (found["clientId"], found["window"], found["warnAt"]) == (other.client_id, "week", [])
    assert found["resetsAt"] == found["period"]["to"] == "2026-07-20T00:00:00Z"
    put(acme, limit="5")
    listed = acme.api.get("/spend-limits").body
    assert [item["clientId"] for item in listed["items"]] == [None, other.client_id]
    assert listed["pagination"]["total"] == 2
    assert acme.api.call("DELETE", "/spend-limit", query={"clientId": other.client_id}).status == 204
    assert acme.api.call("DELETE", "/spend-limit", query={"clientId": other.client_id}).status == 404
    assert acme.api.get("/spend-limits").body["pagination"]["total"] == 1


def test_reading_takes_billing_read_and_setting_billing_write(acme: Tenant) -> None:
    reader = acme.another_credential(scopes=["billing:read"])
    limit_to(acme, 1)
    assert reader.api.get("/spend-limit").status == 200
    assert put(reader, limit="5").status == 403
    assert reader.api.call("DELETE", "/spend-limit").status == 403
    assert acme.another_credential(scopes=["usage:read"]).api.get("/spend-limit").status == 403


def test_a_plan_without_limits_reads_and_removes_and_does_not_set(acme: Tenant) -> None:
    limit_to(acme, 1)
    change_plan(organization_id=acme.id, plan="professional")
    refused = put(acme, limit="5")
    assert (refused.status, refused.body["code"]) == (403, "plan_required")
    assert "Pay-as-you-go" in refused.body["detail"]
    assert acme.api.get("/spend-limit").body["limit"] == "1.000000000"
    assert acme.api.call("DELETE", "/spend-limit").status == 204


@pytest.mark.parametrize(
    ("terms", "pointer"),
    [
        ({}, "/limit"),
        ({"limit": "0"}, "/limit"),
        ({"limit": "-1"}, "/limit"),
        ({"limit": 5}, "/limit"),
        ({"limit": "9223372036.854775808"}, "/limit"),
        ({"limit": "1", "window": "month"}, "/window"),
        ({"limit": "1", "enforcement": "shout"}, "/enforcement"),
        ({"limit": "1", "warnAt": [0]}, "/warnAt/0"),
        ({"limit": "1", "warnAt": [50, 101]}, "/warnAt/1"),
        ({"limit": "1", "warnAt": list(range(1, 12))}, "/warnAt"),
        ({"limit": "1", "spent": "0"}, "/spent"),
    ],
)
def test_what_is_no_limit_is_refused_by_name(acme: Tenant, terms: dict[str, Any], pointer: str) -> None:
    answer = put(acme, **terms)
    assert answer.status == 422
    assert [error["pointer"] for error in answer.errors] == [pointer]


def test_the_largest_limit_there_is_holds(acme: Tenant) -> None:
    assert put(acme, limit="9223372036.854775807", warnAt=[100, 100, 50]).body["warnAt"] == [50, 100]
    acme.api.keep(record("a", cost="1000000"))
    assert limit_of(acme).spent_nanos == 10**15


def test_a_limit_shows_what_is_true_before_anybody_has_kept_it(
    acme: Tenant, stopped_clock: time_machine.Traveller
) -> None:
    put(acme, limit="5")
    acme.api.keep(record("a", cost="5"))
    paused = acme.api.get("/spend-limit").body
    assert (paused["state"], paused["pausedAt"]) == ("paused", at(NOW))
    assert paused["forecast"] == {"pausesAt": None, "earliest": None, "latest": None}
    stopped_clock.move_to(QUARTER + timedelta(days=7, minutes=15), tick=False)
    assert limit_of(acme).state == "paused"
    found = acme.api.get("/spend-limit").body
    assert (found["state"], found["pausedAt"], found["spent"]) == ("open", None, "0.000000000")
    assert found["period"]["from"] == at(QUARTER + timedelta(minutes=15))


def test_decisions_are_listed_newest_first_in_pages(acme: Tenant) -> None:
    other = acme.another_credential()
    put(acme, limit="4", warnAt=[50])
    acme.api.keep(record("a", cost="5"))
    put(acme, limit="9", warnAt=[50])
    put(acme, other.client_id, limit="1")
    acme.api.call("DELETE", "/spend-limit")
    first = acme.api.get("/spend-limit/decisions", take="3")
    second = acme.api.get("/spend-limit/decisions", take="4", cursor=first.body["cursor"])
    kinds = [item["kind"] for item in (*first.items, *second.items)]
    assert kinds == ["limitRemoved", "limitSet", "resumed", "limitSet", "paused", "warned", "limitSet"]
    assert second.body["cursor"] is None
    warned = acme.api.get("/spend-limit/decisions", kind="warned").items
    assert [(item["threshold"], item["spent"], item["decidedAt"]) for item in warned] == [
        (50, "5.000000000", at(NOW))
    ]
    mine = acme.api.get("/spend-limit/decisions", clientId=other.client_id, order="asc").items
    assert [item["kind"] for item in mine] == ["limitSet"]
    assert len(decisions(acme)) == 7


def test_a_replay_tells_what_another_limit_would_have_paused(acme: Tenant) -> None:
    day = timedelta(days=1)
    acme.api.keep(
        record("a", cost="3", timestamp=at(NOW - 20 * day)),
        record("b", cost="3", timestamp=at(NOW - 19 * day)),
        record("c", cost="2", timestamp=at(NOW - 18 * day)),
        record("d", cost="1", timestamp=at(NOW - 2 * day)),
    )
    answer = acme.api.get("/spend-limit/replay", limit="5", warnAt="50")
    end = QUARTER + timedelta(minutes=15)
    assert answer.body == {
        "period": {"from": at(end - 28 * day), "to": at(end)},
        "limit": "5.000000000",
        "currency": "USD",
        "window": "rolling7Days",
        "warnAt": [50],
        "enforcement": "pause",
        "spent": "9.000000000",
        "stopped": "2.000000000",
        "pausedSeconds": 6 * 24 * 3600,
        "pauses": [
            {
                "pausedAt": at(end - 19 * day),
                "resumedAt": at(end - 13 * day),
                "spent": "6.000000000",
                "stopped": "2.000000000",
            }
        ],
        "warnings": [{"threshold": 50, "warnedAt": at(end - 20 * day)}],
    }
    none = acme.api.get("/spend-limit/replay", limit="5", enforcement="warn", warnAt="50").body
    assert (none["pauses"], none["stopped"]) == ([], "0.000000000")
    assert [warning["threshold"] for warning in none["warnings"]] == [50, 100]


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"limit": "0"},
        {"limit": "x"},
        {"limit": "1", "warnAt": "0"},
        {"limit": "1", "warnAt": ""},
        {"limit": "1", "window": "day"},
    ],
)
def test_a_replay_that_can_not_be_is_refused(acme: Tenant, query: dict[str, str]) -> None:
    assert acme.api.get("/spend-limit/replay", **query).status == 400


def test_a_replay_spans_at_most_a_quarter_of_a_year(acme: Tenant) -> None:
    change_plan(organization_id=acme.id, plan="enterprise")
    end = QUARTER + timedelta(minutes=15)
    for days, status in ((92, 200), (93, 400)):
        answer = acme.api.get("/spend-limit/replay", limit="1", from_=at(end - timedelta(days=days)))
        assert answer.status == status


def test_the_audit_trail_says_who_set_a_limit(acme: Tenant) -> None:
    put(acme, limit="5")
    acme.api.keep(record("a", cost="1"))
    put(acme, limit="6")
    entries = acme.api.get("/audit", kind="spendLimit").items
    assert [entry["action"] for entry in entries] == ["updated", "created"]
    assert entries[0]["actor"]["clientId"] == acme.client_id
    assert entries[0]["changes"] == [{"field": "limit", "before": "5.000000000", "after": "6.000000000"}]
