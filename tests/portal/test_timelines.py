"""Lists in order of time: newest first, and turned round."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from html import unescape
from typing import Any
from uuid import uuid4

import pytest
import time_machine
from django.test import Client

from billing.ledger.services import grant
from core import clock
from organizations.tenancy import tenant_scope
from tests.alerts.telling import clear, fire, mailbox
from tests.billing.spending import limit_to
from tests.portal.pages import HTMX, sign_in, table, text
from tests.portal.test_figures import api
from tests.usage.factories import NOW, Tenant, at, make_tenant, record
from tests.usage.imports.jobs.support import upload
from usage.models import Export, ExportState, Import, ImportState

MINUTE = timedelta(minutes=1)
SIZE = 3


@dataclass(frozen=True)
class Listed:
    """A list of a page: where, what makes one more row, and what of its HTML tells the rows apart, in order.

    ``size`` names how many rows a page has; ``chosen`` is something else that the address can have, ``name``
    its parameter of the order; ``part`` is the table's id where there is one; ``of_api`` names the page's way
    to the API, and what tells the items there.
    """

    path: str
    size: str
    add: Callable[[Tenant, int], Any]
    told: str
    chosen: dict[str, str]
    name: str = "order"
    part: str = ""
    of_api: tuple[str, str] | None = None

    def shown(self, page: Any) -> list[str]:
        """Return what tells the rows apart, as the page has them."""
        return re.findall(self.told, self._html(page))

    def turn(self, page: Any) -> str:
        """Return where the page has its list the other way round."""
        marked = rf'aria-sort="{self.sorted(page)}"><a class="sort"' if self.part else 'id="[a-z]+-order"'
        found = re.search(rf'{marked}[^>]* href="([^"]*)"', self._html(page))
        assert found is not None
        return unescape(found[1])

    def sorted(self, page: Any) -> str:
        """Return what the page's address makes of the list."""
        return "ascending" if page.wsgi_request.GET.get(self.name) == "asc" else "descending"

    def _html(self, page: Any) -> str:
        html: str = page.content.decode()
        return html[html.index(f'<table id="{self.part}"') :] if self.part else html


def event(tenant: Tenant, number: int) -> None:
    found = fire(tenant, message=f"{number}.", occurrence=uuid4().hex)
    assert found is not None
    clear(tenant, found)


def delivery(tenant: Tenant, number: int) -> None:
    if not number:
        mailbox(tenant)
    fire(tenant, message=f"{number}.", occurrence=uuid4().hex)


def export(tenant: Tenant, number: int) -> None:
    now = clock.now()
    with tenant_scope(tenant.id):
        Export.objects.create(
            organization=tenant.organization,
            dataset="records",
            format="csv",
            window_start=now,
            window_end=now,
            timezone="UTC",
            state=ExportState.FAILED,
            finished_at=now,
        )


def movement(tenant: Tenant, number: int) -> None:
    grant(organization_id=tenant.id, allowance="credits", amount=Decimal(1), reason="Welcome")


def kept(tenant: Tenant, number: int) -> None:
    tenant.api.keep(record(f"r{number}", timestamp=at(clock.now())))


def limited(tenant: Tenant, number: int) -> None:
    limit_to(tenant, 100 + number)


def uploaded(tenant: Tenant, number: int) -> None:
    found = upload(tenant, "type\nchat\n")
    with tenant_scope(tenant.id):
        # Of drafts there are never many.
        Import.objects.filter(pk=found.pk).update(state=ImportState.CANCELLED, finished_at=clock.now())


CELL = r'data-label="{}">(15 Jul 2026[^<]*)<'
MOMENT = r'<th scope="row"[^>]* data-value="([^"]*)"'
LISTS = {
    "logs": Listed(
        "/logs/",
        "portal.reading.logs.PAGE_SIZE",
        kept,
        MOMENT,
        {"range": "7d", "status": "success"},
        part="records",
        of_api=("records", "timestamp"),
    ),
    "audit": Listed(
        "/settings/audit/",
        "portal.pages.settings.AUDIT_SIZE",
        limited,
        # The trail's moments are the database's, which stand still while a test lasts.
        r"(?:: |→ )(\d{3}) EUR(?! →)",
        {"kind": "spendLimit"},
        part="audit",
    ),
    "events": Listed(
        "/alerts/",
        "portal.reading.alerts.PAGE",
        event,
        r'<time class="whole" datetime="([^"]*)"',
        {"state": "resolved", "severity": "warning"},
    ),
    "deliveries": Listed(
        "/alerts/deliveries/",
        "portal.reading.deliveries.PAGE",
        delivery,
        r"· (15 Jul 2026[^<]*)<",
        {"state": "pending"},
    ),
    "exports": Listed(
        "/exports/", "portal.reading.exports.PAGE_SIZE", export, CELL.format("Requested"), {}, part="exports"
    ),
    "imports": Listed(
        "/imports/", "portal.reading.imports.PAGE_SIZE", uploaded, CELL.format("Uploaded"), {}, part="imports"
    ),
    "decisions": Listed(
        "/limits/history/",
        "portal.reading.limits.PAGE_SIZE",
        limited,
        MOMENT,
        {"kind": "limitSet"},
        part="decisions",
        of_api=("decisions", "decidedAt"),
    ),
    "transactions": Listed(
        "/credits/",
        "portal.reading.ledger.TAKEN",
        movement,
        MOMENT,
        {"sort": "amount", "order": "desc"},
        name="transactions",
        part="transactions",
        of_api=("transactions", "postedAt"),
    ),
}
every_list = pytest.mark.parametrize("of", [pytest.param(one, id=name) for name, one in LISTS.items()])


