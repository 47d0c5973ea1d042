"""What the trail says on its page: names, words, and the organization's clock."""

from __future__ import annotations

import pytest
from django.test import Client

from tests.billing.spending import limit_to, unlimit
from tests.portal.pages import text
from tests.usage.factories import Tenant

pytestmark = pytest.mark.django_db


def test_the_trail_names_whose_limit_was_set(acme: Tenant, member: Client) -> None:
    limit_to(acme, 9, warn_at=(50, 80))
    limit_to(acme, 2, credential_id=acme.another_credential("Second").credential_id)
    said = text(member.get("/settings/audit/?kind=spendLimit"))
    assert "Spend limit created Entire organization Limit: 9 EUR; Window: rolling 7 days" in said
    assert "Spend limit created Second Limit: 2 EUR" in said


def test_the_trail_says_that_a_limit_is_gone(acme: Tenant, member: Client) -> None:
    limit_to(acme, 9)
    unlimit(acme)
    assert "Spend limit removed Removed limit" in text(member.get("/settings/audit/"))


def test_the_trail_names_keys_and_keeps_their_ids(acme: Tenant, member: Client) -> None:
    second = acme.another_credential("Second")
    said = text(member.get("/settings/audit/?kind=credential"))
    assert f"API key created Second {second.client_id} Name: Second; Environment: production" in said
