"""Repricing in a real browser: tried, done and watched by the operator, and told of to members."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from django.db import connections
from playwright.sync_api import expect

from billing.models import Repricing
from billing.repricings import parts, run
from organizations.models import User
from organizations.tenancy import system_scope
from tests.billing.repricings.support import ask, know, use
from tests.browser.conftest import PATIENCE_MS, Visit
from tests.browser.looking import look
from tests.browser.people import enter
from tests.portal.pages import add_member
from tests.usage.factories import Tenant
from usage.rollups.fold import fold_pending


@pytest.fixture
def unpriced(acme: Tenant) -> Tenant:
    """An organization with requests whose price came later, and some that still have none."""
    use(acme, 40, days=3)
    know(currency="EUR")
    use(acme, 2, model="unknown-1")
    fold_pending()
    return acme


@pytest.fixture
def operator(unpriced: Tenant, visit: Visit) -> Visit:
    """Somebody who runs the whole system, signed in, on the admin's first page."""
    user = add_member(unpriced)
    User.objects.filter(pk=user.pk).update(is_staff=True, is_superuser=True)
    enter(visit, user, path="/admin/")
    visit.page.wait_for_url("**/admin/")
    return visit


class Worker:
    """A worker that does one step at a time, when it is told to."""

    def __init__(self) -> None:
        self._may = threading.Semaphore(0)
        self._note = parts.note_step

    def step(self, *args: object) -> None:
        assert self._may.acquire(timeout=60)
        self._note(*args)  # type: ignore[arg-type]

    def go(self, steps: int = 1) -> None:
        """Let it do some more steps."""
        self._may.release(steps)


@contextmanager
def working(monkeypatch: pytest.MonkeyPatch, repricing: Repricing) -> Iterator[Worker]:
    """Have a worker do a repricing beside what the browser does, in steps of ten records."""
    worker = Worker()
    monkeypatch.setattr(parts, "note_step", worker.step)
    monkeypatch.setattr("billing.repricings.sweep.enqueue", lambda repricing_id: True)

    def work() -> None:
        try:
            run.run_repricing(repricing.pk, chunk=10)
        finally:
            connections.close_all()

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield worker
    finally:
        worker.go(100)
        thread.join(60)
        assert not thread.is_alive()


def newest() -> Repricing:
    with system_scope():
        return Repricing.objects.order_by("-created_at")[0]


def test_a_dry_run_and_a_real_one_are_watched_to_their_end_and_costs_change(
    operator: Visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = operator.page
    page.get_by_role("link", name="reprice what came without one").click()
    expect(page.get_by_label("Dry run")).to_be_checked()
    page.get_by_role("button", name="Start").click()
    expect(page.locator("#said")).to_have_text("Waiting for a worker.")
    expect(page.locator("#progress progress")).to_be_visible()
    with working(monkeypatch, newest()) as worker:
        worker.go()
        expect(page.locator("#said")).to_contain_text("of 42 records looked at")
        expect(page.locator("#state")).to_have_text("Running")
        worker.go(100)
        expect(page.locator("#state")).to_have_text("Done")
    expect(page.locator("#said")).to_contain_text("40 records would be priced, 2 would still have no price.")
    expect(page.locator("#left tbody tr")).to_contain_text(["unknown-1"])

    page.get_by_role("link", name="Reprice these records").click()
    expect(page.get_by_label("Dry run")).not_to_be_checked()
    page.get_by_role("button", name="Start").click()
    expect(page.locator("#state")).to_have_text("Queued")
    with working(monkeypatch, newest()) as worker:
        worker.go()
        expect(page.locator("#progress progress")).to_have_js_property("max", 42)
        page.goto(f"{operator.url}/costs/")
        expect(page.get_by_role("heading", name="Repricing is under way")).to_be_visible()
        expect(page.get_by_role("heading", name="requests have no price")).to_be_visible()
        worker.go(100)
        expect(page.locator("#repricing-last")).to_contain_text("40 requests priced, 0.00000048 EUR")
    # The rest of the page follows by itself.
    left = page.get_by_role("heading", name="Unpriced 2 requests have no price")
    expect(left).to_be_visible(timeout=PATIENCE_MS)
    assert operator.figure("cost") == "0.00000048"
    expect(page.get_by_text("0.000000480 so far")).to_be_visible(timeout=4 * PATIENCE_MS)


def test_one_is_cancelled(operator: Visit, unpriced: Tenant) -> None:
    asked = ask(unpriced)
    page = operator.page
    page.goto(f"{operator.url}/admin/billing/repricing/")
    page.locator("#result_list tbody th a").first.click()
    page.get_by_role("button", name="Cancel this repricing").click()
    expect(page.get_by_text("Cancelled. What was priced until then stays.")).to_be_visible()
    expect(page.locator("#state")).to_have_text("Cancelled")
    assert newest().pk == asked.pk


def test_without_javascript_the_page_is_renewed_by_loading_it_again(
    operator: Visit, unpriced: Tenant
) -> None:
    asked = ask(unpriced, dry_run=True)
    context = operator.page.context.browser.new_context(  # type: ignore[union-attr]
        java_script_enabled=False, storage_state=operator.page.context.storage_state()
    )
    try:
        page = context.new_page()
        page.goto(f"{operator.url}/admin/billing/repricing/{asked.pk}/change/")
        expect(page.locator("#said")).to_have_text("Waiting for a worker.")
        run.run_repricing(asked.pk)
        page.get_by_role("link", name="Reload").click()
        expect(page.locator("#state")).to_have_text("Done")
    finally:
        context.close()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_pages_are_accessible_and_fit(
    unpriced: Tenant, open_page: Callable[..., Visit], theme: str
) -> None:
    run.run_repricing(ask(dry_run=True).pk)
    done, waiting = newest(), ask(unpriced)
    user = add_member(unpriced)
    User.objects.filter(pk=user.pk).update(is_staff=True, is_superuser=True)
    visit = open_page(theme=theme)
    visit.sign_in(unpriced, user=user)
    wrong: list[str] = []
    for path in (
        "/costs/",
        "/costs/repricing/",
        "/admin/billing/repricing/add/",
        f"/admin/billing/repricing/{done.pk}/change/",
        f"/admin/billing/repricing/{waiting.pk}/change/",
    ):
        wrong += look(visit, path)
    assert wrong == []
