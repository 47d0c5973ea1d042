"""The operator sees every organization's records in the admin, finds one quickly, and can change none."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from core import clock
from organizations.models import User
from organizations.tenancy import system_scope
from tests.usage.factories import Tenant, at, record
from usage.complete import record_key

pytestmark = pytest.mark.django_db

LIST = "/admin/usage/record/"


@pytest.fixture
def operator(db: None) -> Client:
    """A signed-in operator."""
    with system_scope():
        user = User.objects.create_superuser("operator@example.com")
    client = Client()
    client.force_login(user)
    return client


def page(client: Client, path: str) -> str:
    response = client.get(path)
    assert response.status_code == 200
    return response.content.decode()


def address(tenant: Tenant, record_id: str) -> str:
    return f"{LIST}{tenant.id}-{record_key(tenant.id, record_id)}/change/"


def test_the_list_shows_the_records_of_every_organization(
    operator: Client, acme: Tenant, globex: Tenant
) -> None:
    acme.api.keep(record("from-acme"))
    globex.api.keep(record("from-globex"))
    shown = page(operator, LIST)
    assert ("from-acme" in shown, "from-globex" in shown) == (True, True)


def test_one_organization_can_be_chosen_and_then_its_older_records_are_listed_too(
    operator: Client, acme: Tenant, globex: Tenant
) -> None:
    old = at(clock.now() - timedelta(days=40))
    acme.api.keep(record("old", timestamp=old))
    globex.api.keep(record("new"))
    assert "old" not in page(operator, LIST).partition('id="changelist-form"')[2]
    chosen = page(operator, f"{LIST}?organization={acme.id}").partition('id="changelist-form"')[2]
    assert (">old<" in chosen, ">new<" in chosen) == (True, False)


def test_an_id_is_looked_for_in_one_organization(operator: Client, acme: Tenant) -> None:
    acme.api.keep(record("call-1"))
    assert "choose one to find its record" in page(operator, "/admin/usage/record/?q=call-1")
    found = page(operator, f"/admin/usage/record/?q=call-1&organization={acme.id}")
    assert "choose one to find its record" not in found
    assert address(acme, "call-1") in found


def test_a_record_is_found_by_the_link_of_the_list_and_shown_read_only(
    operator: Client, acme: Tenant
) -> None:
    acme.api.keep(record("shown", model="gpt-4o"))
    assert address(acme, "shown") in page(operator, LIST)
    shown = page(operator, address(acme, "shown"))
    assert ("gpt-4o" in shown, 'name="_save"' in shown) == (True, False)


def test_a_record_says_in_words_what_is_kept_as_an_object_or_in_microseconds(
    operator: Client, acme: Tenant
) -> None:
    acme.api.keep(record("shown", latencyMs=8400.1, meta={"region": "eu", "retries": 2000}))
    shown = page(operator, address(acme, "shown"))
    assert "<div><dt>region</dt><dd>eu</dd></div><div><dt>retries</dt><dd>2,000</dd></div>" in shown
    assert "8,400.1 ms" in shown


@pytest.mark.parametrize("place", ["nonsense", "1-zz", f"1-{'0' * 32}"])
def test_what_is_no_record_is_not_found(place: str, operator: Client) -> None:
    # The admin leads back to its start, with a message.
    assert operator.get(f"{LIST}{place}/change/").status_code == 302


def test_records_can_be_neither_added_nor_changed_nor_deleted(operator: Client, acme: Tenant) -> None:
    acme.api.keep(record("kept"))
    assert operator.get(f"{LIST}add/").status_code == 403
    assert operator.post(address(acme, "kept"), {"model": "other"}).status_code == 403
    assert operator.post(address(acme, "kept").replace("/change/", "/delete/")).status_code == 403
    assert acme.api.get("/records/kept").body["model"] is None


def test_the_list_costs_as_many_statements_for_many_records_as_for_few(
    operator: Client, acme: Tenant
) -> None:
    def statements() -> int:
        with CaptureQueriesContext(connection) as queries:
            page(operator, f"{LIST}?organization={acme.id}")
        return len(queries)

    acme.api.keep(record("one"))
    few = statements()
    acme.api.keep(*(record(f"r{number}") for number in range(45)))
    assert statements() == few


def test_who_is_no_operator_is_sent_to_sign_in(acme: Tenant) -> None:
    assert Client().get(LIST).status_code == 302
