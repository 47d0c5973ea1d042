"""The pages of imports: a file is uploaded, its columns are chosen, it is previewed, started and followed."""

from __future__ import annotations

import gzip
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from organizations.tenancy import tenant_scope
from tests.portal.pages import HTMX, sign_in, table, text
from tests.usage.factories import NOW, Tenant, make_tenant
from tests.usage.imports.jobs.support import begin, stored, upload, work
from usage.imports.jobs import services, sweep
from usage.models import Import, Record

pytestmark = pytest.mark.django_db

CSV = "TIMESTAMP,In,Out,Team\n2026-06-01 10:00:00,5,2,a\n2026-06-01 10:01:00,many,2,b\n"
FORM = {
    "field-0": "timestamp",
    "field-1": "tokens.prompt",
    "field-2": "tokens.completion",
    "field-3": "meta.",
    "type": "chat",
    "timezone": "UTC",
}


@pytest.fixture(autouse=True)
def place(tmp_path: Path, settings: Any) -> Path:
    """A directory of the test's own for files."""
    settings.IMPORT_DIR = tmp_path
    settings.IMPORT_WORK_DIR = tmp_path / "unfinished"
    storage = settings.STORAGES["imports"]
    options = {**storage["OPTIONS"], "location": tmp_path}
    settings.STORAGES = {**settings.STORAGES, "imports": {**storage, "OPTIONS": options}}
    return tmp_path


@pytest.fixture(autouse=True)
def _nobody_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "enqueue", lambda *args: True)
    monkeypatch.setattr(sweep, "enqueue", lambda *args: True)


def send(client: Client, content: str | bytes, name: str = "calls.csv") -> Any:
    """Upload a file as a browser does."""
    body = content.encode() if isinstance(content, str) else content
    return client.post("/imports/", {"file": SimpleUploadedFile(name, body)})


def address(tenant: Tenant) -> str:
    """Return where the one import of a tenant is."""
    with tenant_scope(tenant.id):
        return f"/imports/{Import.objects.get().pk}/"


def form(tenant: Tenant, **changes: str) -> dict[str, str]:
    """Return what the page of a draft sends."""
    return {**FORM, "client_id": tenant.client_id, **changes}


def test_an_upload_leads_to_its_columns_with_nothing_stored(acme: Tenant, member: Client) -> None:
    answer = send(member, CSV)
    assert (answer.status_code, answer["Location"]) == (302, address(acme))
    page = member.get(answer["Location"])
    shown = page.content.decode()
    assert "CSV, separated by commas" in shown
    assert re.findall(r'<option value="([^"]+)" selected', shown) == ["timestamp", acme.client_id, "UTC"]
    assert "2026-06-01 10:01:00" in shown
    assert "Complete the fields above" in text(page)
    with tenant_scope(acme.id):
        assert not Record.objects.exists()


def test_the_preview_says_what_the_lines_would_become_and_which_would_be_refused(
    acme: Tenant, member: Client
) -> None:
    send(member, CSV)
    assert member.post(address(acme), form(acme)).status_code == 302
    page = member.get(address(acme))
    assert "All 2 lines were checked: 1 would be refused." in text(page)
    assert table(page, "records") == [["1 Jun 2026, 12:00:00", "chat", "First key", "–", "5", "2"]]
    assert table(page, "refused") == [
        [
            "3",
            (
                "tokens.prompt must be a whole number, not &#x27;many&#x27;."
                "<small>Column In, field tokens.prompt</small>"
            ),
        ]
    ]
    # Metadata goes by the column's name unless it has a key.
    with tenant_scope(acme.id):
        assert Import.objects.get().chosen["columns"]["Team"] == "meta.Team"
        assert not Record.objects.exists()


def test_changing_the_mapping_shows_the_preview_anew_with_htmx_too(acme: Tenant, member: Client) -> None:
    send(member, CSV)
    page = member.post(address(acme), form(acme, **{"field-1": ""}), headers=HTMX)
    assert page.status_code == 200
    assert "All 2 lines were checked: none would be refused." in text(page)
    assert "<html" not in page.content.decode()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"type": ""}, "Choose the column that has the type, or enter the type of all records."),
        ({"field-2": "tokens.prompt"}, "The column In fills tokens.prompt already."),
        ({"field-3": "type"}, "The column Team has it already: leave one of them out."),
        (
            {"field-3": "quantities.", "key-3": "no meter!"},
            "A meter has up to 100 letters, digits and _ . : / -",
        ),
        ({"field-3": "nonsense"}, "Select a valid choice. nonsense is not one of the available choices."),
        ({"client_id": "cl_other"}, "Select a valid choice. cl_other is not one of the available choices."),
        ({"model": "m" * 201}, "Ensure this value has at most 200 characters"),
    ],
)
def test_a_mapping_that_will_not_do_is_told_at_its_field_and_not_kept(
    acme: Tenant, member: Client, changes: dict[str, str], said: str
) -> None:
    send(member, CSV)
    page = member.post(address(acme), form(acme, **changes, start="1"))
    assert page.status_code == 422
    assert said in text(page)
    assert member.post(address(acme), form(acme, **changes), headers=HTMX).status_code == 200
    with tenant_scope(acme.id):
        one = Import.objects.get()
        assert (one.state, one.chosen["constants"]) == ("draft", {})


