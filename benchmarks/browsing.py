"""Pages in a real browser: what a visit transfers, when the largest part is painted, and how much moves."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Final

from playwright.sync_api import Browser, BrowserContext, Page

from benchmarks.dataset import OWNER, Dataset
from benchmarks.figures import COST, SHARE, Figure, Unit, count, milliseconds
from benchmarks.scale import Scale
from tests.browser.chromium import chromium

PAGES: Final = {"Overview": "/", "Usage": "/usage/"}
SHIFT: Final = Unit(1, "", 3, more_is_better=False)
STEADY: Final = 0.1
"""A layout shift that the browsers' makers call good."""

_TRANSFERRED: Final = replace(SHARE, more_is_better=False)
_DRAWN: Final = "[data-chart] .drawing:not(.coming) svg"
_PATIENCE_MS: Final = 30_000
_SETTLED_MS: Final = 700
_METRICS: Final = """() => new Promise(resolve => {
  let paint = 0, shift = 0;
  new PerformanceObserver(list => {
    for (const entry of list.getEntries()) paint = entry.startTime;
  }).observe({type: 'largest-contentful-paint', buffered: true});
  new PerformanceObserver(list => {
    for (const entry of list.getEntries()) if (!entry.hadRecentInput) shift += entry.value;
  }).observe({type: 'layout-shift', buffered: true});
  setTimeout(() => resolve([paint, shift]), 200);
})"""


@dataclass(frozen=True)
class Visit:
    """One visit of a page.

    Units: bytes over the network, seconds until the largest paint; the shift is a score.
    """

    transferred: int
    paint_seconds: float
    shift: float


def measure(scale: Scale) -> list[Figure]:
    """Return what the pages over the larger dataset need in Chromium."""
    dataset = Dataset(scale.datasets[-1], scale.organizations)
    manifest = dataset.ready()
    dataset.ground.settings = {"STATIC_MANIFEST": "true"}
    with dataset.ground.running() as ground, chromium() as browser:
        ground.manage("collectstatic", "--noinput", "--verbosity", "0")
        sessions = {
            slug: ground.output([sys.executable, "-m", "benchmarks.visiting", OWNER, slug]).strip()
            for slug in (manifest.big_slug, manifest.empty_slug)
        }
        with ground.web() as web:
            url = f"http://127.0.0.1:{web.port}"
            rounds = [
                {slug: _visits(browser, url, session) for slug, session in sessions.items()}
                for _ in range(scale.rounds)
            ]
    full = [one[manifest.big_slug] for one in rounds]
    empty = [one[manifest.empty_slug] for one in rounds]
    sizes = count(manifest.rows)
    return [figure for name in PAGES for figure in _figures(name, sizes, full, empty)]


Visits = dict[str, tuple[Visit, Visit]]


def _figures(name: str, sizes: str, full: list[Visits], empty: list[Visits]) -> Iterator[Figure]:
    first, again = full[-1][name]
    yield Figure(
        f"{name}, {sizes}: bytes of a repeated visit, of the first's",
        _TRANSFERRED,
        tuple(one[name][1].transferred / one[name][0].transferred for one in full),
        behind=f"{again.transferred / 1024:.0f} KiB of {first.transferred / 1024:.0f} KiB",
    )
    nothing = empty[-1][name][1]
    yield Figure(
        f"{name}, {sizes}: largest paint of a repeated visit, against an empty organization's",
        COST,
        tuple(
            many[name][1].paint_seconds / few[name][1].paint_seconds
            for many, few in zip(full, empty, strict=True)
        ),
        behind=f"{milliseconds(again.paint_seconds)} against {milliseconds(nothing.paint_seconds)}; "
        f"{milliseconds(first.paint_seconds)} the first time",
    )
    yield Figure(
        f"{name}, {sizes}: layout shift",
        SHIFT,
        tuple(max(visit.shift for visit in one[name]) for one in full),
        STEADY,
    )


def _visits(browser: Browser, url: str, session: str) -> Visits:
    """Visit each page twice, the first time with nothing cached."""
    return {name: _twice(browser, url, path, session) for name, path in PAGES.items()}


def _twice(browser: Browser, url: str, path: str, session: str) -> tuple[Visit, Visit]:
    with _signed_in(browser, url, session) as context:
        return _visit(context, f"{url}{path}"), _visit(context, f"{url}{path}")


@contextmanager
def _signed_in(browser: Browser, url: str, session: str) -> Iterator[BrowserContext]:
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    context.set_default_timeout(_PATIENCE_MS)
    context.add_cookies([{"name": "sessionid", "value": session, "url": url}])
    try:
        yield context
    finally:
        context.close()


def _visit(context: BrowserContext, address: str) -> Visit:
    page = context.new_page()
    received: list[int] = []
    network = context.new_cdp_session(page)
    network.send("Network.enable")
    network.on("Network.loadingFinished", lambda event: received.append(int(event["encodedDataLength"])))
    page.goto(address, wait_until="networkidle")
    _wait_for_charts(page)
    found: Any = page.evaluate(_METRICS)
    page.close()
    return Visit(sum(received), found[0] / 1000, found[1])


def _wait_for_charts(page: Page) -> None:
    if page.locator("[data-chart]").count():
        page.locator(_DRAWN).first.wait_for()
    page.wait_for_timeout(_SETTLED_MS)
