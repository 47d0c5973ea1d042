"""What people who sign in do in a browser."""

from __future__ import annotations

import time
from typing import Final

from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from playwright.sync_api import Page, expect

from organizations.models import User
from tests.browser.conftest import PASSWORD, Visit

STEP_SECONDS: Final = 30


def enter(visit: Visit, user: User, *, password: str = PASSWORD, path: str = "/") -> None:
    """Go somewhere, and sign in on the way."""
    page = visit.page
    page.goto(f"{visit.url}{path}")
    page.get_by_label("E-mail address").fill(user.email)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()


def code(secret: str, *, later: int = 0) -> str:
    """Return the code that an app with this secret shows now, or some steps later."""
    return str(format_hotp_value(hotp_value(secret, int(time.time()) // STEP_SECONDS + later)))


def confirm(page: Page) -> None:
    """Say the password once more, as changes of second factors ask for."""
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Confirm").click()


def sign_out(page: Page) -> None:
    """Sign out by the menu."""
    page.locator(".menu.end summary").click()
    page.get_by_role("button", name="Sign out", exact=True).click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def statuses(visit: Visit, *codes: int) -> None:
    """Forget that the browser itself reported these statuses."""
    visit.complaints[:] = [one for one in visit.complaints if not any(f"{code} (" in one for code in codes)]
