"""The gateways' dialects: the same decision, told in the way that each of them understands."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

from tests.billing.spending import UNIT, limit_to, spend
from tests.usage.factories import Tenant

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("stopped_clock")]
PATHS = ("gateway/forward", "gateway/envoy/", "gateway/envoy/v1/chat/completions", "gateway/nginx")


def ask(tenant: Tenant | None, path: str, method: str = "GET", **headers: str) -> Any:
    key = {} if tenant is None else {"authorization": f"Bearer {tenant.api.key}"}
    return Client().generic(method, f"/api/v1/{path}", headers={**key, **headers})


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE", "PURGE"])
def test_an_allowed_call_is_200_and_says_whose_it_is(
    acme: Tenant, path: str, method: str, settings: Any
) -> None:
    limit_to(acme, 10)
    settings.GATE_HOLD_WITHOUT_ESTIMATE = UNIT
    response = ask(acme, path, method)
    assert (response.status_code, response.content) == (200, b"")
    assert response.headers["X-Portal-Client-Id"] == acme.client_id
    assert response.headers["X-Portal-Organization"] == "acme"
    assert response.headers["X-Portal-Remaining"] == "9.000000000"
    assert response.headers["X-Portal-Reservation-Id"].startswith("res_")
    assert response.headers["RateLimit"] == '"permin";r=999;t=60'


@pytest.mark.parametrize("path", PATHS[:3])
def test_a_refusal_is_the_problem_itself(acme: Tenant, path: str) -> None:
    limit_to(acme, 1)
    spend(acme, 1)
    response = ask(acme, path)
    assert (response.status_code, response.headers["X-Portal-Status"]) == (402, "402")
    assert response.json()["code"] == response.headers["X-Portal-Code"] == "spend_limit_reached"
    assert int(response.headers["Retry-After"]) > 0
    assert ask(None, path).status_code == 401


def test_nginx_gets_403_with_the_true_status_and_the_problem_beside_it(acme: Tenant) -> None:
    limit_to(acme, 1)
    spend(acme, 1)
    response = ask(acme, "gateway/nginx")
    assert (response.status_code, response.content) == (403, b"")
    assert response.headers["X-Portal-Status"] == "402"
    problem = json.loads(response.headers["X-Portal-Problem"])
    assert (problem["status"], problem["code"]) == (402, "spend_limit_reached")
    assert int(response.headers["Retry-After"]) > 0


def test_nginx_gets_401_for_a_bad_key(db: None) -> None:
    response = ask(None, "gateway/nginx")
    assert (response.status_code, response.headers["X-Portal-Status"]) == (401, "401")
    assert response.headers["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize("path", PATHS)
def test_a_gateway_may_pass_on_the_host_that_the_client_named(acme: Tenant, path: str) -> None:
    assert ask(acme, path, host="api.example.com").status_code == 200
    assert ask(None, path, "POST", host="api.example.com").status_code == 401


def test_what_the_client_says_beside_its_key_changes_nothing(acme: Tenant, settings: Any) -> None:
    limit_to(acme, 1)
    settings.GATE_HOLD_WITHOUT_ESTIMATE = UNIT
    query = "gateway/forward?estimatedCost=0&clientId=cl_x"
    response = ask(acme, query, **{"x-portal-reservation-id": "mine", "x-portal-client-id": "other"})
    assert response.status_code == 200
    assert response.headers["X-Portal-Client-Id"] == acme.client_id
    assert response.headers["X-Portal-Remaining"] == "0.000000000"
    assert ask(acme, query).status_code == 402
