"""A real nginx and a real Caddy, as documented, before a small upstream: what their clients see."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
import yaml

from organizations.models import Organization
from organizations.services import revoke_credential
from organizations.tenancy import system_scope
from tests.billing.spending import figures, limit_to, spend
from tests.gateways.running import DOCUMENTED, Gateway, Upstream
from tests.serving import Server
from tests.usage.factories import Tenant, make_tenant, record

pytestmark = pytest.mark.django_db(transaction=True)


@dataclass
class Site:
    """A gateway with Headroom behind it and an API behind that."""

    gateway: Gateway
    server: Server

    def call(self, tenant: Tenant | None, **headers: str) -> httpx.Response:
        """Call the API through the gateway."""
        key = {} if tenant is None else {"Authorization": f"Bearer {tenant.api.key}"}
        address = f"{self.gateway.url}/v1/chat?stream=true"
        return httpx.post(address, content=b"a body", headers={**key, **headers}, timeout=30)


@pytest.fixture(params=["nginx", "caddy"])
def site(
    request: pytest.FixtureRequest, tmp_path: Path, make_server: Callable[..., Server]
) -> Iterator[Site]:
    upstream = Upstream()
    server = make_server(env={"GATE_HOLD_WITHOUT_ESTIMATE": "0.25"})
    with Gateway(request.param, tmp_path, headroom=server.port, upstream=upstream.port) as gateway:
        yield Site(gateway, server)
    upstream.close()


@pytest.fixture
def acme(transactional_db: None) -> Tenant:
    return make_tenant("Acme", plan="pay-as-you-go")


def test_an_allowed_call_reaches_the_api_with_whose_it_is_and_what_it_settles(
    site: Site, acme: Tenant
) -> None:
    limit_to(acme, 10)
    response = site.call(acme)
    assert response.status_code == 200, response.text
    seen = response.json()
    assert (seen["path"], seen["body"]) == ("/v1/chat?stream=true", "a body")
    assert seen["headers"]["x-portal-client-id"] == acme.client_id
    assert figures(acme) == (0, 0.25, "open")
    acme.api.keep(record("a", cost="0.1", reservationId=seen["headers"]["x-portal-reservation-id"]))
    assert figures(acme) == (0.1, 0, "open")


def test_a_client_can_not_say_itself_what_only_the_gate_may(site: Site, acme: Tenant) -> None:
    forged = {"X-Portal-Client-Id": "cl_other", "X-Portal-Reservation-Id": "res_other"}
    seen = site.call(acme, **forged).json()["headers"]
    assert seen["x-portal-client-id"] == acme.client_id
    assert not seen.get("x-portal-reservation-id")


def test_a_paused_organization_gets_402_with_the_reason_and_when_to_come_back(
    site: Site, acme: Tenant
) -> None:
    limit_to(acme, 1)
    spend(acme, 1)
    response = site.call(acme)
    assert response.status_code == 402
    assert response.headers["Content-Type"] == "application/problem+json"
    assert (response.json()["status"], response.json()["code"]) == (402, "spend_limit_reached")
    assert 0 < int(response.headers["Retry-After"]) <= 7 * 24 * 3600 + 900


def test_too_many_calls_get_429_with_the_limit_and_when_to_come_back(site: Site, acme: Tenant) -> None:
    with system_scope():
        Organization.objects.filter(pk=acme.id).update(requests_per_minute=2)
    assert [site.call(acme).status_code for _ in range(2)] == [200, 200]
    response = site.call(acme)
    assert response.status_code == 429
    assert response.json()["code"] == "rate_limited"
    assert 0 < int(response.headers["Retry-After"]) <= 60
    assert response.headers["RateLimit-Policy"] == '"permin";q=2;w=60'


def test_a_bad_key_and_none_get_401_with_the_challenge(site: Site, acme: Tenant) -> None:
    bad = site.call(None, Authorization="Bearer hr_" + "0" * 36)
    assert (bad.status_code, bad.json()["code"]) == (401, "invalid_key")
    none = site.call(None)
    assert (none.status_code, none.json()["code"]) == (401, "unauthorized")
    for response in (bad, none):
        assert response.headers.get_list("WWW-Authenticate")[0].startswith("Bearer")
        assert len(response.headers.get_list("WWW-Authenticate")) == 1


def test_a_revoked_key_and_a_plan_without_api_access_get_403(site: Site, acme: Tenant) -> None:
    free = make_tenant("Globex", plan="free")
    refused = site.call(free)
    assert (refused.status_code, refused.json()["code"]) == (403, "plan_required")
    revoke_credential(organization_id=acme.id, client_id=acme.client_id)
    refused = site.call(acme)
    assert (refused.status_code, refused.json()["code"]) == (403, "credential_revoked")


def test_without_headroom_nothing_goes_through(site: Site, acme: Tenant) -> None:
    assert site.call(acme).status_code == 200
    site.server.kill()
    assert site.call(acme).status_code in (500, 502)


@pytest.mark.parametrize(
    ("file", "path"), [("traefik.yaml", "/api/v1/gateway/forward"), ("envoy.yaml", "/api/v1/gateway/envoy")]
)
def test_the_other_gateways_configurations_are_yaml_and_name_the_gate(file: str, path: str) -> None:
    text = (DOCUMENTED / file).read_text()
    assert isinstance(yaml.safe_load(text), dict)
    assert path in text
