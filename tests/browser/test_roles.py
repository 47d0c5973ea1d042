"""What members of each role see in a real browser: every page that is theirs, and no way to another."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import pytest
from django.urls import resolve

from tests.browser.conftest import Visit
from tests.browser.looking import settle
from tests.browser.people import statuses
from tests.browser.walking import addresses, furnish
from tests.contracts.test_roles import PAGES
from tests.usage.factories import Tenant

pytestmark = pytest.mark.long

ROLES = ("owner", "admin", "billing", "analyst", "developer")
OK = 200
FORBIDDEN = 403
MONEY = {"Costs", "Spend limit", "Billing", "Credits", "Invoices", "Prices"}
MENU = {
    "owner": MONEY | {"Imports", "Settings"},
    "admin": MONEY | {"Imports", "Settings"},
    "billing": MONEY,
    "analyst": MONEY,
    "developer": set[str](),
}
EVERYBODYS = {"Overview", "Usage", "Models", "Usage logs", "Alerts", "API keys", "Exports", "API reference"}


@pytest.mark.parametrize("role", ROLES)
def test_the_menu_is_the_roles(used: Tenant, visit: Visit, role: str) -> None:
    visit.sign_in(used, role)
    assert set(visit.page.locator("#menu a").all_inner_texts()) == EVERYBODYS | MENU[role]


@pytest.mark.parametrize("role", ROLES)
def test_pages_of_a_role_lead_to_no_page_that_refuses_it(used: Tenant, visit: Visit, role: str) -> None:
    furnish(used)
    visit.sign_in(used, role)
    page = visit.page
    wrong: dict[str, Any] = {}
    seen: set[str] = set()
    for name, path in addresses(used).items():
        may = role in PAGES[name]["GET"]
        answer = page.goto(f"{visit.url}{path}")
        assert answer is not None
        if not may:
            assert answer.status == FORBIDDEN, path
            continue
        assert answer.status == OK, path
        settle(page)
        for href in page.eval_on_selector_all(
            "main a[href]", "all => all.map(one => one.getAttribute('href'))"
        ):
            # One of each kind is enough.
            view = _page_of(href)
            if view and view not in seen:
                seen.add(view)
                if (status := page.request.get(f"{visit.url}{href}").status) != OK:
                    wrong[f"{href} on {path}"] = status
    assert wrong == {}
    statuses(visit, 403)


def _page_of(href: str) -> str:
    """Return the name of the page that an address leads to, nothing where it leads elsewhere."""
    parts = urlsplit(href)
    if parts.netloc or not parts.path.startswith("/"):
        return ""
    found = resolve(parts.path)
    return found.view_name if found.app_names == ["portal"] else ""
