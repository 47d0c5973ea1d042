"""Repricings in the operator's admin: who may start, watch and cancel them, and what the pages say."""

from __future__ import annotations

import re
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.test import Client

from billing.models import Repricing
from billing.repricings import run, services
from organizations.models import User
from organizations.tenancy import system_scope
from tests.billing.repricings.support import ask, figures, know, stored, use
from tests.portal.pages import HTMX, signed_in, table, text
from tests.usage.factories import NOW, Tenant
from usage.rollups.fold import fold_pending

pytestmark = pytest.mark.django_db

LIST = "/admin/billing/repricing/"
NEW = f"{LIST}add/"
CHECKED = r'name="dry_run"[^>]* checked'
FORM = {"window_start": "", "window_end": ""}


@pytest.fixture
def operator(db: None) -> Client:
    """Somebody who may do everything, signed in."""
    return signed_in(User.objects.create_superuser("operator@example.org", "x"))


def helper(*permissions: str) -> Client:
    """Return a client of a member of staff with some permissions."""
    user = User.objects.create_user(f"{uuid4()}@example.org", "x", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    assert user.user_permissions.count() == len(permissions)
    return signed_in(user)


def page_of(repricing: Repricing) -> str:
    return f"{LIST}{repricing.pk}/change/"


def test_a_dry_run_is_started_watched_and_followed_by_the_real_one(operator: Client, acme: Tenant) -> None:
    use(acme, 3)
    use(acme, 2, model="unknown-1")
    know()
    form = operator.get(NEW)
    assert re.search(CHECKED, form.content.decode())
    answer = operator.post(NEW, {**FORM, "organization": acme.id, "dry_run": "on"})
    with system_scope():
        tried = Repricing.objects.get()
    assert (answer.status_code, answer["Location"]) == (302, page_of(tried))
    assert (tried.organization_id, tried.dry_run, str(tried.requested_by)) == (
        acme.id,
        True,
        "operator@example.org",
    )
    waiting = operator.get(page_of(tried))
    assert "Waiting for a worker." in text(waiting)
    assert 'hx-trigger="every 2s"' in waiting.content.decode()

    run.run_repricing(tried.pk)
    done = operator.get(page_of(tried))
    assert "3 records would be priced, 2 would still have no price." in text(done)
    assert "hx-trigger" not in done.content.decode()
    assert [row[1:] for row in table(done, "parts")] == [["5 of 5", "3", "0.000000036 USD", "2", "Done"]]
    assert table(done, "left") == [["unknown-1", "us", "2"]]

    again = f"{NEW}?like={tried.pk}"
    assert again in done.content.decode()
    offered = operator.get(again).content.decode()
    assert not re.search(CHECKED, offered)
    assert f'<option value="{acme.id}" selected>' in offered
    answer = operator.post(again, {**FORM, "organization": acme.id})
    with system_scope():
        real = Repricing.objects.get(dry_run=False)
    run.run_repricing(real.pk)
    said = text(operator.get(answer["Location"]))
    assert "3 records priced, 2 still without a price." in said
    assert "Reprice these records" not in said
    assert figures(acme) == (5, 2, 36)


def test_while_it_runs_the_page_renews_a_part_of_itself_until_it_ended(
    operator: Client, acme: Tenant
) -> None:
    use(acme, 4)
    know()
    asked = ask(acme)
    address = f"{LIST}{asked.pk}/progress/"
    assert services.claim(asked.pk)
    part = operator.get(address, headers=HTMX)
    assert "Counting the records that have no price." in text(part)
    assert "<html" not in part.content.decode()
    assert "HX-Refresh" not in part
    with system_scope():
        Repricing.objects.update(state="queued")
    run.run_repricing(asked.pk)
    assert operator.get(address, headers=HTMX)["HX-Refresh"] == "true"
    assert operator.post(address).status_code == 405


def test_all_organizations_are_listed_with_the_most_records_first(
    operator: Client, acme: Tenant, globex: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(acme, 1)
    use(globex, 2)
    know()
    operator.post(NEW, FORM)
    with system_scope():
        asked = Repricing.objects.get()
    assert (asked.organization_id, asked.dry_run) == (None, False)
    run.run_repricing(asked.pk)
    page = operator.get(page_of(asked))
    assert "All organizations" in text(page)
    assert [row[2] for row in table(page, "parts")] == ["2", "1"]
    assert "2 of 2" in text(page)
    assert "3 of 3, 3 priced" in text(operator.get(LIST))
    monkeypatch.setattr("billing.admin.repricing_page.SHOWN", 1)
    assert "And 1 more organization," in text(operator.get(page_of(asked)))


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        (
            {"window_start": "2026-07-02T00:00", "window_end": "2026-07-01T00:00"},
            "The window must end after it starts.",
        ),
        ({"window_start": "yesterday"}, "Enter a valid date/time."),
        ({"organization": "999999"}, "Select a valid choice."),
    ],
)  # fmt: skip
def test_what_can_not_be_repriced_is_said_at_its_field(
    operator: Client, fields: dict[str, str], said: str
) -> None:
    answer = operator.post(NEW, {**FORM, "organization": "", **fields})
    assert (answer.status_code, said in text(answer)) == (200, True)
    with system_scope():
        assert not Repricing.objects.exists()


