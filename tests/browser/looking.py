"""Looking at a page: is it accessible, and does it fit?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

WIDTHS: Final = (360, 768, 1440)
HEIGHT: Final = 900
OK: Final = 200
DRAWN: Final = ".drawing:not(.coming) svg"
# Stylesheets that others import can't be fetched anew under our policy, and need not be.
OPTIONS: Final = {"preload": False, "resultTypes": ["violations"]}


def violations(page: Page) -> list[str]:
    """Return what axe finds, each with where it is."""
    found: dict[str, Any] = Axe().run(page, options=OPTIONS).response
    return [
        f"{one['id']} at {node['target']}: {node['html'][:120]}"
        for one in found["violations"]
        for node in one["nodes"]
    ]


def settle(page: Page) -> None:
    """Wait until everything is drawn."""
    for chart in page.locator("[data-chart]").all():
        expect(chart.locator(DRAWN)).to_be_visible()


def look(visit: Any, path: str) -> Iterator[str]:
    """Open an address; yield what is inaccessible there, or wider than its window."""
    page: Page = visit.page
    page.set_viewport_size({"width": WIDTHS[-1], "height": HEIGHT})
    answer = page.goto(f"{visit.url}{path}")
    assert answer is not None
    assert answer.status == OK, path
    settle(page)
    for fault in violations(page):
        yield f"{path}: {fault}"
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": HEIGHT})
        if over := overflow(page):
            yield f"{path}: {over} pixels wider than {width}"


def overflow(page: Page) -> int:
    """Return by how many pixels the page is wider than its window."""
    width: int = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    return width


class Looking:
    """Looks at a page in both themes and at every width, without leaving it, and notes what is wrong."""

    def __init__(self) -> None:
        self.wrong: dict[str, Any] = {}

    def at(self, page: Page, heading: str) -> None:
        """Look at the page with that heading."""
        expect(page.get_by_role("heading", name=heading, exact=True, level=1)).to_be_visible()
        for theme in ("light", "dark"):
            page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
            if found := violations(page):
                self.wrong[f"{heading}, {theme}"] = found
            for width in WIDTHS:
                page.set_viewport_size({"width": width, "height": HEIGHT})
                if over := overflow(page):
                    self.wrong[f"{heading} at {width}, {theme}"] = over
