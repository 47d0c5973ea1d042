"""The operator sees every organization's imports in the admin, and can change none."""

from __future__ import annotations

import pytest
from django.test import Client

from organizations.models import User
from organizations.tenancy import system_scope
from tests.usage.factories import Tenant
from tests.usage.imports.jobs.support import begin, table, upload

pytestmark = pytest.mark.django_db

LIST = "/admin/usage/import/"


@pytest.fixture
def operator(db: None) -> Client:
    """A signed-in operator."""
    with system_scope():
        user = User.objects.create_superuser("operator@example.com")
    client = Client()
    client.force_login(user)
    return client


def test_the_list_shows_the_imports_of_every_organization(
    operator: Client, acme: Tenant, globex: Tenant
) -> None:
    kept = [upload(acme, table()), begin(globex, table())]
    shown = operator.get(LIST).content.decode()
    assert all(f"{LIST}{one.pk}/change/" in shown for one in kept)
    only = operator.get(f"{LIST}?state=queued").content.decode()
    assert [f"{LIST}{one.pk}/change/" in only for one in kept] == [False, True]


def test_an_import_is_shown_and_nobody_changes_it(operator: Client, acme: Tenant) -> None:
    page = f"{LIST}{upload(acme, table()).pk}/change/"
    shown = operator.get(page)
    assert shown.status_code == 200
    assert 'name="_save"' not in shown.content.decode()
    assert operator.post(page, {"state": "done"}).status_code == 403
    assert operator.get(f"{LIST}add/").status_code == 403
