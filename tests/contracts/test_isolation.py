"""Two organizations with identical data never see each other's, on any route and through any model."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from django.apps import apps
from django.db import connection, models, transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from billing.services.reservations import format_reservation
from organizations.models import Membership, Organization, User
from organizations.tenancy import system_scope, tenant_scope
from tests.alerts.reports.reporting import make_report
from tests.alerts.rules.ruling import make_rule
from tests.alerts.telling import delivery, fire, mailbox
from tests.billing.invoices.months_of_use import issue
from tests.billing.spending import hold, limit_to
from tests.usage.exports import support
from tests.usage.factories import Tenant, make_tenant
from tests.usage.imports.jobs.support import upload
from usage import partitions
from usage.models import Record
from usage.rollups.fold import fold_pending

pytestmark = pytest.mark.django_db

NAMES = ("acme", "globex")
OF_NOBODY = {"schema", "docs", "problems"}
"""Routes that answer the same to everybody."""
OF_ONESELF = ("account", "mfa_", "usersessions_", "socialaccount_", "openid_connect_")
"""How the names of routes begin that are about the person, of whatever organization."""

Ask = Callable[[Client, "Side", "Side"], Any]


@dataclass(frozen=True)
class Side:
    """One of the two organizations, its owner's session, and all that must not be seen from the other."""

    tenant: Tenant
    session: Client
    marks: tuple[str, ...]
    export: str
    reservation: str
    invoice: str
    channel: str
    event: str
    delivery: str
    rule: str
    report: str
    file: str


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
    limit_to(tenant, 10)
    reservation = format_reservation(hold(tenant, 1))
    invoice = issue(tenant).invoice.reference
    channel = mailbox(tenant, f"ops@of-{name}.example")
    rule = make_rule(tenant, name=f"Rule of-{name}", channels=[channel.pk])
    event = fire(tenant, metric=f"metric-of-{name}", message=f"Something of-{name}.")
    assert event is not None
    told = delivery(tenant)
    report = make_report(tenant, name=f"Report of-{name}", members=[owner.email], channels=[channel.pk])
    file = upload(tenant, "type\nchat\n", f"file-of-{name}.csv")
    ids = (
        export,
        reservation,
        invoice,
        *(str(made.pk) for made in (channel, event, told, rule, report, file)),
    )
    return Side(tenant, session, (*marks, *ids), *ids)


def _get(path: str) -> Ask:
    return lambda client, own, other: client.get(path)


def _owner_of(side: Side) -> int:
    with system_scope():
        return User.objects.values_list("pk", flat=True).get(
            memberships__role="owner", memberships__organization=side.tenant.organization
        )


BUSY = {"name": "Busy", "metric": "requests", "condition": "above", "window": "1h", "threshold": "10"}


def _address_of(side: Side) -> str:
    return User.objects.get(pk=_owner_of(side)).email


