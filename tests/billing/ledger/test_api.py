"""`/credits` and its ledger, and what `/usage` says of allowances."""

from __future__ import annotations

from datetime import timedelta

import pytest

from billing.ledger import services
from tests.billing.ledger.test_ledger import give
from tests.usage.factories import NOW, Tenant, at, record

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("stopped_clock")]
HOUR = timedelta(hours=1)


def test_without_grants_there_is_nothing_granted_which_is_not_zero(acme: Tenant) -> None:
    acme.api.keep(record(quantities={"credits": "1.5"}))
    assert acme.api.get("/credits").body == {
        "credits": None,
        "quota": None,
        "overageAllowed": False,
        "grants": [],
        "pagination": {"total": 0, "limit": 100, "offset": 0, "hasMore": False},
    }
    assert acme.api.get("/usage").body["credits"] == {"consumed": "1.5", "granted": None, "remaining": None}


def test_the_answer_has_the_standing_and_every_grant(acme: Tenant) -> None:
    made = give(acme, 10, expires_at=NOW + HOUR)
    acme.api.keep(record(quantities={"credits": "2.5"}))
    body = acme.api.get("/credits").body
    assert body["credits"] == {
        "granted": 10,
        "consumed": "2.5",
        "uncovered": 0,
        "overage": 0,
        "expired": 0,
        "revoked": 0,
        "remaining": "7.5",
    }
    assert body["quota"] is None
    assert body["grants"] == [
        {
            "id": made.pk,
            "allowance": "credits",
            "state": "active",
            "amount": 10,
            "remaining": "7.5",
            "priority": 100,
            "effectiveAt": at(NOW),
            "expiresAt": at(NOW + HOUR),
            "revokedAt": None,
            "reason": "Welcome",
            "createdAt": at(NOW),
        }
    ]


def test_a_grants_state_follows_its_life(acme: Tenant, stopped_clock: object) -> None:
    gone = give(acme, 1, priority=1)
    give(acme, 2, priority=2)
    give(acme, 3, priority=3, expires_at=NOW + HOUR)
    give(acme, 4, priority=4, effective_at=NOW + 9 * HOUR)
    give(acme, 5, priority=5)
    services.revoke_grant(organization_id=acme.id, grant_id=gone.pk)
    acme.api.keep(record(quantities={"credits": 2}))
    states = [grant["state"] for grant in acme.api.get("/credits").body["grants"]]
    assert states == ["revoked", "used", "active", "pending", "active"]
    stopped_clock.move_to(NOW + HOUR)  # type: ignore[attr-defined]
    assert acme.api.get("/credits").body["grants"][2]["state"] == "expired"


def test_usage_says_what_was_granted_and_what_is_left(acme: Tenant) -> None:
    give(acme, 100, allowance="quota")
    long_ago = at(NOW - timedelta(days=40))
    acme.api.keep(record(quantities={"quota": 30}), record(quantities={"quota": 5}, timestamp=long_ago))
    assert acme.api.get("/usage").body["quota"] == {"consumed": 30, "granted": 100, "remaining": 70}


def test_grants_can_be_narrowed_and_paged(acme: Tenant) -> None:
    for allowance in ("credits", "quota", "quota"):
        give(acme, 1, allowance=allowance)
    body = acme.api.get("/credits", allowance="quota", limit=1).body
    assert [grant["allowance"] for grant in body["grants"]] == ["quota"]
    assert body["pagination"] == {"total": 2, "limit": 1, "offset": 0, "hasMore": True}
    refused = acme.api.get("/credits", allowance="wishes")
    assert (refused.status, refused.body["detail"]) == (
        400,
        "Invalid allowance: 'wishes'; accepted: credits, quota.",
    )


def test_the_ledger_is_paged_newest_first(acme: Tenant) -> None:
    made = give(acme, 10)
    acme.api.keep(record(quantities={"credits": 12}))
    first = acme.api.get("/credits/transactions", take=1)
    (use,) = first.items
    assert (use["kind"], use["postedAt"]) == ("use", at(NOW))
    assert {(p["account"], p["grantId"], p["amount"]) for p in use["postings"]} == {
        ("available", made.pk, -10),
        ("consumed", None, 12),
        ("uncovered", None, -2),
    }
    rest = acme.api.get("/credits/transactions", take=1, cursor=first.body["cursor"])
    assert [(item["kind"], item["allowance"]) for item in rest.items] == [("grant", "credits")]
    assert rest.body["cursor"] is None
    assert acme.api.get("/credits/transactions", order="asc").items[0] == rest.items[0]
    assert acme.api.get("/credits/transactions", allowance="quota").items == []
    assert acme.api.get("/credits/transactions", cursor="x").body["code"] == "invalid_cursor"


def test_it_takes_the_scope_to_read_bills(acme: Tenant) -> None:
    plain = acme.another_credential().api
    for path in ("/credits", "/credits/transactions"):
        assert plain.get(path).body["code"] == "scope_required"
