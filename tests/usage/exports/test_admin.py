"""The operator sees every organization's exports in the admin, and can change none."""

from __future__ import annotations

import pytest
from django.test import Client

from organizations.models import User
from organizations.tenancy import system_scope
from tests.usage.exports.support import ask
from tests.usage.factories import Tenant

pytestmark = pytest.mark.django_db

LIST = "/admin/usage/export/"


@pytest.fixture
def operator(db: None) -> Client:
    """A signed-in operator."""
    with system_scope():
        user = User.objects.create_superuser("operator@example.com")
    client = Client()
    client.force_login(user)
    return client


def test_the_list_shows_the_exports_of_every_organization(
    operator: Client, acme: Tenant, globex: Tenant
) -> None:
    asked = [ask(acme, "daily", "parquet"), ask(globex, "costs", "csv")]
    shown = operator.get(LIST).content.decode()
    assert all(f"{LIST}{each['id']}/change/" in shown for each in asked)
    only = operator.get(f"{LIST}?dataset=costs&state=queued").content.decode()
    assert [f"{LIST}{each['id']}/change/" in only for each in asked] == [False, True]


def test_an_export_is_shown_and_nobody_changes_it(operator: Client, acme: Tenant) -> None:
    page = f"{LIST}{ask(acme)['id']}/change/"
    shown = operator.get(page)
    assert shown.status_code == 200
    assert 'name="_save"' not in shown.content.decode()
    assert operator.post(page, {"state": "done"}).status_code == 403
    assert operator.get(f"{LIST}add/").status_code == 403
