"""`/exports`: asking, following, downloading; and who may."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
import time_machine
from django.test import Client
from pytest_django import DjangoCaptureOnCommitCallbacks

from organizations.models import Membership, User
from organizations.services import change_plan
from organizations.tenancy import system_scope
from tests.usage.exports.support import ask, download, write
from tests.usage.factories import NOW, Answer, Api, Tenant, at, make_tenant, record
from usage.exports import files, services
from usage.exports.run import run_export
from usage.models import Export

pytestmark = pytest.mark.django_db

ASKED = {"dataset": "records", "format": "csv"}


@pytest.fixture(autouse=True)
def clock(stopped_clock: time_machine.Traveller) -> time_machine.Traveller:
    """Everything here happens at `NOW` unless the test moves the clock."""
    return stopped_clock


def refused(answer: Answer) -> tuple[int, str]:
    return answer.status, answer.body["code"]


def fault(answer: Answer) -> tuple[int, str, str]:
    (error,) = answer.errors
    return answer.status, error["pointer"], error["detail"]


def member(tenant: Tenant, role: str) -> Client:
    """Return the session of a member with a role."""
    with system_scope():
        user = User.objects.create(email=f"{role}-{uuid4().hex}@example.org", password="!")
        Membership.objects.create(organization=tenant.organization, user=user, role=role)
    session = Client()
    session.force_login(user)
    return session


def test_what_is_asked_for_is_answered_with_where_it_can_be_followed(acme: Tenant) -> None:
    answer = acme.api.call(
        "POST",
        "/exports",
        {"dataset": "daily", "format": "xlsx", "from": "2026-07-01T02:00:00+02:00", "to": 1783036800000},
    )
    export_id = answer.body["id"]
    assert answer.status == 202
    assert answer.headers["Location"] == f"http://testserver/api/v1/exports/{export_id}"
    assert answer.body == {
        "id": str(UUID(export_id)),
        "dataset": "daily",
        "format": "xlsx",
        "from": "2026-07-01T00:00:00Z",
        "to": "2026-07-03T00:00:00Z",
        "timezone": "UTC",
        "state": "queued",
        "rowsDone": 0,
        "rowsTotal": None,
        "bytes": None,
        "sums": None,
        "file": None,
        "error": None,
        "attempts": 0,
        "requestedBy": {"user": None, "clientId": acme.client_id},
        "createdAt": at(NOW),
        "startedAt": None,
        "finishedAt": None,
        "expiresAt": None,
    }
    assert acme.api.get(f"/exports/{export_id}").body == answer.body


def test_a_finished_export_says_what_its_file_adds_up_to_and_where_it_is(
    acme: Tenant, clock: time_machine.Traveller
) -> None:
    acme.api.keep(
        record("a", tokens={"prompt": 3, "completion": 4}, cost="1.5"), record("b", cost="0.000000001")
    )
    asked = ask(acme)
    clock.shift(timedelta(seconds=9))

    done = write(acme, asked)

    assert done == {
        **asked,
        "state": "done",
        "rowsDone": 2,
        "rowsTotal": 2,
        "bytes": done["bytes"],
        "sums": {
            "requests": 2,
            "promptTokens": 3,
            "completionTokens": 4,
            "totalTokens": 7,
            "cost": "1.500000001",
        },
        "file": f"http://testserver/api/v1/exports/{asked['id']}/file",
        "attempts": 1,
        "startedAt": at(NOW + timedelta(seconds=9)),
        "finishedAt": at(NOW + timedelta(seconds=9)),
        "expiresAt": at(NOW + timedelta(days=7, seconds=9)),
    }


@pytest.mark.parametrize(
    ("format_", "media_type"),
    [
        ("csv", "text/csv"),
        ("ndjson", "application/x-ndjson"),
        ("parquet", "application/vnd.apache.parquet"),
        ("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    ],
)
def test_a_file_comes_as_an_attachment_with_a_name_that_says_what_it_is(
    acme: Tenant, format_: str, media_type: str
) -> None:
    window = {"from_": "2026-07-01T00:00:00Z", "to": "2026-07-08T00:00:00Z"}
    done = write(acme, ask(acme, "costs", format_, **window))
    answer = download(acme, done)
    slug = acme.organization.slug
    assert answer.status == 200
    assert answer.headers["Content-Type"] == media_type
    name = f"{slug}-costs-2026-07-01-to-2026-07-07.{format_}"
    assert answer.headers["Content-Disposition"] == f'attachment; filename="{name}"'
    assert answer.headers["Content-Length"] == str(done["bytes"])
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_a_file_of_the_whole_history_is_named_by_its_last_day_that_has_begun(acme: Tenant) -> None:
    answer = download(acme, write(acme, ask(acme)))
    assert "-records-2016-07-07-to-2026-07-15.csv" in answer.headers["Content-Disposition"]


def test_without_a_window_all_of_the_history_is_exported(api: Api, acme: Tenant) -> None:
    since = api.get("/usage").body["historyFrom"]
    asked = ask(acme)
    assert (asked["from"], asked["to"]) == (since, at(NOW + timedelta(days=1)))


def test_a_window_is_cut_off_where_the_plans_history_begins(acme: Tenant) -> None:
    change_plan(organization_id=acme.id, plan="professional")
    since = acme.api.get("/usage").body["historyFrom"]
    assert since == "2025-07-15T00:00:00Z"
    asked = ask(acme, from_="2020-01-01T00:00:00Z", to="2026-01-01T00:00:00Z")
    assert (asked["from"], asked["to"]) == (since, "2026-01-01T00:00:00Z")
    before = ask(acme, from_="2020-01-01T00:00:00Z", to="2021-01-01T00:00:00Z")
    assert (before["from"], before["to"]) == (since, since)
    assert write(acme, before)["rowsDone"] == 0


@pytest.mark.parametrize("plan", ["free", "starter", "pay-as-you-go"])
def test_a_plan_without_exports_is_refused(plan: str) -> None:
    tenant = make_tenant("Small", plan=plan)
    answer = tenant.api.call("POST", "/exports", ASKED)
    assert refused(answer) == (403, "plan_required")
    assert answer.body["detail"].endswith("has no exports; these have: Professional, Enterprise.")
    assert tenant.api.get("/exports").items == []


@pytest.mark.parametrize(
    ("body", "pointer", "said"),
    [
        ({"format": "csv"}, "/dataset", "This field is required."),
        (
            {**ASKED, "dataset": "dreams"},
            "/dataset",
            "Must be one of records, daily, costs, focus, focus-1.2.",
        ),
        (
            {**ASKED, "dataset": ["records"]},
            "/dataset",
            "Must be one of records, daily, costs, focus, focus-1.2.",
        ),
        ({**ASKED, "dataset": None}, "/dataset", "This field may not be null."),
        ({**ASKED, "format": "pdf"}, "/format", "Must be one of csv, ndjson, parquet, xlsx."),
        ({**ASKED, "format": ""}, "/format", "Must be one of csv, ndjson, parquet, xlsx."),
        ({**ASKED, "from": "yesterday"}, "/from", "'yesterday' is neither ISO 8601"),
        ({**ASKED, "to": "2026-07-15T00:00:00"}, "/to", "'2026-07-15T00:00:00' has no offset"),
        ({**ASKED, "to": 1.5}, "/to", "Must be ISO 8601 or Unix milliseconds."),
        ({**ASKED, "from": at(NOW), "to": at(NOW)}, "/to", "The window must end after it starts."),
        ({**ASKED, "from": "2026-07-20T00:00:00Z"}, "/from", "The window must end after it starts."),
        (
            {**ASKED, "timezone": "UTC"},
            "/timezone",
            "There is no such field; accepted: dataset, format, from",
        ),
    ],
)
def test_what_can_not_be_exported_is_refused_by_its_field(
    api: Api, body: dict[str, Any], pointer: str, said: str
) -> None:
    status, at_field, detail = fault(api.call("POST", "/exports", body))
    assert (status, at_field) == (422, pointer)
    assert detail.startswith(said)


def test_a_parameter_or_body_of_another_kind_is_refused(api: Api) -> None:
    assert refused(api.call("POST", "/exports", ASKED, query={"format": "csv"})) == (400, "unknown_parameter")
    assert refused(api.call("POST", "/exports", b"x", content_type="text/csv")) == (
        415,
        "unsupported_media_type",
    )
    assert refused(api.call("POST", "/exports", [])) == (422, "invalid")
    assert refused(api.call("DELETE", "/exports")) == (405, "method_not_allowed")


def test_an_organization_has_so_many_exports_under_way_and_no_more(acme: Tenant, globex: Tenant) -> None:
    first, *_ = [ask(acme) for _ in range(services.MOST_UNDER_WAY)]
    answer = acme.api.call("POST", "/exports", ASKED)
    assert refused(answer) == (429, "too_many_exports")
    assert answer.headers["Retry-After"] == "60"
    ask(globex)
    write(acme, first)
    ask(acme)


def test_a_file_that_is_not_ready_is_a_409_that_says_when_to_ask_again(acme: Tenant) -> None:
    asked = ask(acme)
    answer = download(acme, asked)
    assert (*refused(answer), answer.headers["Retry-After"]) == (409, "export_not_ready", "5")
    assert answer.body["detail"] == "The export is queued: its file is there when its state is done."
    services.claim(export_id=UUID(asked["id"]), organization_id=acme.id)
    assert download(acme, asked).body["detail"].startswith("The export is running")


def test_an_export_that_failed_says_why(acme: Tenant) -> None:
    asked = ask(acme)
    export = services.claim(export_id=UUID(asked["id"]), organization_id=acme.id)
    assert export is not None
    services.fail(export, "There was no room.")
    answer = download(acme, asked)
    assert refused(answer) == (409, "export_failed")
    assert answer.body["detail"] == "The export failed. There was no room."
    assert acme.api.get(f"/exports/{asked['id']}").body["error"] == "There was no room."


def test_a_file_is_gone_when_its_time_is_over_whether_it_was_removed_or_not(
    acme: Tenant, clock: time_machine.Traveller
) -> None:
    done = write(acme, ask(acme))
    clock.shift(timedelta(days=7, microseconds=-1))
    assert download(acme, done).status == 200
    clock.shift(timedelta(microseconds=1))
    assert refused(download(acme, done)) == (410, "export_expired")
    with system_scope():
        export = Export.objects.get(pk=done["id"])
    services.expire(export)
    assert refused(download(acme, done)) == (410, "export_expired")
    shown = acme.api.get(f"/exports/{done['id']}").body
    assert (shown["state"], shown["file"], shown["sums"]) == ("expired", None, done["sums"])


def test_a_file_that_was_lost_is_gone_too(acme: Tenant) -> None:
    done = write(acme, ask(acme))
    with system_scope():
        files.storage().delete(Export.objects.get(pk=done["id"]).file)
    assert refused(download(acme, done)) == (410, "export_expired")


def test_another_organizations_export_is_not_there(acme: Tenant, globex: Tenant) -> None:
    globex.api.keep(record("theirs"))
    done = write(globex, ask(globex))
    for path in (f"/exports/{done['id']}", f"/exports/{done['id']}/file", f"/exports/{uuid4()}"):
        assert refused(acme.api.get(path)) == (404, "not_found")
    assert refused(acme.api.get("/exports/nothing")) == (404, "not_found")
    assert acme.api.get("/exports").items == []
    assert globex.api.get("/exports").ids == [done["id"]]


def test_a_worker_writes_an_export_only_for_the_organization_that_asked(acme: Tenant, globex: Tenant) -> None:
    asked = ask(globex)
    run_export(UUID(asked["id"]), acme.id)
    assert globex.api.get(f"/exports/{asked['id']}").body["state"] == "queued"


def test_each_dataset_takes_its_own_scope(acme: Tenant) -> None:
    reader = acme.another_credential(scopes=["usage:read"])
    accountant = acme.another_credential(scopes=["billing:read"])
    writer = acme.another_credential(scopes=["usage:write"])
    costs, records = ask(acme, "costs"), ask(acme, "records")

    answer = reader.api.call("POST", "/exports", {**ASKED, "dataset": "costs"})
    assert (*refused(answer), "billing:read" in answer.body["detail"]) == (403, "scope_required", True)
    answer = accountant.api.call("POST", "/exports", {**ASKED, "dataset": "daily"})
    assert (*refused(answer), "usage:read" in answer.body["detail"]) == (403, "scope_required", True)
    assert ask(accountant, "costs")["requestedBy"]["clientId"] == accountant.client_id

    assert reader.api.get("/exports").ids == [records["id"]]
    assert {item["dataset"] for item in accountant.api.get("/exports").items} == {"costs"}
    assert refused(reader.api.get(f"/exports/{costs['id']}")) == (403, "scope_required")
    assert refused(download(reader, costs)) == (403, "scope_required")
    assert refused(download(accountant, records)) == (403, "scope_required")
    for method, path in (("GET", "/exports"), ("POST", "/exports"), ("GET", f"/exports/{records['id']}")):
        assert refused(writer.api.call(method, path, ASKED)) == (403, "scope_required")


@pytest.mark.parametrize(
    ("role", "records", "costs"),
    [
        ("owner", 202, 202),
        ("admin", 202, 202),
        ("billing", 202, 202),
        ("analyst", 202, 202),
        ("developer", 202, 403),
    ],
)
def test_a_member_exports_what_their_role_may_read(acme: Tenant, role: str, records: int, costs: int) -> None:
    session = member(acme, role)
    for dataset, expected in {"records": records, "costs": costs}.items():
        response = session.post("/api/v1/exports", {**ASKED, "dataset": dataset}, "application/json")
        assert response.status_code == expected
        if expected == 202:
            assert response.json()["requestedBy"]["user"].startswith(f"{role}-")


def test_workers_are_told_when_the_export_is_committed_and_not_before(
    acme: Tenant,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told: list[tuple[UUID, int]] = []
    monkeypatch.setattr(services, "enqueue", lambda *of: told.append(of))
    with django_capture_on_commit_callbacks() as callbacks:
        asked = ask(acme)
    assert told == []
    for callback in callbacks:
        callback()
    assert told == [(UUID(asked["id"]), acme.id)]
