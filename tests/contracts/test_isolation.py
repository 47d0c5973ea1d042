"""Two organizations with identical data never see each other's, on any route and through any model."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.apps import apps
from django.db import connection, models
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from organizations.models import Membership, Organization, User
from organizations.tenancy import system_scope, tenant_scope
from tests.usage.exports import support
from tests.usage.factories import Tenant, make_tenant
from usage import partitions
from usage.models import Record
from usage.rollups.fold import fold_pending

pytestmark = pytest.mark.django_db

NAMES = ("acme", "globex")
OF_NOBODY = {"schema", "docs", "problems", "sign-in", "sign-out"}
"""Routes that answer the same to everybody."""

Ask = Callable[[Client, "Side", "Side"], Any]


@dataclass(frozen=True)
class Side:
    """One of the two organizations, its owner's session, and all that must not be seen from the other."""

    tenant: Tenant
    session: Client
    marks: tuple[str, ...]
    export: str


def _record(name: str, number: int) -> dict[str, object]:
    return {
        "id": f"call-{number}",
        "type": "task.execution",
        "model": f"model-of-{name}",
        "endpoint": f"/of/{name}",
        "capability": f"capability-of-{name}",
        "provider": f"provider-of-{name}",
        "botId": "bot-1",
        "tokens": {"prompt": 10, "completion": 5},
        "quantities": {"pages": 2, f"meterOf{name.title()}": 1},
        "meta": {"team": f"team-of-{name}"},
    }


@pytest.fixture
def sides() -> tuple[Side, Side]:
    """Two organizations whose records have the same ids, times and numbers; some folded, some pending."""
    partitions.forget()
    tenants = [make_tenant(name.title(), plan="enterprise") for name in NAMES]
    for number in (1, 2):
        for name, tenant in zip(NAMES, tenants, strict=True):
            tenant.api.keep(_record(name, number))
        if number == 1:
            fold_pending()
    acme, globex = (_side(name, tenant) for name, tenant in zip(NAMES, tenants, strict=True))
    return acme, globex


def _side(name: str, tenant: Tenant) -> Side:
    with system_scope():
        owner = User.objects.get(memberships__organization=tenant.organization)
    session = Client()
    session.force_login(owner)
    marks = (
        tenant.client_id,
        owner.email,
        f"of-{name}",
        f"/of/{name}",
        f"meterOf{name.title()}",
        name.title(),
    )
    export = support.write(tenant, support.ask(tenant))["id"]
    return Side(tenant, session, (*marks, export), export)


def _get(path: str) -> Ask:
    return lambda client, own, other: client.get(path)


# How each route is asked, as its own organization and after what is the other's.
ROUTES: dict[str, list[Ask]] = {
    "keys": [
        _get("/api/v1/keys"),
        lambda c, own, other: c.post(
            "/api/v1/keys", {"name": "x", "scopes": ["usage:read"]}, "application/json"
        ),
    ],
    "key": [
        lambda c, own, other: c.get(f"/api/v1/keys/{own.tenant.client_id}"),
        lambda c, own, other: c.get(f"/api/v1/keys/{other.tenant.client_id}"),
        lambda c, own, other: c.delete(f"/api/v1/keys/{other.tenant.client_id}"),
    ],
    "key-rotate": [lambda c, own, other: c.post(f"/api/v1/keys/{other.tenant.client_id}/rotate")],
    "audit": [_get("/api/v1/audit?take=1000")],
    "records": [
        _get("/api/v1/records"),
        _get("/api/v1/records?botId=bot-1&meta[team]=team-of-globex"),
        _get("/api/v1/records?model=model-of-globex"),
        lambda c, own, other: c.get(f"/api/v1/records?clientId={other.tenant.client_id}"),
        lambda c, own, other: c.post(
            "/api/v1/records", {"type": "x", "clientId": other.tenant.client_id}, "application/json"
        ),
    ],
    "record": [_get("/api/v1/records/call-1")],
    "usage": [
        _get("/api/v1/usage"),
        lambda c, own, other: c.get(f"/api/v1/usage?clientId={other.tenant.client_id}"),
    ],
    "usage-series": [_get("/api/v1/usage/series")],
    "usage-query": [
        _get("/api/v1/usage/query?groupBy=clientId,model,endpoint,capability,provider&granularity=total"),
        _get("/api/v1/usage/query?groupBy=model"),
        _get("/api/v1/usage/query?model=model-of-globex&granularity=total"),
        lambda c, own, other: c.get(f"/api/v1/usage/query?clientId={other.tenant.client_id}"),
    ],
    "usage-keys": [
        _get("/api/v1/usage/keys"),
        lambda c, own, other: c.get(f"/api/v1/usage/keys?keyId={other.tenant.client_id}"),
    ],
    "usage-models": [_get("/api/v1/usage/models")],
    "usage-capabilities": [_get("/api/v1/usage/capabilities")],
    "exports": [
        _get("/api/v1/exports"),
        lambda c, own, other: c.post(
            "/api/v1/exports", {"dataset": "daily", "format": "csv"}, "application/json"
        ),
    ],
    "export": [
        lambda c, own, other: c.get(f"/api/v1/exports/{own.export}"),
        lambda c, own, other: c.get(f"/api/v1/exports/{other.export}"),
    ],
    "export-file": [lambda c, own, other: c.get(f"/api/v1/exports/{other.export}/file")],
    "portal:overview": [_get("/"), _get("/?organization=globex")],
    "portal:first-key": [lambda c, own, other: c.post("/first-key/?organization=globex")],
}