@pytest.fixture(autouse=True)
def _small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    for one in LISTS.values():
        monkeypatch.setattr(one.size, SIZE)


def fill(of: Listed, tenant: Tenant, traveller: time_machine.Traveller, count: int) -> None:
    """Add so many rows, a minute apart."""
    for number in range(count):
        traveller.move_to(NOW + number * MINUTE)
        of.add(tenant, number)


def links(page: Any) -> dict[str, str]:
    """Return the ways of the pager by what they are called."""
    nav = re.findall(r'<nav class="pager" aria-label="Pages of.*?</nav>', page.content.decode(), re.DOTALL)
    found = re.findall(r'href="([^"]*)"[^>]*>([^<]*)</a>', nav[-1] if nav else "")
    return {label: unescape(url) for url, label in found if label not in ("Previous", "Next")}


@every_list
def test_a_list_is_turned_round(
    of: Listed, acme: Tenant, member: Client, stopped_clock: time_machine.Traveller
) -> None:
    fill(of, acme, stopped_clock, 3)
    page = member.get(of.path, of.chosen)
    newest_first = of.shown(page)
    assert len(set(newest_first)) == 3
    assert newest_first == sorted(newest_first, reverse=True)
    assert "newest first" in text(page).lower()
    turned = member.get(of.turn(page), headers=HTMX)
    assert turned.wsgi_request.GET.dict() == {**of.chosen, of.name: "asc"}
    assert of.shown(turned) == newest_first[::-1]
    assert "oldest first" in text(turned).lower()
    again = member.get(of.turn(turned))
    assert again.wsgi_request.GET.dict() == of.chosen
    assert of.shown(again) == newest_first


@every_list
def test_a_list_goes_on_from_the_oldest(
    of: Listed, acme: Tenant, member: Client, stopped_clock: time_machine.Traveller
) -> None:
    fill(of, acme, stopped_clock, SIZE + 2)
    shown = {}
    for order, first_label, next_label in (("desc", "Newest", "Older"), ("asc", "Oldest", "Newer")):
        first = member.get(of.path, {**of.chosen, of.name: order})
        assert list(links(first)) == [next_label]
        second = member.get(links(first)[next_label])
        assert list(links(second)) == [first_label]
        shown[order] = [*of.shown(first), *of.shown(second)]
        assert len(set(shown[order])) == SIZE + 2
        assert of.shown(member.get(links(second)[first_label])) == of.shown(first)
        for page in (first, second):
            compare(of, member, page)
    assert shown["asc"] == shown["desc"][::-1] == sorted(shown["asc"])


def compare(of: Listed, member: Client, page: Any) -> None:
    """Compare a page's rows with those of the answer that it leads to."""
    if of.of_api is not None:
        answer, moment = of.of_api
        assert of.shown(page) == [item[moment] for item in api(member, page, answer)["items"]]


@every_list
def test_a_page_s_ways_keep_the_order(
    of: Listed, acme: Tenant, member: Client, stopped_clock: time_machine.Traveller
) -> None:
    fill(of, acme, stopped_clock, SIZE + 1)
    page = member.get(of.path, {**of.chosen, of.name: "asc"})
    html = page.content.decode()
    found = {unescape(url) for url in re.findall(r'(?:href|hx-get)="([^"]*)"', html)}
    # What is not of this list has nothing of its address either.
    mine = {url for url in found if url.startswith(f"{of.path}?")} - {of.turn(page)}
    assert len(mine) > 1
    assert [url for url in mine if f"{of.name}=asc" not in url] == []
    for form in re.findall(r'<form class="filters"[^>]* method="get".*?</form>', html, flags=re.DOTALL):
        assert '<input type="hidden" name="order" value="asc">' in form


@every_list
def test_an_order_that_there_is_not_is_refused(of: Listed, member: Client) -> None:
    refused = member.get(of.path, {of.name: "sideways"})
    assert refused.status_code == 400
    assert f"Invalid {of.name}: 'sideways'; accepted: asc, desc." in text(refused)


@every_list
def test_a_cursor_is_of_one_order_and_one_organization(
    of: Listed, acme: Tenant, member: Client, stopped_clock: time_machine.Traveller
) -> None:
    fill(of, acme, stopped_clock, SIZE + 1)
    onward = links(member.get(of.path, {of.name: "asc"}))["Newer"]
    other_way = onward.replace(f"{of.name}=asc&", "")
    assert [member.get(path).status_code for path in (onward, other_way)] == [200, 400]
    assert sign_in(make_tenant("Globex")).get(onward).status_code == 400


def test_alerts_that_hold_are_turned_round_with_the_others(acme: Tenant, member: Client) -> None:
    for number in range(3):
        fire(acme, message=f"{number}.", occurrence=uuid4().hex, fired_at=NOW - number * MINUTE)
    shown = [
        re.findall(r">(\d\.)</a>", member.get(path).content.decode())
        for path in ("/alerts/", "/alerts/?order=asc")
    ]
    assert shown == [["0.", "1.", "2."], ["2.", "1.", "0."]]


def test_grants_and_transactions_have_each_their_own_order(
    acme: Tenant, member: Client, stopped_clock: time_machine.Traveller
) -> None:
    for number in range(3):
        stopped_clock.move_to(NOW + number * MINUTE)
        grant(organization_id=acme.id, allowance="credits", amount=Decimal(number + 1), reason="Welcome")
    page = member.get("/credits/?sort=amount&order=desc&transactions=asc")
    assert [row[3] for row in table(page, "grants")] == ["3", "2", "1"]
    assert [row[3] for row in table(page, "transactions")] == ["+1", "+2", "+3"]
