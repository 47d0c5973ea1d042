"""The real browser: Debian's Chromium, without a window and without traffic of its own.

Where it is installed, that is Chromium's own build without windows: it does the same for a quarter less work.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from playwright.sync_api import Browser, sync_playwright

EXECUTABLES: Final = (Path("/usr/bin/chromium-headless-shell"), Path("/usr/bin/chromium"))
ARGUMENTS: Final = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@contextmanager
def chromium() -> Iterator[Browser]:
    """Run the browser.

    Raises: RuntimeError when it is not installed: what needs a browser must not pass without one.
    """
    installed = next((path for path in EXECUTABLES if path.exists()), None)
    if installed is None:
        raise RuntimeError("A browser is needed: install the package chromium.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=installed, args=ARGUMENTS)
        try:
            yield browser
        finally:
            browser.close()
