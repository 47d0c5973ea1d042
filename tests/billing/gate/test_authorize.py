"""`POST /authorize`: who may ask, what is held, and what a refusal says."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import OperationalError
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from billing.models import Enforcement, Reservation, Window
from billing.rating import Rate
from core import calls
from organizations.models import User
from organizations.services import change_plan, revoke_credential
from organizations.tenancy import system_scope, tenant_scope
from tests.billing.pricing import price
from tests.billing.spending import UNIT, figures, limit_to, spend
from tests.usage.factories import NOW, Answer, Api, Tenant, at, make_tenant, record

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("stopped_clock")]
OPEN = "open"


def ask(api: Api, **question: Any) -> Answer:
    return api.call("POST", "/authorize", question or None)


def test_without_a_limit_the_call_goes_ahead_and_nothing_is_held(acme: Tenant) -> None:
    answer = ask(acme.api, estimatedCost="5")
    assert answer.status == 200
    assert answer.body == {
        "allowed": True,
        "clientId": acme.client_id,
        "reservationId": None,
        "held": None,
        "expiresAt": None,
        "checked": True,
        "currency": "USD",
        "limit": None,
        "spent": None,
        "reserved": None,
        "remaining": None,
    }
    assert answer.headers["RateLimit-Policy"] == '"permin";q=1000;w=60'


def test_an_estimate_is_held_until_its_record_settles_it(acme: Tenant) -> None:
    limit_to(acme, 10)
    answer = ask(acme.api, estimatedCost="4", ttlSeconds=60)
    assert answer.body["held"] == "4.000000000"
    assert answer.body["expiresAt"] == at(NOW + timedelta(seconds=60))
    assert (answer.body["reserved"], answer.body["remaining"]) == ("4.000000000", "6.000000000")
    acme.api.keep(record("a", cost="1", reservationId=answer.body["reservationId"]))
    assert figures(acme) == (1, 0, OPEN)


def test_a_call_that_is_asked_for_again_is_one_statement(
    acme: Tenant, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    limit_to(acme, 10)
    ask(acme.api, estimatedCost="1")
    with django_assert_num_queries(1):
        assert ask(acme.api, estimatedCost="1").status == 200


def test_a_limit_that_is_reached_is_402_with_how_it_stands_and_until_when(acme: Tenant) -> None:
    limit_to(acme, 2, window=Window.WEEK)
    spend(acme, 3)
    answer = ask(acme.api)
    monday = NOW.replace(day=20, hour=0, minute=0, second=0, microsecond=0)
    assert (answer.status, answer.headers["Content-Type"]) == (402, "application/problem+json")
    assert answer.body["code"] == "spend_limit_reached"
    assert answer.body["detail"] == "The organization's spend limit of 2.000000000 USD is reached."
    assert {name: answer.body[name] for name in ("scope", "limit", "spent", "remaining", "resetsAt")} == {
        "scope": "organization",
        "limit": "2.000000000",
        "spent": "3.000000000",
        "remaining": "0.000000000",
        "resetsAt": at(monday),
    }
    seconds = int(answer.headers["Retry-After"])
    assert timedelta(0) <= timedelta(seconds=seconds) - (monday - NOW) < timedelta(seconds=1)


def test_what_does_not_fit_is_402_until_a_hold_ends(acme: Tenant) -> None:
    limit_to(acme, 2)
    assert ask(acme.api, estimatedCost="1.5", ttlSeconds=30).status == 200
    answer = ask(acme.api, estimatedCost="1")
    assert (answer.status, answer.body["code"], answer.headers["Retry-After"]) == (
        402,
        "spend_limit_full",
        "30",
    )
    never = ask(acme.api, estimatedCost="2.000000001")
    assert (never.body["resetsAt"], never.headers.get("Retry-After")) == (None, None)


def test_a_key_asks_for_itself_without_a_scope_and_for_others_with_billing_read(acme: Tenant) -> None:
    other = acme.another_credential(scopes=["usage:write"])
    assert ask(other.api).status == 200
    assert ask(other.api, clientId=other.client_id).status == 200
    refused = ask(other.api, clientId=acme.client_id)
    assert (refused.status, refused.body["code"]) == (403, "scope_required")
    limit_to(acme, 1, credential_id=other.credential_id)
    asked = ask(acme.api, clientId=other.client_id, estimatedCost="1")
    assert (asked.status, asked.body["clientId"]) == (200, other.client_id)
    assert figures(acme, other.credential_id) == (0, 1, OPEN)


def test_another_organizations_credential_is_as_unknown_as_none(acme: Tenant) -> None:
    globex = make_tenant("Globex")
    for client_id in (globex.client_id, "cl_" + "0" * 20, "x"):
        answer = ask(acme.api, clientId=client_id)
        assert (answer.status, answer.errors[0]["code"]) == (422, "unknown_client")


def test_a_revoked_credential_is_refused_also_when_it_is_remembered(acme: Tenant) -> None:
    other = acme.another_credential()
    assert ask(other.api).status == 200
    assert ask(acme.api, clientId=other.client_id).status == 200
    revoke_credential(organization_id=acme.id, client_id=other.client_id)
    for answer in (ask(other.api), ask(acme.api, clientId=other.client_id)):
        assert (answer.status, answer.body["code"]) == (403, "credential_revoked")


@pytest.mark.parametrize("key", ["hr_" + "0" * 36, "hr_x", ""])
def test_a_bad_key_is_401(db: None, key: str) -> None:
    answer = ask(Api(key))
    assert answer.status == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_no_key_and_no_session_is_401(db: None) -> None:
    assert Client().post("/api/v1/authorize").status_code == 401


def test_a_plan_without_api_access_is_403_from_the_next_call_on(acme: Tenant) -> None:
    assert ask(acme.api).status == 200
    change_plan(organization_id=acme.id, plan="free")
    answer = ask(acme.api)
    assert (answer.status, answer.body["code"]) == (403, "plan_required")
    assert "Pay-as-you-go" in answer.body["detail"]
    change_plan(organization_id=acme.id, plan="starter")
    assert ask(acme.api).headers["RateLimit-Policy"] == '"permin";q=300;w=60'


def test_calls_beyond_the_rate_limit_are_429_and_counted_apart_from_the_apis_own(acme: Tenant) -> None:
    with system_scope():
        acme.organization.requests_per_minute = 2
        acme.organization.save()
    other = acme.another_credential()
    assert [ask(acme.api).status for _ in range(3)] == [200, 200, 429]
    assert acme.api.get("/usage").status == 200
    assert ask(other.api).status == 200
    refused = ask(acme.api)
    assert refused.body["code"] == "rate_limited"
    assert 0 < int(refused.headers["Retry-After"]) <= 60


def test_a_call_asked_for_by_another_counts_against_whose_it_is(acme: Tenant) -> None:
    with system_scope():
        acme.organization.requests_per_minute = 1
        acme.organization.save()
    other = acme.another_credential()
    assert ask(acme.api, clientId=other.client_id).status == 200
    assert ask(acme.api).status == 200
    assert ask(other.api).status == 429


def test_a_member_asks_with_the_session_and_the_token(acme: Tenant) -> None:
    with system_scope():
        owner = User.objects.get(memberships__organization=acme.organization)
    session = Client(enforce_csrf_checks=True)
    session.force_login(owner)
    assert session.post("/api/v1/authorize").status_code == 403
    limit_to(acme, 1)
    session = Client()
    session.force_login(owner)
    answer = session.post("/api/v1/authorize", {"estimatedCost": "1"}, "application/json").json()
    assert (answer["clientId"], answer["held"]) == (None, "1.000000000")


TOKENS = {"model": "gpt-4o", "provider": "openai", "promptTokens": 1000, "maxCompletionTokens": 100}


def test_tokens_are_held_at_the_dearest_rates_they_can_have(acme: Tenant) -> None:
    rates = (
        Rate("prompt", 2 * UNIT, 10**6),
        Rate("cacheWrite", 3 * UNIT, 10**6),
        Rate("cachedPrompt", 1 * UNIT, 10**6),
        Rate("completion", 10 * UNIT, 10**6),
        Rate("reasoning", 12 * UNIT, 10**6),
    )
    price(rates=rates)
    limit_to(acme, 10)
    # 1000 × 3 + 100 × 12 millionths
    assert ask(acme.api, **TOKENS).body["held"] == "0.004200000"


def test_a_long_prompt_is_held_at_the_rates_beyond_the_threshold(acme: Tenant) -> None:
    price(rates=(Rate("prompt", 1, 1), Rate("prompt", 5, 1, above=500)))
    limit_to(acme, 10)
    assert ask(acme.api, **TOKENS).body["held"] == "0.000005000"
    assert ask(acme.api, **{**TOKENS, "promptTokens": 500}).body["held"] == "0.000000500"


def test_a_call_without_an_estimate_holds_the_floor_of_the_settings(acme: Tenant, settings: Any) -> None:
    limit_to(acme, 10)
    assert ask(acme.api).body["held"] is None
    settings.GATE_HOLD_WITHOUT_ESTIMATE = UNIT // 2
    assert ask(acme.api).body["held"] == "0.500000000"
    price()
    half = {"model": "gpt-4o", "provider": "openai", "promptTokens": 10}
    assert ask(acme.api, **half).body["held"] == "0.500000000"
    assert ask(acme.api, estimatedCost="0").body["held"] is None


@pytest.mark.parametrize(
    ("policy", "status", "held"), [("deny", 402, None), ("allow", 200, None), ("hold", 200, "3.000000000")]
)
def test_a_model_without_a_price_is_dealt_with_as_the_settings_say(
    acme: Tenant, settings: Any, policy: str, status: int, held: str | None
) -> None:
    settings.GATE_UNPRICED_MODEL = policy
    settings.GATE_UNPRICED_HOLD = 3 * UNIT
    unknown = {**TOKENS, "model": "nobody-knows-this"}
    assert ask(acme.api, **unknown).status == 200  # no limit would count it
    limit_to(acme, 10)
    answer = ask(acme.api, **unknown)
    assert (answer.status, answer.body.get("held")) == (status, held)
    if policy == "deny":
        assert (answer.body["code"], answer.body["resetsAt"]) == ("unpriced_model", None)
    assert ask(acme.api, model="nobody-knows-this", estimatedCost="1").body["held"] == "1.000000000"
    limit_to(acme, 10, enforcement=Enforcement.WARN)
    assert ask(acme.api, **unknown).status == 200


@pytest.mark.parametrize(
    ("question", "pointer"),
    [
        ({"estimatedCost": "1", "promptTokens": 1, "model": "m"}, "/estimatedCost"),
        ({"estimatedCost": "-1"}, "/estimatedCost"),
        ({"estimatedCost": "1e3"}, "/estimatedCost"),
        ({"estimatedCost": 1}, "/estimatedCost"),
        ({"estimatedCost": "1000000.000000001"}, "/estimatedCost"),
        ({"promptTokens": 1}, "/model"),
        ({"promptTokens": -1, "model": "m"}, "/promptTokens"),
        ({"ttlSeconds": 0}, "/ttlSeconds"),
        ({"ttlSeconds": 86_401}, "/ttlSeconds"),
        ({"model": ""}, "/model"),
        ({"serviceTier": "best"}, "/serviceTier"),
        ({"colour": "red"}, "/colour"),
    ],
)
def test_what_can_not_be_understood_is_named(acme: Tenant, question: dict[str, Any], pointer: str) -> None:
    answer = ask(acme.api, **question)
    assert answer.status == 422
    assert [error["pointer"] for error in answer.errors] == [pointer]


@pytest.mark.parametrize("body", [b"{", b"[]", b"\xff{}", b"nothing"])
def test_a_body_that_is_no_object_is_refused(acme: Tenant, body: bytes) -> None:
    assert acme.api.call("POST", "/authorize", body).status in (400, 422)


def test_other_methods_are_refused_by_name(acme: Tenant) -> None:
    answer = acme.api.get("/authorize")
    assert (answer.status, answer.headers["Allow"]) == (405, "POST")


def away(*statement: object) -> None:
    """Ask a database that has gone."""
    raise OperationalError("gone")


def test_while_the_database_is_away_the_gate_is_closed(acme: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    assert ask(acme.api).status == 200
    monkeypatch.setattr(calls, "ask", away)
    answer = ask(acme.api)
    assert (answer.status, answer.body["code"], answer.headers["Retry-After"]) == (503, "unavailable", "1")


def test_or_open_to_keys_that_were_seen_lately_if_the_settings_say_so(
    acme: Tenant, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    settings.GATE_WITHOUT_DATABASE = "open"
    limit_to(acme, 1)
    other, unseen = acme.another_credential(), acme.another_credential("unseen")
    assert ask(acme.api).status == 200
    assert unseen.api.get("/usage").status == 200
    monkeypatch.setattr(calls, "ask", away)
    answer = ask(acme.api, estimatedCost="5")
    assert (answer.status, answer.body["checked"], answer.body["reservationId"]) == (200, False, None)
    assert "RateLimit" in answer.headers
    # Whose key was not let through before, or whoever asks for another, is not.
    assert ask(unseen.api).status == 503
    assert ask(acme.api, clientId=other.client_id).status == 503
    settings.GATE_SEEN_WITHIN = timedelta(0)
    assert ask(acme.api).status == 503


def test_a_hold_that_was_not_used_is_given_back_by_its_own_key(acme: Tenant) -> None:
    other = acme.another_credential(scopes=["usage:write"])
    limit_to(acme, 1)
    held = ask(other.api, estimatedCost="1").body["reservationId"]
    assert other.api.get(f"/reservations/{held}").body["state"] == "held"
    third = acme.another_credential("third", scopes=["usage:write"])
    assert third.api.call("DELETE", f"/reservations/{held}").status == 403
    assert other.api.call("DELETE", f"/reservations/{held}").status == 204
    assert other.api.call("DELETE", f"/reservations/{held}").status == 204
    assert other.api.get(f"/reservations/{held}").body["state"] == "released"
    assert figures(acme) == (0, 0, OPEN)


def test_reservations_are_paged_and_a_hold_that_is_over_shows_as_expired(
    acme: Tenant, stopped_clock: time_machine.Traveller
) -> None:
    limit_to(acme, 10)
    made = [ask(acme.api, estimatedCost="1", ttlSeconds=60).body["reservationId"] for _ in range(3)]
    stopped_clock.shift(timedelta(seconds=60))
    last = ask(acme.api, estimatedCost="1").body["reservationId"]
    page = acme.api.get("/reservations", state="expired", take="2")
    rest = acme.api.get("/reservations", state="expired", take="2", cursor=page.body["cursor"])
    assert {*page.ids, *rest.ids} == set(made)
    assert page.items[0]["endedAt"] == at(NOW + timedelta(seconds=60))
    assert acme.api.get("/reservations", state="held").ids == [last]
    with tenant_scope(acme.id):
        assert Reservation.objects.filter(state="held").count() == 4  # nobody has swept yet
    assert acme.api.get("/spend-limit").body["reserved"] == "1.000000000"
