"""A real browser before the application, and every complaint of the browser written down."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from django.conf import settings
from playwright.sync_api import Browser, ConsoleMessage, Page, expect

from core import clock
from organizations.models import User
from portal import assets
from tests.browser.chromium import chromium
from tests.browser.looking import Looking, overflow
from tests.portal.pages import add_member, signed_in
from tests.serving import serving_here
from tests.usage.exports import support
from tests.usage.factories import Tenant, at, make_tenant, record
from usage import partitions
from usage.rollups.fold import fold_pending

PASSWORD = "a password of theirs"
PATIENCE_MS = 15_000


@dataclass
class Visit:
    """A page in a browser of its own, at a server, with what the browser complained about."""

    page: Page
    url: str
    complaints: list[str] = field(default_factory=list)

    def sign_in(self, tenant: Tenant, role: str = "owner", *, user: User | None = None) -> None:
        """Be signed in as a member, by default somebody new with that role, and wait for the Overview.

        The form for it is gone through by those tests that are about it (`people.enter`).
        """
        session = signed_in(user or add_member(tenant, role)).cookies[settings.SESSION_COOKIE_NAME]
        self.page.context.add_cookies([{"name": session.key, "value": session.value, "url": self.url}])
        self.page.goto(f"{self.url}/")
        self.page.get_by_role("heading", name="Overview").wait_for()

    def figure(self, name: str) -> str:
        """Return the exact figure of that name."""
        value = self.page.locator(f"#figure-{name} data").get_attribute("value")
        assert value is not None
        return value

    def overflow(self) -> int:
        """Return by how many pixels the page is wider than its window."""
        return overflow(self.page)

    def listen(self) -> None:
        """Write down every error and warning from now on; a violated policy is among them."""
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.complaints.append(message.text)


@pytest.fixture(autouse=True)
def _forget_partitions() -> Iterator[None]:
    partitions.forget()
    yield
    partitions.forget()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium; without it the tests fail."""
    assets.build()
    expect.set_options(timeout=PATIENCE_MS)
    with pytest.MonkeyPatch.context() as patch, chromium() as running:
        # Playwright keeps a loop of its own in this thread, in which nothing of Django's ever runs.
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        yield running


@pytest.fixture
def url(transactional_db: None) -> Iterator[str]:
    """Where the application answers; a module that needs a process of its own gives that one's address."""
    with serving_here() as address:
        yield address


@pytest.fixture
def acme(transactional_db: None) -> Tenant:
    """An organization in Berlin."""
    return make_tenant("Acme", timezone="Europe/Berlin", currency="EUR")


@pytest.fixture
def open_page(browser: Browser, url: str) -> Iterator[Callable[..., Visit]]:
    """A function that opens a page: `open_page(width=360, theme="dark")`; nothing is complained of."""
    visits: list[Visit] = []

    def open_page(*, width: int = 1440, theme: str = "light") -> Visit:
        context = browser.new_context(
            viewport={"width": width, "height": 900},
            color_scheme="dark" if theme == "dark" else "light",
            permissions=["clipboard-read", "clipboard-write"],
        )
        context.set_default_timeout(PATIENCE_MS)
        visit = Visit(context.new_page(), url)
        visit.listen()
        visits.append(visit)
        return visit

    yield open_page
    for visit in visits:
        visit.page.context.close()
    assert [complaint for visit in visits for complaint in visit.complaints] == []


@pytest.fixture
def visit(open_page: Callable[..., Visit]) -> Visit:
    """A page 1440 pixels wide, by day."""
    return open_page()


@pytest.fixture
def looking() -> Iterator[Looking]:
    """What is looked at must be accessible and fit."""
    one = Looking()
    yield one
    assert one.wrong == {}


@pytest.fixture
def used(acme: Tenant) -> Tenant:
    """An organization with records of many days, errors, models, capabilities and an export."""
    now = clock.now()
    acme.api.keep(
        *(
            record(
                f"{days}-{place}",
                timestamp=at(now - timedelta(days=days, hours=place)),
                model=f"model-{place}",
                capability=("chat", "search", "parsing")[place % 3],
                endpoint=f"/v1/{place % 2}",
                conversationId=f"conversation-{days}",
                tokens={"prompt": 1234 * (place + 1), "completion": 67},
                cost=f"0.{days + 10}1234567",
                latencyMs=120 + place,
                status="error" if place == 3 else "success",
                statusCode=503 if place == 3 else 200,
                errorType="overloaded" if place == 3 else None,
                quantities={"conversations": 1, "messages": 4, "pages": 2},
                meta={"team": "search"},
            )
            for days in range(40)
            for place in range(4)
        )
    )
    fold_pending()
    support.write(acme, support.ask(acme))
    return acme