def test_what_is_being_repriced_is_not_started_again(operator: Client, acme: Tenant) -> None:
    ask(acme)
    answer = operator.post(NEW, {**FORM, "organization": acme.id})
    assert "A repricing of these records is queued or running" in text(answer)
    assert operator.post(NEW, {**FORM, "organization": acme.id, "dry_run": "on"}).status_code == 302


def test_it_is_cancelled_once_and_that_is_noted(operator: Client, acme: Tenant) -> None:
    asked = ask(acme)
    page = operator.get(page_of(asked)).content.decode()
    cancel = f"{LIST}{asked.pk}/cancel/"
    assert f'action="{cancel}"' in page
    assert operator.get(cancel).status_code == 405
    assert "Cancelled. What was priced until then stays." in text(operator.post(cancel, follow=True))
    assert stored(asked).state == "cancelled"
    assert "It had ended already." in text(operator.post(cancel, follow=True))
    [entry] = LogEntry.objects.filter(object_id=str(asked.pk))
    assert (entry.change_message, str(entry.user)) == ("Cancelled.", "operator@example.org")
    with system_scope():
        event = Repricing.pgh_event_model.objects.order_by("pgh_id").last()  # type: ignore[attr-defined]
    assert (event.state, event.pgh_context["kind"]) == ("cancelled", "user")


def test_that_it_was_started_is_noted(operator: Client, acme: Tenant) -> None:
    operator.post(NEW, {**FORM, "organization": acme.id, "dry_run": "on"})
    with system_scope():
        asked = Repricing.objects.get()
    assert [entry.object_id for entry in LogEntry.objects.all()] == [str(asked.pk)]


@pytest.mark.parametrize(
    ("permissions", "may"),
    [
        ([], set()),
        (["view_repricing"], {"see"}),
        (["view_repricing", "add_repricing"], {"see", "start"}),
        (["view_repricing", "change_repricing"], {"see", "cancel"}),
        (["view_price", "add_price"], set()),
    ],
)
def test_who_may_see_start_and_cancel(acme: Tenant, permissions: list[str], may: set[str]) -> None:
    asked = ask(acme)
    client = helper(*permissions)

    def allowed(response: Any) -> bool:
        assert response.status_code in (200, 302, 403)
        return bool(response.status_code != 403)

    for path in (LIST, page_of(asked), f"{LIST}{asked.pk}/progress/"):
        assert allowed(client.get(path)) is ("see" in may)
    assert allowed(client.get(NEW)) is ("start" in may)
    assert allowed(client.post(NEW, {**FORM, "dry_run": "on"})) is ("start" in may)
    if "see" in may:
        offered = f"/{asked.pk}/cancel/" in client.get(page_of(asked)).content.decode()
        assert offered is ("cancel" in may)
    assert allowed(client.post(f"{LIST}{asked.pk}/cancel/")) is ("cancel" in may)
    assert stored(asked).state == ("cancelled" if "cancel" in may else "queued")
    with system_scope():
        assert Repricing.objects.count() == (2 if "start" in may else 1)


def test_one_is_neither_edited_nor_removed(operator: Client, acme: Tenant) -> None:
    asked = ask(acme)
    operator.post(page_of(asked), {**FORM, "dry_run": "on"})
    assert not stored(asked).dry_run
    assert operator.post(f"{LIST}{asked.pk}/delete/", {"post": "yes"}).status_code == 403
    assert stored(asked).window_start is None


def test_one_that_is_not_there_is_not_found(operator: Client) -> None:
    for name in ("progress", "change"):
        assert operator.get(f"{LIST}{uuid4()}/{name}/").status_code == 404
    assert operator.get(f"{NEW}?like={uuid4()}").status_code == 200
    assert operator.get(f"{NEW}?like=x").status_code == 200


def test_the_dashboard_leads_to_repricing_those_who_may(operator: Client, acme: Tenant) -> None:
    use(acme, 2)
    fold_pending()
    link = f'href="{NEW}"'
    assert "reprice what came without one" in text(operator.get("/admin/"))
    assert link in operator.get("/admin/").content.decode()
    assert link not in helper("view_organization").get("/admin/").content.decode()
    ask(acme)
    assert "Repricings under way 1" in text(operator.get("/admin/"))


def test_the_real_one_is_offered_for_the_window_of_the_dry_run(operator: Client, acme: Tenant) -> None:
    asked = ask(acme, start=NOW, dry_run=True)
    form = operator.get(f"{NEW}?like={asked.pk}").content.decode()
    [start] = re.findall(r'name="window_start" value="([^"]+)"', form)
    operator.post(NEW, {**FORM, "organization": acme.id, "window_start": start})
    with system_scope():
        assert Repricing.objects.get(dry_run=False).window_start == NOW.replace(microsecond=0)


def test_the_windows_bounds_are_shown(operator: Client, acme: Tenant) -> None:
    asked = ask(acme, start=NOW, dry_run=True)
    said = text(operator.get(page_of(asked)))
    assert f"Records from {NOW.day} {NOW:%b %Y, %H:%M}" in said
    assert "Records before now" in said