# How each route is asked, as its own organization and after what is the other's.
ROUTES: dict[str, list[Ask]] = {
    "authorize": [
        lambda c, own, other: c.post("/api/v1/authorize", {"estimatedCost": "1"}, "application/json"),
        lambda c, own, other: c.post(
            "/api/v1/authorize", {"clientId": other.tenant.client_id}, "application/json"
        ),
    ],
    # Only keys come by a gateway.
    **{
        name: [_get(f"/api/v1/gateway/{path}")]
        for name, path in {
            "gateway-forward": "forward",
            "gateway-envoy": "envoy/",
            "gateway-envoy-path": "envoy/of/anything",
            "gateway-nginx": "nginx",
        }.items()
    },
    "spend-limit": [
        _get("/api/v1/spend-limit"),
        lambda c, own, other: c.get(f"/api/v1/spend-limit?clientId={other.tenant.client_id}"),
        lambda c, own, other: c.put(
            f"/api/v1/spend-limit?clientId={other.tenant.client_id}", {"limit": "1"}, "application/json"
        ),
        lambda c, own, other: c.delete(f"/api/v1/spend-limit?clientId={other.tenant.client_id}"),
    ],
    "spend-limits": [_get("/api/v1/spend-limits")],
    "spend-limit-decisions": [
        _get("/api/v1/spend-limit/decisions"),
        lambda c, own, other: c.get(f"/api/v1/spend-limit/decisions?clientId={other.tenant.client_id}"),
    ],
    "spend-limit-replay": [
        _get("/api/v1/spend-limit/replay?limit=1"),
        lambda c, own, other: c.get(f"/api/v1/spend-limit/replay?limit=1&clientId={other.tenant.client_id}"),
    ],
    "reservations": [
        _get("/api/v1/reservations"),
        lambda c, own, other: c.get(f"/api/v1/reservations?clientId={other.tenant.client_id}"),
    ],
    "reservation": [
        lambda c, own, other: c.get(f"/api/v1/reservations/{own.reservation}"),
        lambda c, own, other: c.get(f"/api/v1/reservations/{other.reservation}"),
        lambda c, own, other: c.delete(f"/api/v1/reservations/{other.reservation}"),
    ],
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
    "metrics": [_get("/api/v1/metrics")],
    "usage-forecast": [
        _get("/api/v1/usage/forecast"),
        _get("/api/v1/usage/forecast?metrics=meterOfGlobex"),
        lambda c, own, other: c.get(f"/api/v1/usage/forecast?clientId={other.tenant.client_id}"),
    ],
    "costs": [
        _get("/api/v1/costs"),
        lambda c, own, other: c.get(f"/api/v1/costs?clientId={other.tenant.client_id}"),
    ],
    "costs-compare": [_get("/api/v1/costs/compare?model=gpt-4o&ofModel=model-of-globex")],
    "record-cost": [_get("/api/v1/costs/records/call-1")],
    "prices": [_get("/api/v1/prices")],
    "plan": [_get("/api/v1/plan")],
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
    "credits": [_get("/api/v1/credits")],
    "credit-transactions": [_get("/api/v1/credits/transactions")],
    "invoices": [_get("/api/v1/invoices")],
    "invoice": [
        lambda c, own, other: c.get(f"/api/v1/invoices/{own.invoice}"),
        lambda c, own, other: c.get(f"/api/v1/invoices/{other.invoice}"),
        lambda c, own, other: c.get(
            f"/api/v1/invoices/{other.invoice}", headers={"Accept": "application/pdf"}
        ),
    ],
    "alert-rules": [
        _get("/api/v1/alerts/rules"),
        lambda c, own, other: c.post(
            "/api/v1/alerts/rules", {**BUSY, "channels": [other.channel]}, "application/json"
        ),
        lambda c, own, other: c.post(
            "/api/v1/alerts/rules",
            {**BUSY, "scope": {"kind": "credential", "value": other.tenant.client_id}},
            "application/json",
        ),
    ],
    "alert-rule": [
        lambda c, own, other: c.get(f"/api/v1/alerts/rules/{own.rule}"),
        lambda c, own, other: c.get(f"/api/v1/alerts/rules/{other.rule}"),
        lambda c, own, other: c.patch(
            f"/api/v1/alerts/rules/{other.rule}", {"enabled": False}, "application/json"
        ),
        lambda c, own, other: c.delete(f"/api/v1/alerts/rules/{other.rule}"),
    ],
    "alert-channels": [
        _get("/api/v1/alerts/channels"),
        lambda c, own, other: c.post(
            "/api/v1/alerts/channels",
            {"kind": "email", "name": "x", "address": "x@example.com"},
            "application/json",
        ),
    ],
    "alert-channel": [
        lambda c, own, other: c.get(f"/api/v1/alerts/channels/{own.channel}"),
        lambda c, own, other: c.get(f"/api/v1/alerts/channels/{other.channel}"),
        lambda c, own, other: c.patch(
            f"/api/v1/alerts/channels/{other.channel}", {"enabled": False}, "application/json"
        ),
        lambda c, own, other: c.delete(f"/api/v1/alerts/channels/{other.channel}"),
    ],
    "alert-channel-test": [lambda c, own, other: c.post(f"/api/v1/alerts/channels/{other.channel}/test")],
    "alert-channel-confirmation": [
        lambda c, own, other: c.post(f"/api/v1/alerts/channels/{other.channel}/confirmation")
    ],
    "alert-channel-rotate": [lambda c, own, other: c.post(f"/api/v1/alerts/channels/{other.channel}/rotate")],
    "alert-reports": [
        _get("/api/v1/alerts/reports"),
        lambda c, own, other: c.post(
            "/api/v1/alerts/reports",
            {"name": "x", "cadence": "weekly", "members": [_address_of(other)], "channels": [other.channel]},
            "application/json",
        ),
    ],
    "alert-report": [
        lambda c, own, other: c.get(f"/api/v1/alerts/reports/{own.report}"),
        lambda c, own, other: c.get(f"/api/v1/alerts/reports/{other.report}"),
        lambda c, own, other: c.patch(
            f"/api/v1/alerts/reports/{own.report}", {"channels": [other.channel]}, "application/json"
        ),
        lambda c, own, other: c.patch(
            f"/api/v1/alerts/reports/{other.report}", {"enabled": False}, "application/json"
        ),
        lambda c, own, other: c.delete(f"/api/v1/alerts/reports/{other.report}"),
    ],
    "alert-report-test": [
        lambda c, own, other: c.post(f"/api/v1/alerts/reports/{other.report}/test"),
        lambda c, own, other: c.post(
            f"/api/v1/alerts/reports/{own.report}/test", {"channel": other.channel}, "application/json"
        ),
    ],
    "alert-events": [_get("/api/v1/alerts/events"), _get("/api/v1/alerts/events?metric=metric-of-globex")],
    "alert-event": [
        lambda c, own, other: c.get(f"/api/v1/alerts/events/{own.event}"),
        lambda c, own, other: c.get(f"/api/v1/alerts/events/{other.event}"),
    ],
    "alert-deliveries": [
        _get("/api/v1/alerts/deliveries"),
        lambda c, own, other: c.get(f"/api/v1/alerts/deliveries?channel={other.channel}"),
    ],
    "alert-delivery": [
        lambda c, own, other: c.get(f"/api/v1/alerts/deliveries/{own.delivery}"),
        lambda c, own, other: c.get(f"/api/v1/alerts/deliveries/{other.delivery}"),
    ],
    "portal:overview": [_get("/"), _get("/?organization=globex")],
    "portal:usage": [
        _get("/usage/"),
        _get("/usage/?view=cost&model=model-of-globex"),
        lambda c, own, other: c.get(f"/usage/?clientId={other.tenant.client_id}"),
    ],
    "portal:logs": [
        _get("/logs/"),
        _get("/logs/?meta[team]=team-of-globex&model=model-of-globex"),
        lambda c, own, other: c.get(f"/logs/?clientId={other.tenant.client_id}"),
    ],
    "portal:record": [_get("/logs/call-1/"), _get("/logs/call-1/?organization=globex")],
    "portal:models": [_get("/models/"), _get("/models/?model=model-of-globex")],
    "portal:keys": [_get("/keys/"), _get("/keys/?timeframe=24h")],
    "portal:key-new": [
        _get("/keys/new/"),
        lambda c, own, other: c.post("/keys/new/?organization=globex", {"name": "x"}),
    ],
    "portal:key": [
        lambda c, own, other: c.get(f"/keys/{own.tenant.client_id}/"),
        lambda c, own, other: c.get(f"/keys/{other.tenant.client_id}/"),
    ],
    "portal:key-rotate": [lambda c, own, other: c.post(f"/keys/{other.tenant.client_id}/rotate/")],
    "portal:key-revoke": [lambda c, own, other: c.post(f"/keys/{other.tenant.client_id}/revoke/")],
    "portal:exports": [
        _get("/exports/"),
        _get("/exports/?order=asc"),
        lambda c, own, other: c.post("/exports/?organization=globex", {"dataset": "daily", "format": "csv"}),
    ],
    "portal:export-file": [lambda c, own, other: c.get(f"/exports/{other.export}/file/")],
    "portal:imports": [
        _get("/imports/"),
        _get("/imports/?order=asc"),
        _get("/imports/?organization=globex"),
    ],
    "portal:import": [
        lambda c, own, other: c.get(f"/imports/{own.file}/"),
        lambda c, own, other: c.get(f"/imports/{other.file}/"),
        lambda c, own, other: c.post(
            f"/imports/{other.file}/", {"type": "x", "timezone": "UTC", "start": "1"}
        ),
        lambda c, own, other: c.post(
            f"/imports/{own.file}/", {"type": "x", "timezone": "UTC", "client_id": other.tenant.client_id}
        ),
    ],
    "portal:import-cancel": [lambda c, own, other: c.post(f"/imports/{other.file}/cancel/")],
    "portal:import-refused": [
        lambda c, own, other: c.get(f"/imports/{own.file}/refused/"),
        lambda c, own, other: c.get(f"/imports/{other.file}/refused/"),
    ],
    "portal:report-new": [
        _get("/exports/reports/new/"),
        lambda c, own, other: c.post(
            "/exports/reports/new/",
            {"name": "x", "cadence": "weekly", "hour": 8, "channels": [other.channel]},
        ),
    ],
    "portal:report": [
        lambda c, own, other: c.get(f"/exports/reports/{own.report}/"),
        lambda c, own, other: c.get(f"/exports/reports/{other.report}/"),
    ],
    "portal:alert-mails": [lambda c, own, other: c.post("/exports/alert-mails/?organization=globex")],
    "portal:report-send": [lambda c, own, other: c.post(f"/exports/reports/{other.report}/send/")],
    "portal:report-end": [lambda c, own, other: c.post(f"/exports/reports/{other.report}/end/")],
    "portal:report-subscription": [
        lambda c, own, other: c.post(f"/exports/reports/{other.report}/subscription/")
    ],
    "portal:what-if": [_get("/models/what-if/"), _get("/models/what-if/?compare=model-of-globex")],
    "portal:costs": [
        _get("/costs/"),
        lambda c, own, other: c.get(f"/costs/?clientId={other.tenant.client_id}"),
    ],
    "portal:costs-forecast": [_get("/costs/forecast/"), _get("/costs/forecast/?organization=globex")],
    "portal:costs-repricing": [_get("/costs/repricing/"), _get("/costs/repricing/?organization=globex")],
    "portal:limits": [_get("/limits/"), _get("/limits/?organization=globex")],
    "portal:limit-set": [
        lambda c, own, other: c.get(f"/limits/set/?clientId={other.tenant.client_id}"),
        lambda c, own, other: c.post(
            f"/limits/set/?clientId={other.tenant.client_id}",
            {"limit": "1", "window": "week", "warnAt": "50", "enforcement": "warn"},
        ),
    ],
    "portal:limit-remove": [
        lambda c, own, other: c.post(f"/limits/remove/?clientId={other.tenant.client_id}")
    ],
    "portal:limit-history": [
        _get("/limits/history/"),
        _get("/limits/history/?order=asc"),
        lambda c, own, other: c.get(f"/limits/history/?clientId={other.tenant.client_id}"),
    ],
    "portal:limit-trial": [
        _get("/limits/trial/?limit=1"),
        lambda c, own, other: c.get(f"/limits/trial/?limit=1&clientId={other.tenant.client_id}"),
    ],
    "portal:billing": [_get("/billing/"), _get("/billing/?organization=globex")],
    "portal:prices": [_get("/prices/"), _get("/prices/?search=model-of-globex")],
    "portal:credits": [
        _get("/credits/"),
        _get("/credits/?transactions=asc"),
        _get("/credits/?organization=globex"),
    ],
    "portal:invoices": [_get("/invoices/"), _get("/invoices/?organization=globex")],
    "portal:invoice": [
        lambda c, own, other: c.get(f"/invoices/{own.invoice}/"),
        lambda c, own, other: c.get(f"/invoices/{other.invoice}/"),
    ],
    "portal:invoice-file": [lambda c, own, other: c.get(f"/invoices/{other.invoice}/pdf/")],
    "portal:organizations": [_get("/organizations/"), _get("/organizations/?organization=globex")],
    "portal:alerts": [
        _get("/alerts/"),
        _get("/alerts/?order=asc"),
        _get("/alerts/?organization=globex"),
    ],
    "portal:alert": [
        lambda c, own, other: c.get(f"/alerts/events/{own.event}/"),
        lambda c, own, other: c.get(f"/alerts/events/{other.event}/"),
    ],
    "portal:rules": [_get("/alerts/rules/"), _get("/alerts/rules/?organization=globex")],
    "portal:rule-new": [_get("/alerts/rules/new/"), _get("/alerts/rules/new/?organization=globex")],
    "portal:rule": [
        lambda c, own, other: c.get(f"/alerts/rules/{own.rule}/"),
        lambda c, own, other: c.get(f"/alerts/rules/{other.rule}/"),
    ],
    "portal:rule-change": [
        lambda c, own, other: c.post(f"/alerts/rules/{other.rule}/change/", {"name": "Renamed"})
    ],
    "portal:rule-switch": [
        lambda c, own, other: c.post(f"/alerts/rules/{other.rule}/switch/", {"enabled": "off"})
    ],
    "portal:rule-remove": [lambda c, own, other: c.post(f"/alerts/rules/{other.rule}/remove/")],
    "portal:channels": [_get("/alerts/channels/"), _get("/alerts/channels/?organization=globex")],
    "portal:channel-new": [
        lambda c, own, other: c.post(
            "/alerts/channels/new/?organization=globex&kind=webhook",
            {"name": "Another", "target": "https://hooks.example.com/"},
        )
    ],
    "portal:channel": [
        lambda c, own, other: c.get(f"/alerts/channels/{own.channel}/"),
        lambda c, own, other: c.get(f"/alerts/channels/{other.channel}/"),
    ],
    "portal:channel-change": [
        lambda c, own, other: c.post(f"/alerts/channels/{other.channel}/change/", {"name": "Renamed"})
    ],
    "portal:channel-test": [lambda c, own, other: c.post(f"/alerts/channels/{other.channel}/test/")],
    "portal:channel-switch": [
        lambda c, own, other: c.post(f"/alerts/channels/{other.channel}/switch/", {"enabled": "off"})
    ],
    "portal:channel-confirm": [lambda c, own, other: c.post(f"/alerts/channels/{other.channel}/confirm/")],
    "portal:channel-rotate": [lambda c, own, other: c.post(f"/alerts/channels/{other.channel}/rotate/")],
    "portal:channel-remove": [lambda c, own, other: c.post(f"/alerts/channels/{other.channel}/remove/")],
    "portal:deliveries": [
        _get("/alerts/deliveries/"),
        _get("/alerts/deliveries/?order=asc"),
        lambda c, own, other: c.get(f"/alerts/deliveries/?channel={other.channel}"),
    ],
    "portal:delivery": [
        lambda c, own, other: c.get(f"/alerts/deliveries/{own.delivery}/"),
        lambda c, own, other: c.get(f"/alerts/deliveries/{other.delivery}/"),
    ],
    "portal:delivery-again": [lambda c, own, other: c.post(f"/alerts/deliveries/{other.delivery}/again/")],
    "portal:reference": [_get("/reference/")],
    "portal:settings": [
        _get("/settings/"),
        lambda c, own, other: c.post("/settings/?organization=globex", {"name": "x", "timezone": "UTC"}),
    ],
    "portal:members": [_get("/settings/members/"), _get("/settings/members/?organization=globex")],
    "portal:invite": [
        lambda c, own, other: c.post(
            "/settings/members/invite/?organization=globex", {"email": "a@b.example"}
        )
    ],
    "portal:withdraw": [lambda c, own, other: c.post("/settings/members/withdraw/1/?organization=globex")],
    "portal:role": [
        lambda c, own, other: c.post(f"/settings/members/{_owner_of(other)}/role/", {"role": "analyst"})
    ],
    "portal:remove": [lambda c, own, other: c.post(f"/settings/members/{_owner_of(other)}/remove/")],
    "portal:webhooks": [_get("/settings/webhooks/"), _get("/settings/webhooks/?organization=globex")],
    "portal:audit": [
        _get("/settings/audit/"),
        _get("/settings/audit/?order=asc"),
        _get("/settings/audit/?organization=globex"),
    ],
    "portal:unsubscribe": [_get("/unsubscribe/no-such-token/")],
    "portal:confirm-address": [_get("/confirm-address/no-such-token/")],
    "portal:invitation": [_get("/invitations/no-such-token/")],
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
    about_organizations = {route for route in _routes() if not route.startswith(OF_ONESELF)}
    assert {route for route in about_organizations if route.rpartition(":")[2] not in OF_NOBODY} <= listed


@pytest.mark.parametrize("through", ["key", "session"])
def test_no_answer_shows_anything_of_the_other_organization(through: str, sides: tuple[Side, Side]) -> None:
    acme, globex = sides
    with_key = Client(headers={"authorization": f"Bearer {acme.tenant.api.key}"})
    wrong = []
    for route, asks in sorted(ROUTES.items()):
        with undone():
            for ask in asks:
                response = ask(with_key if through == "key" else acme.session, acme, globex)
                wrong += [(route, mark) for mark in _shown(response, globex)]
    assert wrong == []


@contextmanager
def undone() -> Iterator[None]:
    """Have what is written in between undone, so that each route finds both organizations as they were."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def _shown(response: Any, other: Side) -> list[str]:
    """Return what an answer shows of the other organization, or that it was none."""
    if response.status_code >= 500:
        return [f"answered {response.status_code}"]
    # What the request itself said may be repeated: the refusal names it.
    if response.status_code in (404, 422):
        return []
    sent = response.wsgi_request.get_full_path()
    shown = response.content.decode()
    return [mark for mark in other.marks if mark in shown and mark not in sent]


REQUESTS: dict[str, Callable[[Any], int]] = {
    "/usage": lambda body: body["requests"]["total"],
    "/usage/query": lambda body: sum(row["requests"] for row in body["rows"]),
    "/usage/keys": lambda body: body["usage"]["requests"],
    "/usage/models": lambda body: sum(row["requests"] for row in body["leaderboard"]),
}
"""Where answers of figures say how many requests there were."""


def test_figures_are_those_of_one_organization_alone(sides: tuple[Side, Side]) -> None:
    for side in sides:
        api = side.tenant.api
        found = {path: requests(api.get(path).body) for path, requests in REQUESTS.items()}
        assert found == dict.fromkeys(REQUESTS, 2)


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


def test_code_that_forgets_to_filter_sees_its_own_organization_alone(sides: tuple[Side, Side]) -> None:
    acme, _ = sides
    wrong = []
    for model in _tenant_models():
        owner = "id" if model is Organization else "organization_id"
        with tenant_scope(acme.tenant.id):
            seen = set(model._default_manager.values_list(owner, flat=True))
        outside = list(model._default_manager.all())
        if seen - {acme.tenant.id} or outside:
            wrong.append((model.__name__, seen, outside))
    assert wrong == []


TABLES = (
    "usage_record",
    "usage_record_key",
    "usage_pending",
    "usage_rollup_minute",
    "usage_rollup_quarter",
    "usage_rollup_day",
    "usage_meter_quarter",
    "usage_meter_day",
)
"""Tables of figures, most of them without a model."""


def test_plain_sql_that_forgets_to_filter_sees_its_own_organization_alone(sides: tuple[Side, Side]) -> None:
    acme, _ = sides
    for table in TABLES:
        with tenant_scope(acme.tenant.id), connection.cursor() as cursor:
            cursor.execute(f"SELECT DISTINCT organization_id FROM {table}")
            assert cursor.fetchall() == [(acme.tenant.id,)], table
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT count(*) FROM {table}")
            assert cursor.fetchone() == (0,), table
