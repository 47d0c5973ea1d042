"""Imports in a real browser: a file uploaded, mapped, previewed, followed to its end, found in the logs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from organizations.tenancy import tenant_scope
from tests.browser.conftest import Visit
from tests.browser.looking import look
from tests.usage.factories import Tenant
from tests.usage.imports.jobs.support import begin, table, upload
from usage.imports.jobs.job import run_import
from usage.models import Import

CSV = (
    "TIMESTAMP,ContextTokens,GeneratedTokens,Team\n"
    "2026-06-01 10:00:00,374,44,search\n"
    "2026-06-01 10:01:00,many,109,search\n"
    "2026-06-01 10:02:00,879,55,chat\n"
)


@pytest.fixture(autouse=True)
def _nobody_told(monkeypatch: pytest.MonkeyPatch) -> None:
    # No worker listens in the tests: turns are taken by hand.
    monkeypatch.setattr("usage.imports.jobs.services.enqueue", lambda *args: True)
    monkeypatch.setattr("usage.imports.jobs.sweep.enqueue", lambda *args: True)


def only(tenant: Tenant) -> Import:
    with tenant_scope(tenant.id):
        return Import.objects.get()


def test_a_file_is_uploaded_mapped_previewed_and_followed_to_its_records(
    acme: Tenant, visit: Visit, tmp_path: Path
) -> None:
    (tmp_path / "calls.csv").write_text(CSV)
    page = visit.page
    visit.sign_in(acme)
    page.get_by_role("link", name="Imports").click()
    page.locator("#id_file").set_input_files(tmp_path / "calls.csv")
    page.get_by_role("button", name="Upload").click()
    expect(page.get_by_role("heading", name="calls.csv")).to_be_visible()
    expect(page.get_by_label("Field for the column TIMESTAMP")).to_have_value("timestamp")
    page.get_by_label("Field for the column ContextTokens").select_option("tokens.prompt")
    page.get_by_label("Field for the column GeneratedTokens").select_option("tokens.completion")
    expect(page.get_by_label("Key or meter for the column Team")).to_be_hidden()
    page.get_by_label("Field for the column Team").select_option("Metadata…")
    page.get_by_label("Key or meter for the column Team").fill("team")
    expect(page.locator("#preview").get_by_text("enter the type of all records")).to_be_visible()
    page.get_by_label("Type", exact=True).fill("conversation.completion")
    page.get_by_label("Model", exact=True).fill("gpt-4")
    page.get_by_label("Model", exact=True).blur()
    expect(page.get_by_text("All 3 lines were checked: 1 would be refused.")).to_be_visible()
    expect(page.locator("#records tbody tr")).to_have_count(2)
    expect(page.locator("#refused tbody")).to_contain_text(
        "tokens.prompt must be a whole number, not 'many'."
    )
    page.get_by_role("button", name="Start import").click()
    expect(page.locator("#state")).to_have_text("Queued")
    one = only(acme)
    assert run_import(one.pk, acme.id) == 2
    # The page finds out by itself.
    expect(page.locator("#state")).to_have_text("Done")
    expect(page.locator("#count-accepted .value")).to_have_text("2")
    expect(page.locator("#count-refused .value")).to_have_text("1")
    expect(page.locator("#refused tbody th")).to_have_text("3")
    with page.expect_download() as file:
        page.get_by_role("link", name="Download all as CSV").click()
    assert file.value.path().read_text().splitlines()[1].startswith("3,ContextTokens,tokens.prompt,")
    page.get_by_role("link", name="Usage logs,").click()
    page.wait_for_url("**/logs/?*")
    expect(page.locator("#records tbody tr")).to_have_count(2)
    expect(page.locator("#records tbody tr").first).to_contain_text("934")


def test_without_scripts_the_preview_is_updated_by_its_button(
    acme: Tenant, open_page: Callable[..., Visit], tmp_path: Path
) -> None:
    (tmp_path / "calls.ndjson").write_text('{"kind": "chat", "use": {"in": 3}}\n')
    visit = open_page()
    visit.sign_in(acme)
    context = visit.page.context.browser
    assert context is not None
    bare = context.new_context(java_script_enabled=False, storage_state=visit.page.context.storage_state())
    page = bare.new_page()
    page.goto(f"{visit.url}/imports/")
    page.locator("#id_file").set_input_files(tmp_path / "calls.ndjson")
    page.get_by_role("button", name="Upload").click()
    page.get_by_label("Field for the column kind").select_option("type")
    page.get_by_label("Field for the column use.in").select_option("tokens.prompt")
    page.get_by_role("button", name="Update preview").click()
    expect(page.get_by_text("The only line was checked: none would be refused.")).to_be_visible()
    page.get_by_role("button", name="Discard").click()
    expect(page.get_by_text("calls.ndjson was discarded.")).to_be_visible()
    bare.close()


def test_a_file_that_is_too_large_is_told_and_a_running_import_is_cancelled(
    acme: Tenant, settings: Any, visit: Visit, tmp_path: Path
) -> None:
    settings.IMPORT_MAX_BYTES = 1_000_000
    page = visit.page
    (tmp_path / "large.csv").write_text("type\n" + "chat\n" * 600_000)
    visit.sign_in(acme)
    page.goto(f"{visit.url}/imports/")
    page.locator("#id_file").set_input_files(tmp_path / "large.csv")
    page.get_by_role("button", name="Upload").click()
    expect(page.get_by_text("The file is larger than 1 MB.")).to_be_visible()
    # The browser itself reports the status.
    visit.complaints[:] = [one for one in visit.complaints if "413" not in one]
    one = begin(acme, table())
    page.goto(f"{visit.url}/imports/{one.pk}/")
    page.get_by_role("button", name="Cancel import").click()
    expect(page.locator("#state")).to_have_text("Cancelled")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_state_of_an_import_is_accessible_and_fits(
    acme: Tenant, open_page: Callable[..., Visit], theme: str
) -> None:
    visit = open_page(theme=theme)
    visit.sign_in(acme)
    wrong: list[str] = []
    draft = upload(acme, CSV)
    waiting = begin(acme, table())
    done = begin(acme, table(wrong=tuple(range(55))))
    run_import(done.pk, acme.id)
    for one in (draft, waiting, done):
        wrong += look(visit, f"/imports/{one.pk}/")
    wrong += look(visit, "/imports/")
    assert wrong == []
