"""Looking at a page: is it accessible, and does it fit?"""

from __future__ import annotations

from typing import Any, Final

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

WIDTHS: Final = (360, 768, 1440)
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
                page.set_viewport_size({"width": width, "height": 900})
                if over := overflow(page):
                    self.wrong[f"{heading} at {width}, {theme}"] = over
