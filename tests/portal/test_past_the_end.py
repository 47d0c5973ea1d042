"""A page past the end is the last one: what was there is shown, and nothing false is said."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client

from billing import book
from organizations.models import User
from organizations.services import invite
from portal.reading.limits.standing import SHOWN
from portal.tables import Sorting, paged, turned
from tests.alerts.rules.ruling import make_rule
from tests.alerts.telling import webhook
from tests.billing.pricing import price
from tests.billing.spending import limit_to
from tests.portal.pages import add_member, table, text
from tests.usage.factories import NOW, Tenant

pytestmark = pytest.mark.django_db

MANY = 30


@pytest.fixture
def full(acme: Tenant) -> Tenant:
    """An organization with more than a page of members, invitations, prices, limits, rules and channels."""
    for number in range(MANY):
        user = User.objects.create_user(f"m{number:02}@example.org", last_login=NOW - timedelta(hours=number))
        add_member(acme, "analyst", user=user)
        invite(organization_id=acme.id, email=f"new{number}@example.org", role="analyst", invited_by_id=None)
        price(currency="EUR", provider="house", model=f"model-{number:02}")
        make_rule(acme, name=f"Rule {number}")
        webhook(acme, "https://hooks.example.com/hook", f"Hook {number}")
    for number in range(SHOWN + 1):
        limit_to(acme, 9, credential_id=acme.another_credential(f"Key {number}").credential_id)
    book.forget()
    return acme


@pytest.mark.parametrize(
    "path",
    [
        "/settings/members/?page=",
        "/settings/members/?invitations=",
        "/prices/?sort=prompt&page=",
        "/limits/?page=",
        "/alerts/rules/?sort=name&page=",
        "/alerts/channels/?sort=name&page=",
    ],
)
def test_the_last_page_is_shown_instead(full: Tenant, member: Client, path: str) -> None:
    last, past = text(member.get(f"{path}2")), text(member.get(f"{path}9999"))
    assert "Page 2 of 2" in last
    assert past == last


@pytest.mark.parametrize(
    "path", ["/alerts/rules/", "/alerts/channels/", "/invoices/", "/credits/", "/prices/", "/limits/"]
)
def test_where_there_is_one_page_it_is_that(acme: Tenant, member: Client, path: str) -> None:
    assert text(member.get(f"{path}?page=9999")) == text(member.get(path))


def test_members_who_are_searched_for_are_found_on_any_page(full: Tenant, member: Client) -> None:
    page = member.get("/settings/members/?page=99&search=m07")
    assert [row[0] for row in table(page, "members")] == ["m07@example.org"]
    assert "1 member found" in text(page)
    assert "No members match this search." in text(member.get("/settings/members/?page=99&search=nobody"))


def test_the_api_is_asked_for_the_page_that_is_shown(full: Tenant, member: Client) -> None:
    assert "&amp;offset=25" in member.get("/prices/?page=9999").content.decode()


@pytest.mark.parametrize(("number", "asked"), [(1, [0]), (2, [10]), (3, [20, 10])])
def test_rows_are_read_again_only_past_the_end(number: int, asked: list[int]) -> None:
    offsets: list[int] = []

    def read(offset: int) -> tuple[range, int]:
        offsets.append(offset)
        return range(20)[offset : offset + 10], 20

    found = turned(read, number, lambda page: page, size=10)
    assert offsets == asked
    assert found.number == min(number, 2)
    assert len(found.rows) == 10


def test_rows_at_hand_turn_to_their_last_page_too() -> None:
    rows, pages = paged(range(30), Sorting("name", False, 9), lambda **to: str(to))
    assert list(rows) == list(range(25, 30))
    assert pages is not None
    assert (pages.number, pages.next) == (2, "")
