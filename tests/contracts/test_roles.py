"""Which role may call which route with which method, in one table; a route that isn't in it fails.

These are the pages and the API; `test_routes` has every other address, and those who are no members.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any, Final

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from organizations.roles import Role
from portal import pages, registry
from tests.portal.pages import sign_in
from tests.usage.factories import Tenant, make_tenant, record
from usage import partitions

pytestmark = pytest.mark.django_db

assert pages.__all__

EVERYBODY: Final = frozenset(Role.values)
MANAGERS: Final = frozenset({"owner", "admin"})
MAKERS: Final = frozenset({"owner", "admin", "developer"})
SETTERS: Final = frozenset({"owner", "admin", "billing"})
READERS_OF_COSTS: Final = frozenset({"owner", "admin", "billing", "analyst"})
ID: Final = "00000000-0000-0000-0000-000000000000"

PAGES: Final[dict[str, dict[str, frozenset[str]]]] = {
    "overview": {"GET": EVERYBODY},
    "first-key": {"POST": MAKERS},
    "usage": {"GET": EVERYBODY},
    "models": {"GET": EVERYBODY},
    "logs": {"GET": EVERYBODY},
    "record": {"GET": EVERYBODY},
    "keys": {"GET": EVERYBODY},
    "key-new": {"GET": MAKERS, "POST": MAKERS},
    "key": {"GET": EVERYBODY},
    "key-rotate": {"POST": MAKERS},
    "key-revoke": {"POST": MAKERS},
    "exports": {"GET": EVERYBODY, "POST": EVERYBODY},
    "export-file": {"GET": EVERYBODY},
    "imports": {"GET": MANAGERS, "POST": MANAGERS},
    "import": {"GET": MANAGERS, "POST": MANAGERS},
    "import-cancel": {"POST": MANAGERS},
    "import-refused": {"GET": MANAGERS},
    "report-new": {"GET": MANAGERS, "POST": MANAGERS},
    "report": {"GET": MANAGERS, "POST": MANAGERS},
    "report-send": {"POST": MANAGERS},
    "report-end": {"POST": MANAGERS},
    "report-subscription": {"POST": EVERYBODY},
    "alert-mails": {"POST": EVERYBODY},
    "reference": {"GET": EVERYBODY},
    "settings": {"GET": MANAGERS, "POST": MANAGERS},
    "members": {"GET": MANAGERS},
    "invite": {"POST": MANAGERS},
    "withdraw": {"POST": MANAGERS},
    "role": {"POST": MANAGERS},
    "remove": {"POST": MANAGERS},
    "webhooks": {"GET": MANAGERS},
    "audit": {"GET": MANAGERS},
    "costs": {"GET": READERS_OF_COSTS},
    "costs-forecast": {"GET": READERS_OF_COSTS},
    "costs-repricing": {"GET": READERS_OF_COSTS},
    "billing": {"GET": READERS_OF_COSTS},
    "prices": {"GET": READERS_OF_COSTS},
    "what-if": {"GET": READERS_OF_COSTS},
    "limits": {"GET": READERS_OF_COSTS},
    "limit-set": {"GET": SETTERS, "POST": SETTERS},
    "limit-remove": {"POST": SETTERS},
    "limit-history": {"GET": READERS_OF_COSTS},
    "limit-trial": {"GET": READERS_OF_COSTS},
    "credits": {"GET": READERS_OF_COSTS},
    "invoices": {"GET": READERS_OF_COSTS},
    "invoice": {"GET": READERS_OF_COSTS},
    "invoice-file": {"GET": READERS_OF_COSTS},
    "organizations": {"GET": EVERYBODY},
    "alerts": {"GET": EVERYBODY},
    "alert": {"GET": EVERYBODY},
    "rules": {"GET": EVERYBODY},
    "rule-new": {"GET": MANAGERS, "POST": MANAGERS},
    "rule": {"GET": EVERYBODY},
    "rule-change": {"POST": MANAGERS},
    "rule-switch": {"POST": MANAGERS},
    "rule-remove": {"POST": MANAGERS},
    "channels": {"GET": EVERYBODY},
    "channel-new": {"GET": MANAGERS, "POST": MANAGERS},
    "channel": {"GET": EVERYBODY},
    "channel-change": {"POST": MANAGERS},
    "channel-test": {"POST": MANAGERS},
    "channel-switch": {"POST": MANAGERS},
    "channel-confirm": {"POST": MANAGERS},
    "channel-rotate": {"POST": MANAGERS},
    "channel-remove": {"POST": MANAGERS},
    "deliveries": {"GET": MANAGERS},
    "delivery": {"GET": MANAGERS},
    "delivery-again": {"POST": MANAGERS},
}
"""The portal's pages: the roles that a method is open to; every other method is nobody's."""

METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE")
PLACES: Final = {
    "<slug:client_id>": "cl_00000000000000000000",
    "<path:record_id>": "no-such-record",
    "<uuid:export_id>": ID,
    "<uuid:import_id>": ID,
    "<uuid:channel_id>": ID,
    "<uuid:report_id>": ID,
    "<uuid:event_id>": ID,
    "<uuid:rule_id>": ID,
    "<uuid:delivery_id>": ID,
    "<int:invitation>": "1",
    "<int:member>": "1",
    "<str:reference>": "1",
}


@pytest.fixture(autouse=True)
def _fresh(settings: Any) -> Iterator[None]:
    partitions.forget()
    cache.clear()
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    # Most answers here are refusals, and writing each to the log would take longer than the answer.
    logging.disable(logging.ERROR)
    yield
    logging.disable(logging.NOTSET)


@pytest.fixture
def acme() -> Tenant:
    """An organization with a record."""
    tenant = make_tenant("Acme")
    tenant.api.keep(record("one"))
    return tenant


@pytest.fixture
def sessions(acme: Tenant) -> dict[str, Client]:
    """A session of somebody of each role."""
    return {role: sign_in(acme, role) for role in Role.values}


def portal_routes() -> Iterator[tuple[str, str]]:
    """Yield the name and the address of each page."""
    for pattern in registry.patterns():
        path = f"/{pattern.pattern}"
        for place, value in PLACES.items():
            path = path.replace(place, value)
        assert "<" not in path, path
        yield pattern.name or "", path


def test_every_page_is_in_the_table() -> None:
    assert {name for name, _ in portal_routes()} == PAGES.keys()


@pytest.mark.parametrize("method", METHODS)
def test_pages_are_open_to_the_roles_of_the_table(sessions: dict[str, Client], method: str) -> None:
    wrong = []
    for name, path in portal_routes():
        allowed = PAGES[name].get(method)
        for role, client in sessions.items():
            status = getattr(client, method.lower())(path).status_code
            expected = status == 405 if allowed is None else (status != 403) is (role in allowed)
            if not expected or status >= 500:
                wrong.append((name, method, role, status))
    assert wrong == []


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_strangers_are_asked_to_sign_in(acme: Tenant, client: Client, method: str) -> None:
    for name, path in portal_routes():
        if name in PAGES and method in PAGES[name]:
            answer = getattr(client, method.lower())(path)
            assert answer["Location"].startswith("/sign-in/?next="), name


def test_the_menu_leads_where_the_role_may_go_and_nowhere_else(sessions: dict[str, Client]) -> None:
    for role, client in sessions.items():
        links = [link for section in client.get("/").context["layout"].navigation for link in section.links]
        assert [link.url for link in links if client.get(link.url).status_code != 200] == []
        shown = {link.label for link in links}
        hidden = [entry for entry in registry.menu() if entry.label not in shown]
        for entry in hidden:
            assert client.get(f"/{entry.path}").status_code == 403, (role, entry.name)


API: Final[dict[str, dict[str, frozenset[str]]]] = {
    "keys": {"GET": MAKERS, "POST": MAKERS},
    "key": {"GET": MAKERS, "DELETE": MAKERS},
    "key-rotate": {"POST": MAKERS},
    "audit": {"GET": MANAGERS},
    "records": {"GET": EVERYBODY, "POST": MANAGERS},
    "record": {"GET": EVERYBODY},
    "usage": {"GET": EVERYBODY},
    "usage-series": {"GET": EVERYBODY},
    "usage-query": {"GET": EVERYBODY},
    "usage-keys": {"GET": EVERYBODY},
    "usage-models": {"GET": EVERYBODY},
    "usage-capabilities": {"GET": EVERYBODY},
    "usage-forecast": {"GET": EVERYBODY},
    "exports": {"GET": EVERYBODY, "POST": EVERYBODY},
    "export": {"GET": EVERYBODY},
    "export-file": {"GET": EVERYBODY},
    "metrics": {"GET": EVERYBODY},
    "spend-limit": {"GET": READERS_OF_COSTS, "PUT": SETTERS, "DELETE": SETTERS},
    "spend-limits": {"GET": READERS_OF_COSTS},
    "spend-limit-decisions": {"GET": READERS_OF_COSTS},
    "spend-limit-replay": {"GET": READERS_OF_COSTS},
    "reservations": {"GET": READERS_OF_COSTS},
    "reservation": {"GET": READERS_OF_COSTS, "DELETE": SETTERS},
    "authorize": {"POST": READERS_OF_COSTS},
    "costs": {"GET": READERS_OF_COSTS},
    "costs-compare": {"GET": READERS_OF_COSTS},
    "record-cost": {"GET": READERS_OF_COSTS},
    "prices": {"GET": READERS_OF_COSTS},
    "plan": {"GET": READERS_OF_COSTS},
    "credits": {"GET": READERS_OF_COSTS},
    "credit-transactions": {"GET": READERS_OF_COSTS},
    "invoices": {"GET": READERS_OF_COSTS},
    "invoice": {"GET": READERS_OF_COSTS},
    "alert-rules": {"GET": EVERYBODY, "POST": MANAGERS},
    "alert-rule": {"GET": EVERYBODY, "PATCH": MANAGERS, "DELETE": MANAGERS},
    "alert-channels": {"GET": EVERYBODY, "POST": MANAGERS},
    "alert-channel": {"GET": EVERYBODY, "PATCH": MANAGERS, "DELETE": MANAGERS},
    "alert-channel-test": {"POST": MANAGERS},
    "alert-channel-confirmation": {"POST": MANAGERS},
    "alert-channel-rotate": {"POST": MANAGERS},
    "alert-reports": {"GET": MANAGERS, "POST": MANAGERS},
    "alert-report": {"GET": MANAGERS, "PATCH": MANAGERS, "DELETE": MANAGERS},
    "alert-report-test": {"POST": MANAGERS},
    "alert-events": {"GET": EVERYBODY},
    "alert-event": {"GET": EVERYBODY},
    "alert-deliveries": {"GET": MANAGERS},
    "alert-delivery": {"GET": MANAGERS},
}
"""The API by session: the roles that a method is open to."""


OF_GATEWAYS: Final = frozenset({"gateway-forward", "gateway-envoy", "gateway-envoy-path", "gateway-nginx"})
"""What gateways ask with the keys of their callers; sessions have no part in it."""


def test_every_route_of_the_api_is_in_the_table() -> None:
    assert {name for name, _ in api_routes()} == API.keys() | OF_GATEWAYS


def api_routes() -> Iterator[tuple[str, str]]:
    """Yield the name and the address of each route of the API."""
    places = {
        **PLACES,
        "<str:client_id>": "cl_00000000000000000000",
        "<str:reservation_id>": f"res_{0:032x}",
        "<path:asked>": "v1/chat",
    }
    for pattern in _under("api/v1/"):
        path = f"/api/v1/{pattern.pattern}"
        for place, value in places.items():
            path = path.replace(place, value)
        assert "<" not in path, path
        yield pattern.name or "", path


def _under(prefix: str) -> Iterator[URLPattern]:
    def walk(patterns: list[URLPattern | URLResolver]) -> Iterator[URLPattern]:
        for pattern in patterns:
            if isinstance(pattern, URLResolver):
                yield from walk(pattern.url_patterns)
            else:
                yield pattern

    for pattern in get_resolver().url_patterns:
        if isinstance(pattern, URLResolver) and str(pattern.pattern) == prefix:
            yield from walk(pattern.url_patterns)


@pytest.mark.parametrize("method", METHODS)
def test_the_api_is_open_to_the_roles_of_the_table(sessions: dict[str, Client], method: str) -> None:
    wrong = []
    for name, path in api_routes():
        allowed = API.get(name, {}).get(method)
        if name not in API:
            continue
        for role, client in sessions.items():
            status = getattr(client, method.lower())(path, content_type="application/json").status_code
            expected = status == 405 if allowed is None else (status != 403) is (role in allowed)
            if not expected or status >= 500:
                wrong.append((name, method, role, status))
    assert wrong == []