def _routes() -> Iterator[str]:
    def walk(patterns: list[URLPattern | URLResolver], space: str) -> Iterator[str]:
        for pattern in patterns:
            if isinstance(pattern, URLResolver):
                if pattern.app_name != "admin":
                    inner = f"{space}{pattern.namespace}:" if pattern.namespace else space
                    yield from walk(pattern.url_patterns, inner)
            else:
                yield f"{space}{pattern.name}"

    return walk(get_resolver().url_patterns, "")


def test_every_route_is_asked_for_what_is_anothers() -> None:
    listed = ROUTES.keys() | OF_NOBODY
    assert {route for route in _routes() if route.rpartition(":")[2] not in OF_NOBODY} <= listed


@pytest.mark.parametrize("route", sorted(ROUTES))
@pytest.mark.parametrize("through", ["key", "session"])
def test_no_answer_shows_anything_of_the_other_organization(
    route: str, through: str, sides: tuple[Side, Side]
) -> None:
    acme, globex = sides
    with_key = Client(headers={"authorization": f"Bearer {acme.tenant.api.key}"})
    for ask in ROUTES[route]:
        response = ask(with_key if through == "key" else acme.session, acme, globex)
        assert response.status_code < 500
        sent = response.wsgi_request.get_full_path()
        shown = response.content.decode()
        for mark in globex.marks:
            # What the request itself said may be repeated: the refusal names it.
            assert mark in sent or mark not in shown or response.status_code in (404, 422), (route, mark)


@pytest.mark.parametrize("route", ["usage", "usage-query", "usage-keys", "usage-models"])
def test_figures_are_those_of_one_organization_alone(route: str, sides: tuple[Side, Side]) -> None:
    acme, globex = sides
    mine, theirs = (side.tenant.api for side in (acme, globex))
    path = {
        "usage": "/usage",
        "usage-query": "/usage/query",
        "usage-keys": "/usage/keys",
        "usage-models": "/usage/models",
    }[route]
    readers: dict[str, Callable[[Any], int]] = {
        "usage": lambda body: body["requests"]["total"],
        "usage-query": lambda body: sum(row["requests"] for row in body["rows"]),
        "usage-keys": lambda body: body["usage"]["requests"],
        "usage-models": lambda body: sum(row["requests"] for row in body["leaderboard"]),
    }
    requests = readers[route]
    assert [requests(mine.get(path).body), requests(theirs.get(path).body)] == [2, 2]


def test_what_was_asked_of_the_other_organization_changed_nothing_there(sides: tuple[Side, Side]) -> None:
    acme, globex = sides
    for asks in ROUTES.values():
        for ask in asks:
            ask(Client(headers={"authorization": f"Bearer {acme.tenant.api.key}"}), acme, globex)
            ask(acme.session, acme, globex)
    assert globex.tenant.api.get("/usage").body["requests"]["total"] == 2
    keys = globex.tenant.api.get("/keys").body["items"]
    assert [(key["clientId"], key["revokedAt"]) for key in keys] == [(globex.tenant.client_id, None)]


def _tenant_models() -> list[type[models.Model]]:
    found = [
        model
        for model in apps.get_models(include_auto_created=True)
        if any(field.column == "organization_id" for field in model._meta.concrete_fields)
    ]
    return [Organization, *found]


def test_there_are_models_of_tenants_to_try() -> None:
    assert {Organization, Membership, Record} <= set(_tenant_models())


@pytest.mark.parametrize("model", _tenant_models(), ids=lambda model: model.__name__)
def test_code_that_forgets_to_filter_sees_its_own_organization_alone(
    model: type[models.Model], sides: tuple[Side, Side]
) -> None:
    acme, _ = sides
    owner = "id" if model is Organization else "organization_id"
    with tenant_scope(acme.tenant.id):
        seen = set(model._default_manager.values_list(owner, flat=True))
    assert seen <= {acme.tenant.id}
    assert list(model._default_manager.all()) == []


@pytest.mark.parametrize(
    "table",
    [
        "usage_record",
        "usage_record_key",
        "usage_pending",
        "usage_rollup_minute",
        "usage_rollup_quarter",
        "usage_rollup_day",
        "usage_meter_quarter",
        "usage_meter_day",
    ],
)
def test_plain_sql_that_forgets_to_filter_sees_its_own_organization_alone(
    table: str, sides: tuple[Side, Side]
) -> None:
    acme, _ = sides
    with tenant_scope(acme.tenant.id), connection.cursor() as cursor:
        cursor.execute(f"SELECT DISTINCT organization_id FROM {table}")
        assert cursor.fetchall() == [(acme.tenant.id,)]
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {table}")
        assert cursor.fetchone() == (0,)