def test_a_started_import_is_followed_to_its_end_with_its_refused_lines(acme: Tenant, member: Client) -> None:
    send(member, CSV)
    assert member.post(address(acme), form(acme, start="1")).status_code == 302
    waiting = member.get(address(acme), headers=HTMX)
    assert "Waiting for a worker." in text(waiting)
    assert 'hx-trigger="every 1s' in waiting.content.decode()
    with tenant_scope(acme.id):
        done = work(Import.objects.get())
    page = member.get(address(acme))
    assert "every 1s" not in page.content.decode()
    assert re.findall(r'id="count-(\w+)".*?class="value">([^<]*)<', page.content.decode()) == [
        ("accepted", "1"),
        ("duplicates", "0"),
        ("refused", "1"),
    ]
    assert [row[0] for row in table(page, "refused")] == ["3"]
    file: Any = member.get(f"{address(acme)}refused/")
    assert b"".join(file.streaming_content).decode().splitlines() == [
        "line,column,field,reason",
        "3,In,tokens.prompt,\"tokens.prompt must be a whole number, not 'many'.\"",
    ]
    logs = re.search(r'href="(/logs/[^"]+)"', page.content.decode())
    assert logs is not None
    assert len(table(member.get(logs[1].replace("&amp;", "&")), "records")) == 1
    listed = table(member.get("/imports/"), "imports")
    assert listed[0][2] == "1 accepted, 1 refused"
    assert member.post(address(acme), form(acme)).status_code == 302
    assert stored(done).state == "done"


def test_the_logs_are_led_to_only_where_they_show_the_whole_time(acme: Tenant, stopped_clock: Any) -> None:
    free = make_tenant("Free", plan="free")
    member = sign_in(free)
    one = begin(
        free, CSV.replace("2026-06", "2026-01"), {"TIMESTAMP": "timestamp", "In": "", "Out": "", "Team": ""}
    )
    page = member.get(f"/imports/{one.pk}/")
    assert work(one).accepted == 2
    page = member.get(f"/imports/{one.pk}/")
    assert "Usage logs," not in text(page)


def test_a_plan_with_a_short_history_says_so(acme: Tenant) -> None:
    free = make_tenant("Free", plan="free")
    member = sign_in(free)
    draft = upload(free, "type\nchat\n")
    page = text(member.get(f"/imports/{draft.pk}/"))
    assert "Older records are taken in, but not shown, and are removed again." in page
    assert "No column is the timestamp: every record is dated with the time of the import." in page


def test_a_running_import_shows_how_far_it_has_come_and_is_cancelled(acme: Tenant, member: Client) -> None:
    one = begin(acme, CSV)
    claimed = services.claim(import_id=one.pk, organization_id=acme.id)
    assert claimed is not None
    assert services.note(claimed, services.Progress(40, 1, 0, 0, NOW, NOW, ()))
    page = member.get(address(acme))
    assert f'value="40" max="{len(CSV)}"' in page.content.decode()
    assert f"40 bytes of {len(CSV)} bytes read." in text(page)
    assert member.post(f"{address(acme)}cancel/")["Location"] == address(acme)
    assert "Cancelled" in text(member.get(address(acme)))
    member.post(f"{address(acme)}cancel/")
    assert "The import had ended already." in text(member.get(address(acme)))


def test_a_draft_is_discarded(acme: Tenant, member: Client, place: Path) -> None:
    send(member, CSV)
    gone = address(acme)
    assert member.post(f"{gone}cancel/")["Location"] == "/imports/"
    page = member.get("/imports/")
    assert "calls.csv was discarded." in text(page)
    assert "Nothing was imported yet." in text(page)
    assert member.get(gone).status_code == 404


