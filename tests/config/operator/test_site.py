"""The operator's admin: the state of the whole, actions that ask first, and lists that stay quick."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
import time_machine
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from alerts.models import Delivery, DeliveryState
from core import clock
from organizations.models import Credential, User
from organizations.tenancy import system_scope, tenant_scope
from tests.alerts.telling import again, deliveries, fire, webhook
from tests.billing.spending import hold, limit_to, spend
from tests.portal.pages import signed_in, text
from tests.usage.factories import Tenant, make_tenant, record
from usage import partitions
from usage.rollups.fold import fold_pending

pytestmark = pytest.mark.django_db

HOOK = "https://hooks.example.com/hook"


@pytest.fixture(autouse=True)
def _fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    partitions.forget()
    monkeypatch.setattr("alerts.deliveries.writing.tell", lambda *args, **options: True)


@pytest.fixture
def operator(db: None) -> Client:
    """Somebody who runs the whole system, signed in."""
    return signed_in(User.objects.create_superuser("operator@example.org", "x"))


@pytest.fixture
def acme(db: None) -> Tenant:
    """An organization."""
    return make_tenant("Acme", currency="EUR")


def given_up(tenant: Tenant) -> Delivery:
    """Return a delivery that failed for good."""
    webhook(tenant, HOOK)
    fire(tenant)
    with tenant_scope(tenant.id):
        Delivery.objects.update(
            state=DeliveryState.FAILED, due_at=None, finished_at="2026-07-15T00:00:00Z", reason="No."
        )
    [found] = deliveries(tenant)
    return found


def rows(page: Any, name: str) -> list[list[str]]:
    """Return the words in the rows of a table."""
    pattern = rf'<table id="{name}"[^>]*>.*?<tbody>(.*?)</tbody>'
    match = re.search(pattern, page.content.decode(), flags=re.DOTALL)
    assert match is not None
    found = re.findall(r"<tr>(.*?)</tr>", match[1], flags=re.DOTALL)
    return [re.findall(r">([^<]+)<", row) for row in found]


def test_the_busiest_come_first(operator: Client, acme: Tenant) -> None:
    globex = make_tenant("Globex")
    acme.api.keep(record("one", cost="1.5", tokens={"prompt": 7}))
    globex.api.keep(*(record(f"{n}", model="house", status="error") for n in range(3)))
    fold_pending()
    page = operator.get("/admin/")
    assert rows(page, "busiest") == [
        ["Globex", "3", "3", "0", "0.00 USD"],
        ["Acme", "1", "0", "7", "1.50 EUR"],
    ]
    assert rows(page, "unpriced") == [["house", "–", "3", "1"]]


def test_what_waits_and_what_failed_is_told(operator: Client, acme: Tenant) -> None:
    acme.api.keep(record("one"))
    given_up(acme)
    limit_to(acme, 5)
    hold(acme, 1)
    spend(acme, 5)
    said = text(operator.get("/admin/"))
    assert re.search(r"Records to fold 1 Folding lag \d+ s", said)
    assert "Failed deliveries, 24 hours 1 Deliveries that are late 0" in said
    assert "Spend limits 1 Paused 1 Reservations held 1" in said


def test_the_state_of_the_whole_is_for_those_who_may_see_organizations(acme: Tenant) -> None:
    user = User.objects.create_user("helper@example.org", "x", is_staff=True)
    assert "Busiest" not in text(signed_in(user).get("/admin/"))
    user.user_permissions.add(Permission.objects.get(codename="view_organization"))
    assert "Busiest" in text(signed_in(User.objects.get(pk=user.pk)).get("/admin/"))


def links(page: Any) -> dict[str, tuple[str, str]]:
    """Return the states that lead somewhere: what each says, and where to."""
    pattern = r'<dt>([^<]+)</dt><dd[^>]*><a href="([^"]+)">([^<]+)</a></dd>'
    found = re.findall(pattern, page.content.decode())
    return {label: (said, unescape(url)) for label, url, said in found}


def test_a_number_leads_to_the_rows_that_it_counts(operator: Client, acme: Tenant) -> None:
    limit_to(acme, 5)
    with time_machine.travel(clock.now() - timedelta(days=9)):
        webhook(acme, HOOK)
        fire(acme)
        hold(acme, 1)
    hold(acme, 1)
    said = links(operator.get("/admin/"))
    assert said["Deliveries that are late"][0] == said["Held beyond their time"][0] == "1"
    assert said["Failed deliveries, 24 hours"][0] == "0"
    for _, address in said.values():
        assert "e=1" not in address
        assert operator.get(address).status_code == 200
    assert "1 delivery" in text(operator.get(said["Deliveries that are late"][1]))
    assert "No deliveries found." in text(operator.get(said["Failed deliveries, 24 hours"][1]))
    for name in ("Reservations held", "Held beyond their time"):
        assert "1 reservation" in text(operator.get(said[name][1]))


def test_what_failed_earlier_is_neither_counted_nor_listed(operator: Client, acme: Tenant) -> None:
    given_up(acme)
    said, address = links(operator.get("/admin/"))["Failed deliveries, 24 hours"]
    assert said == "1"
    assert "1 delivery" in text(operator.get(address))
    with time_machine.travel(clock.now() + timedelta(hours=25)):
        said, address = links(operator.get("/admin/"))["Failed deliveries, 24 hours"]
        assert said == "0"
        assert "No deliveries found." in text(operator.get(address))


def test_a_link_leads_nobody_to_where_they_are_refused(operator: Client, acme: Tenant) -> None:
    acme.api.keep(record("one", model="house"))
    fold_pending()
    user = User.objects.create_user("looker@example.org", "x", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=("view_organization", "view_delivery")))
    add = "/admin/billing/price/add/?provider=&amp;model=house"
    assert add in operator.get("/admin/").content.decode()
    page = signed_in(user).get("/admin/")
    assert rows(page, "unpriced") == [["house", "–", "1", "1"]]
    assert add not in page.content.decode()
    assert links(page).keys() == {"Failed deliveries, 24 hours", "Deliveries that are late"}


def test_the_dashboard_asks_no_more_for_more_data(operator: Client, acme: Tenant) -> None:
    def asked() -> int:
        with CaptureQueriesContext(connection) as queries:
            operator.get("/admin/")
        return len(queries)

    asked()
    before = asked()
    acme.api.keep(*(record(f"{n}", model=f"house-{n}") for n in range(50)))
    make_tenant("Globex").api.keep(record("one"))
    fold_pending()
    assert asked() == before


def test_an_action_asks_first_and_is_noted(operator: Client, acme: Tenant) -> None:
    form = {"action": "revoke", "_selected_action": [acme.credential_id]}
    question = operator.post("/admin/organizations/credential/", form)
    assert "Nothing is accepted with these keys any more" in text(question)
    assert f"({acme.client_id}), Acme" in text(question)
    assert not _revoked(acme)
    agreed = operator.post("/admin/organizations/credential/", {**form, "confirmed": "yes"}, follow=True)
    assert "Revoked: 1." in text(agreed)
    assert _revoked(acme)
    entry = LogEntry.objects.get()
    assert (entry.object_id, entry.change_message) == (str(acme.credential_id), "Action: revoke.")
    again = operator.post("/admin/organizations/credential/", {**form, "confirmed": "yes"}, follow=True)
    assert '<li class="warning">Revoked: 0.</li>' in again.content.decode()
    assert LogEntry.objects.count() == 1


def test_too_many_at_once_are_refused(
    operator: Client, acme: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("organizations.confirming.MOST", 1)
    other = acme.another_credential()
    form = {"action": "revoke", "_selected_action": [acme.credential_id, other.credential_id]}
    page = operator.post("/admin/organizations/credential/", {**form, "confirmed": "yes"}, follow=True)
    assert "Choose at most 1 at a time." in text(page)
    assert not _revoked(acme)


def test_channels_are_disabled(operator: Client, acme: Tenant) -> None:
    channel = webhook(acme, HOOK).channel
    form = {"action": "disable", "_selected_action": [str(channel.pk)], "confirmed": "yes"}
    assert "Disabled: 1." in text(operator.post("/admin/alerts/channel/", form, follow=True))
    assert not again(channel).enabled


def test_deliveries_are_tried_again(operator: Client, acme: Tenant) -> None:
    found = given_up(acme)
    form = {"action": "retry", "_selected_action": [str(found.pk)], "confirmed": "yes"}
    assert "To be tried again: 1." in text(operator.post("/admin/alerts/delivery/", form, follow=True))
    first, second = deliveries(acme)
    assert (first.pk, first.state) == (found.pk, "failed")
    assert (second.state, second.payload, second.lane) == ("pending", first.payload, first.lane)
    answer = operator.post("/admin/alerts/delivery/", form, follow=True)
    assert "It is being tried again already." in text(answer)
    # That nothing was done is no success.
    assert {message.level_tag for message in answer.context["messages"]} == {"warning"}
    pending = {**form, "_selected_action": [str(second.pk)]}
    page = text(operator.post("/admin/alerts/delivery/", pending, follow=True))
    assert "Only what was given up can be tried again." in page


def test_records_are_found_by_their_id_within_an_organization(operator: Client, acme: Tenant) -> None:
    acme.api.keep(record("wanted"), record("other"))
    found = text(operator.get(f"/admin/usage/record/?organization={acme.id}&q=wanted"))
    assert "1 usage record" in found
    assert "No usage records found." in text(operator.get("/admin/usage/record/?q=wanted"))


@pytest.mark.parametrize(
    "path",
    [
        "alerts/delivery",
        "alerts/event",
        "alerts/channel",
        "alerts/rule",
        "usage/record",
        "billing/ledgertransaction",
        "billing/spendlimit",
        "billing/decision",
        "billing/reservation",
    ],
)
def test_lists_count_no_further_than_a_bound(operator: Client, acme: Tenant, path: str) -> None:
    with CaptureQueriesContext(connection) as queries:
        assert operator.get(f"/admin/{path}/").status_code == 200
    counts = [query["sql"] for query in queries if "COUNT(*)" in query["sql"]]
    assert counts
    assert all("LIMIT" in sql for sql in counts)


def test_it_is_in_the_portals_colours(operator: Client) -> None:
    html = operator.get("/admin/").content.decode()
    assert "portal/tokens" in html
    assert "portal/admin" in html
    assert "data-theme-toggle" in html


def _revoked(tenant: Tenant) -> bool:
    with system_scope():
        return Credential.objects.get(pk=tenant.credential_id).revoked_at is not None
