"""`/alerts/channels`, `/alerts/events` and `/alerts/deliveries` over HTTP."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import Any

import pytest

from alerts.channels.services import MOST_CHANNELS, MOST_TESTS
from alerts.models import Channel
from organizations.tenancy import system_scope
from tests.alerts.receivers import Receiver, status
from tests.alerts.telling import again, clear, fire, mailbox, webhook, work
from tests.usage.factories import Answer, Tenant

pytestmark = pytest.mark.django_db
HOOK = "https://hooks.example.com/services/T0/B0/verysecretpath"
CHANNELS = "/alerts/channels"


def create(tenant: Tenant, **body: Any) -> Answer:
    return tenant.api.call("POST", CHANNELS, {"kind": "webhook", "name": "Hook", "url": HOOK, **body})


def test_a_webhook_is_made_and_its_secret_shown_this_once(acme: Tenant) -> None:
    made = create(acme)
    assert made.status == 201
    secret = made.body.pop("secret")
    assert re.fullmatch(r"whsec_[A-Za-z0-9+/]{43}=", secret)
    path = f"{CHANNELS}/{made.body['id']}"
    assert made.headers["Location"].endswith(f"/api/v1{path}")
    assert acme.api.get(path).body == made.body
    assert {name: value for name, value in made.body.items() if name not in ("id", "createdAt")} == {
        "kind": "webhook",
        "name": "Hook",
        "target": "https://hooks.example.com/…path",
        "enabled": True,
        "disabledAt": None,
        "disabledBecause": None,
        "confirmedAt": None,
        "failingSince": None,
        "deliveredAt": None,
    }
    assert acme.api.get(CHANNELS).items == [made.body]


def test_an_address_and_a_secret_are_in_no_answer_and_not_readable_in_the_database(acme: Tenant) -> None:
    made = create(acme)
    secret = made.body["secret"]
    path = f"{CHANNELS}/{made.body['id']}"
    shown = [acme.api.get(path), acme.api.get(CHANNELS), acme.api.call("PATCH", path, {"name": "New"})]
    shown.append(acme.api.call("POST", f"{path}/test"))
    shown.append(acme.api.get("/alerts/deliveries"))
    for answer in shown:
        text = json.dumps(answer.body)
        assert "verysecret" not in text
        assert secret not in text
    with system_scope():
        kept = Channel.objects.get(pk=made.body["id"])
    for sealed in (kept.target, kept.secret):
        assert b"verysecret" not in bytes(sealed or b"")
        assert secret.removeprefix("whsec_").encode() not in bytes(sealed or b"")


def test_a_mailbox_is_shown_as_it_is(acme: Tenant) -> None:
    made = acme.api.call(
        "POST", CHANNELS, {"kind": "email", "name": "Operations", "address": "ops@example.com"}
    )
    assert (made.status, made.body["target"], made.body["secret"]) == (201, "ops@example.com", None)


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        ({"kind": "carrierPigeon"}, "/kind", "invalid_choice"),
        ({"url": None}, "/url", "null"),
        ({"kind": "email"}, "/url", "unknown_field"),
        ({"address": "ops@example.com"}, "/address", "unknown_field"),
        ({"url": "http://hooks.example.com/"}, "/url", "invalid"),
        ({"url": "https://127.0.0.1/"}, "/url", "invalid"),
        ({"url": "https://[::1]/"}, "/url", "invalid"),
        ({"url": "https://169.254.169.254/latest/meta-data"}, "/url", "invalid"),
        ({"url": "https://user:password@hooks.example.com/"}, "/url", "invalid"),
        ({"url": "https://hooks.example.com:99999/"}, "/url", "invalid"),
        ({"url": "https://hooks.example.com/a b"}, "/url", "invalid"),
        ({"url": "file:///etc/passwd"}, "/url", "invalid"),
        ({"name": ""}, "/name", "blank"),
        ({"secret": "whsec_x"}, "/secret", "unknown_field"),
        ({"kind": "slack"}, "/url", "invalid"),
        ({"kind": "slack", "url": "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ?template=/etc/passwd"},
         "/url", "invalid"),
        ({"kind": "discord", "url": "json://localhost/"}, "/url", "invalid"),
        ({"kind": "mattermost", "url": "mmosts://127.0.0.1/token3token3token3token3"}, "/url", "invalid"),
        ({"kind": "mattermost", "url": "mmost://chat.example/token3token3token3token3"}, "/url", "invalid"),
    ],
)  # fmt: skip
def test_what_is_no_channel_is_refused_by_name(
    body: dict[str, Any], pointer: str, code: str, acme: Tenant
) -> None:
    answer = create(acme, **body)
    assert (answer.status, answer.errors[0]["pointer"], answer.errors[0]["code"]) == (422, pointer, code)
    assert acme.api.get(CHANNELS).items == []


def test_an_address_that_is_missing_is_asked_for(acme: Tenant) -> None:
    answer = acme.api.call("POST", CHANNELS, {"kind": "email", "name": "Operations"})
    assert answer.errors == [
        {"pointer": "/address", "code": "required", "detail": "A channel of kind email needs address."}
    ]
    wrong = acme.api.call(
        "POST", CHANNELS, {"kind": "email", "name": "x", "address": "a@b\r\nBcc: c@d.example"}
    )
    assert (wrong.status, wrong.errors[0]["pointer"]) == (422, "/address")


def test_a_channel_can_be_renamed_moved_and_switched(acme: Tenant) -> None:
    path = f"{CHANNELS}/{create(acme).body['id']}"
    changed = acme.api.call("PATCH", path, {"name": "New", "url": "https://other.example.com/hook"})
    assert (changed.status, changed.body["name"]) == (200, "New")
    assert changed.body["target"] == "https://other.example.com/…hook"
    off = acme.api.call("PATCH", path, {"enabled": False}).body
    assert (off["enabled"], off["disabledBecause"], off["disabledAt"] is None) == (False, "byHand", False)
    on = acme.api.call("PATCH", path, {"enabled": True}).body
    assert (on["enabled"], on["disabledBecause"], on["disabledAt"]) == (True, None, None)
    assert acme.api.call("PATCH", path, {"kind": "email"}).errors[0]["code"] == "unknown_field"
    assert acme.api.call("PATCH", path, {"url": "https://10.0.0.1/"}).status == 422


def test_a_channel_that_is_deleted_is_gone_with_its_address(acme: Tenant) -> None:
    path = f"{CHANNELS}/{create(acme).body['id']}"
    assert acme.api.call("DELETE", path).status == 204
    assert [acme.api.get(path).status, acme.api.call("DELETE", path).status] == [404, 404]


def test_only_webhooks_have_a_secret_to_rotate(acme: Tenant) -> None:
    made = create(acme).body
    rotated = acme.api.call("POST", f"{CHANNELS}/{made['id']}/rotate")
    assert rotated.status == 200
    assert rotated.body["secret"] != made["secret"]
    refused = acme.api.call("POST", f"{CHANNELS}/{mailbox(acme).pk}/rotate")
    assert (refused.status, refused.body["code"]) == (409, "no_secret")


def test_a_test_is_sent_once_and_its_delivery_says_what_came_of_it(acme: Tenant, receiver: Receiver) -> None:
    made = webhook(acme, receiver.url)
    asked = acme.api.call("POST", f"{CHANNELS}/{made.channel.pk}/test")
    assert (asked.status, asked.body["state"], asked.body["notice"]) == (202, "pending", "test")
    receiver.then(status(500, b"not today"))
    assert [work(), work()] == [1, 0]
    path = asked.headers["Location"].partition("/api/v1")[2]
    told = acme.api.get(path).body
    assert (told["state"], told["reason"]) == ("failed", "The receiver answered 500.")
    (attempt,) = told["attempts"]
    assert (attempt["status"], attempt["response"], attempt["outcome"]) == (500, "not today", "failed")
    assert told["payload"]["data"]["message"] == "The channel Hook works."
    assert again(made.channel).failing_since is None


def test_a_disabled_channel_can_be_tested_before_it_is_enabled(acme: Tenant, receiver: Receiver) -> None:
    made = webhook(acme, receiver.url)
    path = f"{CHANNELS}/{made.channel.pk}"
    acme.api.call("PATCH", path, {"enabled": False})
    acme.api.call("POST", f"{path}/test")
    assert work() == 1
    assert receiver.received[0].verified(made.secret or "")["type"] == "alert.test"


def test_tests_are_limited_by_the_hour(acme: Tenant) -> None:
    path = f"{CHANNELS}/{create(acme).body['id']}/test"
    answers = [acme.api.call("POST", path) for _ in range(MOST_TESTS + 1)]
    assert [answer.status for answer in answers] == [202] * MOST_TESTS + [429]
    assert (answers[-1].body["code"], answers[-1].headers["Retry-After"]) == ("too_many_tests", "180")


def test_channels_are_limited(acme: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("alerts.channels.services.MOST_CHANNELS", 2)
    assert [create(acme).status for _ in range(3)] == [201, 201, 409]
    assert MOST_CHANNELS == 50


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        ("GET", "", "usage:read"),
        ("POST", "", "alerts:write"),
        ("GET", "/{id}", "usage:read"),
        ("PATCH", "/{id}", "alerts:write"),
        ("DELETE", "/{id}", "alerts:write"),
        ("POST", "/{id}/test", "alerts:write"),
        ("POST", "/{id}/rotate", "alerts:write"),
    ],
)
def test_each_call_takes_its_scope(method: str, path: str, scope: str, acme: Tenant) -> None:
    path = CHANNELS + path.replace("{id}", create(acme).body["id"])
    others = [one for one in ("usage:read", "usage:write", "alerts:write", "keys:write") if one != scope]
    refused = acme.another_credential(scopes=others).api.call(method, path, {} if method != "GET" else None)
    assert (refused.status, refused.body["code"]) == (403, "scope_required")
    assert scope in refused.body["detail"]
    allowed = acme.another_credential(scopes=[scope]).api.call(method, path, {} if method != "GET" else None)
    assert allowed.status != 403


def test_another_organizations_channel_does_not_exist(acme: Tenant, globex: Tenant) -> None:
    path = f"{CHANNELS}/{create(globex).body['id']}"
    answers = [
        acme.api.get(path),
        acme.api.call("PATCH", path, {"name": "Mine"}),
        acme.api.call("DELETE", path),
        acme.api.call("POST", f"{path}/test"),
        acme.api.call("POST", f"{path}/rotate"),
    ]
    assert [answer.status for answer in answers] == [404] * 5
    assert globex.api.get(path).body["name"] == "Hook"


def test_events_are_listed_with_their_ends_and_filtered(acme: Tenant, globex: Tenant) -> None:
    first = fire(acme)
    second = fire(acme, threshold=Decimal(95), severity="critical", metric="errorRate")
    fire(globex)
    assert first is not None
    assert second is not None
    clear(acme, first)
    page = acme.api.get("/alerts/events")
    assert page.ids == [str(second.pk), str(first.pk)]
    assert page.items[1]["resolvedAt"] is not None
    assert {name: page.items[1][name] for name in ("threshold", "value", "unit", "period")} == {
        "threshold": "80",
        "value": "81.25",
        "unit": "percent",
        "period": {"from": "2026-07-01T00:00:00Z", "to": "2026-08-01T00:00:00Z"},
    }

    def ids(**filters: str) -> list[str]:
        return acme.api.get("/alerts/events", **filters).ids

    assert ids(state="open") == ids(severity="critical") == ids(metric="errorRate") == [str(second.pk)]
    assert ids(state="resolved") == [str(first.pk)]
    assert ids(rule=str(first.rule_id), order="asc") == [str(first.pk), str(second.pk)]
    assert ids(to="2000-01-01T00:00:00Z") == []
    assert acme.api.get(f"/alerts/events/{first.pk}").body == page.items[1]
    assert globex.api.get(f"/alerts/events/{first.pk}").status == 404


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/alerts/events", {"state": "ajar"}),
        ("/alerts/events", {"severity": "dire"}),
        ("/alerts/events", {"rule": "first"}),
        ("/alerts/events", {"limit": "3"}),
        ("/alerts/events", {"cursor": "x"}),
        ("/alerts/deliveries", {"state": "late"}),
        ("/alerts/deliveries", {"channel": "mine"}),
    ],
)
def test_a_question_that_is_none_is_refused(path: str, query: dict[str, str], acme: Tenant) -> None:
    assert acme.api.get(path, **query).status == 400


@pytest.mark.parametrize("order", ["asc", "desc"])
def test_pages_of_events_and_deliveries_join_without_gap_or_repetition(order: str, acme: Tenant) -> None:
    mailbox(acme)
    for threshold in range(7):
        fire(acme, threshold=Decimal(threshold))
    for path in ("/alerts/events", "/alerts/deliveries"):
        whole = acme.api.get(path, order=order).ids
        assert len(whole) == 7
        pages, cursor = [], None
        while True:
            page = acme.api.get(path, order=order, take="3", **({"cursor": cursor} if cursor else {}))
            pages += page.ids
            cursor = page.body["cursor"]
            if cursor is None:
                break
            assert 'rel="next"' in page.headers["Link"]
        assert pages == whole


def test_a_cursor_of_other_filters_is_refused(acme: Tenant) -> None:
    fire(acme)
    fire(acme, threshold=Decimal(95))
    cursor = acme.api.get("/alerts/events", take="1").body["cursor"]
    assert (
        acme.api.get("/alerts/events", take="1", cursor=cursor, state="open").body["code"] == "invalid_cursor"
    )


def test_the_log_is_for_those_who_set_channels_up(acme: Tenant) -> None:
    webhook(acme, HOOK)
    fire(acme)
    readers = acme.another_credential(scopes=["usage:read"]).api
    (told,) = acme.api.get("/alerts/deliveries").items
    for path in ("/alerts/deliveries", f"/alerts/deliveries/{told['id']}"):
        assert readers.get(path).status == 403
        assert acme.api.get(path).status == 200


def test_changes_of_channels_are_in_the_audit_tables_without_what_is_secret(acme: Tenant) -> None:
    create(acme)
    events: Any = Channel.pgh_event_model  # type: ignore[attr-defined]
    with system_scope():
        (event,) = events.objects.filter(organization_id=acme.id).values()
    assert (event["name"], event["pgh_context"]["kind"]) == ("Hook", "credential")
    assert not {"target", "secret", "old_secret"} & set(event)
