"""Write the documentation's pictures from a running instance (`python -m scripts.screenshots`)."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Final, Literal

from playwright.sync_api import Browser, Page, expect

from tests.browser.chromium import chromium

ROOT: Final = Path(__file__).resolve().parent.parent
PAGES: Final = {
    "overview": "/",
    "usage": "/usage/",
    "models": "/models/",
    "keys": "/keys/",
    "costs": "/costs/",
    "limits": "/limits/",
    "alerts": "/alerts/",
}
FIRST: Final = "overview"
"""What the README shows: to its end. Of the other pages, what a screen shows."""
DARK: Final = frozenset({FIRST, "usage", "costs"})
"""What is shown in both themes."""
THEMES: Final[tuple[Literal["light", "dark"], ...]] = ("light", "dark")
PATIENCE_MS: Final = 15_000


def main() -> int:
    """Take every picture and name it."""
    parser = argparse.ArgumentParser(prog="python -m scripts.screenshots", description=__doc__)
    parser.add_argument("--url", default="http://127.0.0.1:8000", help="where it runs (%(default)s)")
    parser.add_argument(
        "--sign-in",
        type=Path,
        default=ROOT / ".data" / "demo.json",
        help="JSON with owner and password (%(default)s)",
    )
    parser.add_argument("--output", type=Path, default=ROOT / "docs" / "images")
    options = parser.parse_args()
    credentials = json.loads(options.sign_in.read_text())
    options.output.mkdir(parents=True, exist_ok=True)
    with chromium() as browser:
        for theme in THEMES:
            page = sign_in(browser, options.url, credentials["owner"], credentials["password"], theme)
            for name, path in PAGES.items():
                if theme == "dark" and name not in DARK:
                    continue
                target = options.output / f"{name}-{theme}.png"
                take(page, f"{options.url}{path}", target, whole=name == FIRST)
                sys.stdout.write(f"{target}\n")
            page.context.close()
    return 0


def sign_in(browser: Browser, url: str, owner: str, password: str, theme: Literal["light", "dark"]) -> Page:
    """Return a page of somebody who is signed in."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, color_scheme=theme)
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    page.goto(f"{url}/sign-in/")
    page.get_by_label("E-mail address").fill(owner)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"{url}/")
    return page


def take(page: Page, url: str, target: Path, *, whole: bool) -> None:
    """Write the page's picture once its charts are drawn."""
    page.goto(url)
    for chart in page.locator("[data-chart]").all():
        expect(chart.locator(".drawing:not(.coming) svg")).to_be_visible(timeout=PATIENCE_MS)
    page.screenshot(path=target, full_page=whole, animations="disabled")


if __name__ == "__main__":
    sys.exit(main())
