"""Every page of the portal that is read, with something on each, by its address."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from alerts.models import Channel, Delivery, Event, Report, Rule
from billing.models import Invoice
from organizations.models import User
from organizations.tenancy import tenant_scope
from portal import pages, registry
from tests.browser.conftest import Visit
from tests.browser.looking import look
from tests.contracts.test_tenant_tables import fill, owner_of
from tests.portal.pages import add_member
from tests.usage.factories import Tenant, make_tenant
from usage.models import Import

assert pages.__all__

FILES: Final = frozenset({"export-file", "import-refused", "invoice-file"})
"""What is downloaded."""
OF_ACCOUNTS: Final = (
    "/account/",
    "/account/password/",
    "/account/factors/",
    "/account/sessions/",
    "/account/confirm/",
)
ASKED: Final = (
    "/usage/?weekday=mon&hour=9&view=latency&range=90d",
    "/logs/?order=asc&status=error&statusCode=503",
    "/prices/?sort=prompt&order=desc&search=none",
    "/settings/members/?search=nobody",
)
"""Pages that show something else when they are asked for it."""
ROWS: Final[dict[str, Any]] = {
    "channel_id": Channel,
    "delivery_id": Delivery,
    "event_id": Event,
    "import_id": Import,
    "report_id": Report,
    "rule_id": Rule,
}
"""Whose rows have a page each, by what their addresses call them."""


def furnish(tenant: Tenant) -> User:
    """Leave something for every page to show; return the owner, who belongs to another organization too."""
    fill(tenant)
    owner = owner_of(tenant)
    add_member(make_tenant("Globex"), user=owner)
    owner.set_password("a password of theirs")
    owner.save()
    return owner


def addresses(tenant: Tenant) -> dict[str, str]:
    """Return the address of every page that is registered for reading, but files, by their names.

    Raises: AssertionError for an address of which it is not known where it may lead.
    """
    places = _places(tenant)
    found = {}
    for view in registry.patterns():
        name = view.name or ""
        if "GET" in registry.methods_of(name) and name not in FILES:
            found[name] = _path(str(view.pattern), places)
    return found


def walk(visit: Visit, tenant: Tenant) -> Iterator[str]:
    """Look at every page; yield what is wrong."""
    for path in [*addresses(tenant).values(), *OF_ACCOUNTS, *ASKED]:
        yield from look(visit, path)


def _path(pattern: str, places: dict[str, str]) -> str:
    path = f"/{pattern}"
    for name, value in places.items():
        for kind in ("slug", "path", "str", "uuid"):
            path = path.replace(f"<{kind}:{name}>", value)
    assert "<" not in path, f"{path}: nothing of that kind is there"
    return path


def _places(tenant: Tenant) -> dict[str, str]:
    with tenant_scope(tenant.id):
        rows = {name: str(model.objects.latest("pk").pk) for name, model in ROWS.items()}
        reference = Invoice.objects.exclude(number=None).latest("pk").reference
    return {**rows, "client_id": tenant.client_id, "record_id": "1-1", "reference": str(reference)}