def test_a_draft_whose_file_is_gone_can_only_be_discarded(acme: Tenant, member: Client, place: Path) -> None:
    send(member, CSV)
    with tenant_scope(acme.id):
        (place / Import.objects.get().file).unlink()
    page = member.get(address(acme))
    assert "The file is gone. Upload it again." in text(page)
    assert "Discard" in text(page)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "The file is empty."),
        ("[]", "This is a JSON array; write one object a line"),
        (gzip.compress(CSV.encode(), mtime=0)[:30], "The file can't be read to its end"),
    ],
)
def test_a_file_that_will_not_do_is_refused_in_words(
    acme: Tenant, member: Client, content: str | bytes, said: str
) -> None:
    page = send(member, content)
    assert page.status_code == 422
    assert said in text(page)


def test_a_form_without_a_file_is_refused(acme: Tenant, member: Client) -> None:
    page = member.post("/imports/")
    assert (page.status_code, "Choose a file." in text(page)) == (422, True)


@pytest.mark.parametrize("size", [10_001, 100_000, 60_000])
def test_a_file_that_is_too_large_is_refused_and_nothing_is_kept(
    acme: Tenant, member: Client, place: Path, settings: Any, size: int
) -> None:
    settings.IMPORT_MAX_BYTES = 10_000
    page = send(member, b"x" * size)
    assert page.status_code == 413
    assert "The file is larger than 10 kB. Divide it, or compress it with gzip." in text(page)
    assert list(place.rglob("*")) == []


def test_a_file_of_just_the_size_is_taken(acme: Tenant, member: Client, settings: Any) -> None:
    settings.IMPORT_MAX_BYTES = len(CSV)
    assert send(member, CSV).status_code == 302


def test_files_are_read_for_members_at_the_page_of_imports_alone(acme: Tenant, member: Client) -> None:
    file = {"file": SimpleUploadedFile("a.csv", CSV.encode())}
    for client, path in ((Client(), "/imports/"), (member, "/exports/"), (Client(), "/sign-in/")):
        answer = client.post(path, {"first": "no day", **file})
        assert not answer.wsgi_request.FILES, path


def test_a_sixth_import_ahead_is_refused(acme: Tenant, member: Client) -> None:
    for _ in range(services.MOST_AHEAD):
        assert send(member, CSV).status_code == 302
    page = send(member, CSV)
    assert (page.status_code, "5 imports are drafts or under way" in text(page)) == (422, True)


def test_the_list_goes_on_in_pages(
    acme: Tenant, member: Client, stopped_clock: time_machine.Traveller
) -> None:
    for number in range(22):
        stopped_clock.shift(timedelta(seconds=1))
        services.cancel(begin(acme, CSV))
        with tenant_scope(acme.id):
            Import.objects.filter(name="calls.csv").update(name=f"file-{number}")
    first = member.get("/imports/")
    assert len(table(first, "imports")) == 20
    older = re.search(r'rel="next" href="([^"]+)"', first.content.decode())
    assert older is not None
    rest = member.get(older[1])
    assert ["file-1" in row[0] or "file-0" in row[0] for row in table(rest, "imports")] == [True, True]
    assert "every" not in rest.content.decode().partition('id="live"')[2][:200]


def test_what_a_page_asks_of_the_database_does_not_grow(acme: Tenant, member: Client) -> None:
    def asked(path: str) -> int:
        with CaptureQueriesContext(connection) as queries:
            assert member.get(path).status_code == 200
        return len(queries)

    begin(acme, CSV)
    few = asked("/imports/")
    draft = upload(acme, CSV)
    assert member.post(f"/imports/{draft.pk}/", form(acme)).status_code == 302
    small = asked(f"/imports/{draft.pk}/")
    services.cancel(draft)
    begin(acme, CSV)
    draft = upload(acme, CSV + "2026-06-01 10:00:00,5,2,a\n" * 2_000)
    assert member.post(f"/imports/{draft.pk}/", form(acme)).status_code == 302
    assert asked("/imports/") == few
    assert asked(f"/imports/{draft.pk}/") == small
    assert "The first 1,000 lines were checked: 1 would be refused." in text(
        member.get(f"/imports/{draft.pk}/")
    )


@pytest.mark.parametrize("role", ["billing", "analyst", "developer"])
def test_members_who_can_not_write_use_are_refused(acme: Tenant, role: str) -> None:
    client = sign_in(acme, role)
    assert client.get("/imports/").status_code == 403
    assert send(client, CSV).status_code == 403
    assert 'href="/imports/"' not in client.get("/").content.decode()
