"""The API's reference in a real browser: drawn offline under the strict policy, readable in either theme."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.browser.looking import WIDTHS, violations

REFERENCE = "/api/docs/"
PROBLEMS = "/api/docs/problems"


@pytest.mark.timeout(300)
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_reference_is_accessible_and_fits(
    transactional_db: None, open_page: Callable[..., Visit], theme: str
) -> None:
    visit = open_page(theme=theme)
    page = visit.page
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{visit.url}{REFERENCE}")
    expect(page.get_by_role("heading", name="Operations")).to_be_visible(timeout=60_000)
    assert page.title() == "Headroom API"
    assert violations(page) == []
    page.locator(".opblock-post .opblock-summary-control", has_text="/api/v1/records").click()
    expect(page.get_by_role("button", name="Try it out")).to_be_visible()
    assert violations(page) == []
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        assert visit.overflow() == 0
    assert [url for url in asked if not url.startswith((visit.url, "data:"))] == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_problems_are_told_in_either_theme(
    transactional_db: None, open_page: Callable[..., Visit], theme: str
) -> None:
    visit = open_page(theme=theme, width=360)
    visit.page.goto(f"{visit.url}{PROBLEMS}#rate_limited")
    assert violations(visit.page) == []
    assert visit.overflow() == 0
    visit.page.get_by_role("button", name="Theme").click()
    chosen = visit.page.evaluate("document.documentElement.dataset.theme")
    visit.page.get_by_role("navigation").get_by_role("link", name="Reference", exact=True).click()
    expect(visit.page.get_by_role("heading", name="Operations")).to_be_visible(timeout=60_000)
    assert visit.page.evaluate("document.documentElement.classList.contains('dark-mode')") == (
        chosen == "dark"
    )
