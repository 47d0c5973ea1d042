"""The life of an import: uploaded, started, taken in, cancelled, failed, expired."""

from __future__ import annotations

import csv
import gzip
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from celery.exceptions import SoftTimeLimitExceeded
from django.db import transaction

from organizations.tenancy import tenant_scope
from tests.usage.exports.watching import elsewhere, later
from tests.usage.factories import Tenant
from tests.usage.imports.jobs.support import (
    COLUMNS,
    LINES,
    Told,
    begin,
    counts,
    left,
    objects,
    stored,
    table,
    upload,
    work,
)
from usage import tasks
from usage.imports.errors import ImportProblem
from usage.imports.jobs import files, job, refusals, sample, services, sweep
from usage.models import Import, ImportState, Record
from usage.rollups.verify import verify

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def acme(transactional_db: None, acme: Tenant) -> Tenant:
    """An organization whose rows other connections see, too."""
    return acme


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Batches of ten lines."""
    monkeypatch.setattr(job, "BATCH", 10)


def records(tenant: Tenant) -> list[Record]:
    with tenant_scope(tenant.id):
        return list(Record.objects.order_by("occurred_at"))


def on_each_batch(monkeypatch: pytest.MonkeyPatch, act: Any) -> list[int]:
    """Have something happen before each batch is taken in; returns the numbers of those that came."""
    original = job.Intake.take
    seen: list[int] = []

    def take(self: job.Intake, batch: Any) -> Any:
        seen.append(len(seen))
        act(seen[-1])
        return original(self, batch)

    monkeypatch.setattr(job.Intake, "take", take)
    return seen


def test_a_file_is_taken_in_and_removed(acme: Tenant, place: Path, told: Told) -> None:
    one = begin(acme, table(wrong=(3, 7)))
    assert told == [(one.pk, acme.id)]
    assert left(place) == [f"{acme.id}/{one.pk}"]
    done = work(one)
    assert counts(done) == ("done", LINES - 2, 0, 2)
    assert (done.read, done.size, done.file) == (done.size, len(table(wrong=(3, 7))), "")
    assert (done.first_at, done.last_at) == (
        datetime(2026, 6, 1, 10, 0, tzinfo=UTC),
        datetime(2026, 6, 1, 10, 59, tzinfo=UTC),
    )
    assert [tuple(refusal) for refusal in done.refusals] == [
        (number + 2, "In", "tokens.prompt", "tokens.prompt must be a whole number, not 'many'.")
        for number in (3, 7)
    ]
    assert left(place) == [f"{acme.id}/{one.pk}-1.csv"]
    assert sum(record.prompt_tokens or 0 for record in records(acme)) == sum(range(LINES)) - 10
    assert list(verify(acme.organization)) == []


def test_all_refused_lines_are_in_the_file_and_the_first_with_the_import(
    acme: Tenant, small_batches: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refusals, "SHOWN", 15)
    monkeypatch.setattr(job, "SHOWN", 15)
    done = work(begin(acme, table(wrong=tuple(range(20, 50)))))
    assert counts(done) == ("done", LINES - 30, 0, 30)
    assert [line for line, *_ in done.refusals] == list(range(22, 37))
    with files.storage().open(done.refusals_file, "r") as file:
        header, *lines = list(csv.reader(file))
    assert header == ["line", "column", "field", "reason"]
    assert [line[0] for line in lines] == [str(number) for number in range(22, 52)]


def test_a_second_import_of_the_file_adds_nothing(acme: Tenant) -> None:
    assert counts(work(begin(acme, table()))) == ("done", LINES, 0, 0)
    again = work(begin(acme, table()))
    assert counts(again) == ("done", 0, LINES, 0)
    assert (again.first_at, again.refusals_file) == (None, "")
    assert len(records(acme)) == LINES


def test_the_portal_and_the_command_make_the_same_records_of_a_file(acme: Tenant, tmp_path: Path) -> None:
    from django.core.management import call_command

    path = tmp_path / "calls.csv"
    path.write_text(table())
    maps = [f"{field}={column}" for column, field in COLUMNS.items()]
    call_command("import_records", str(path), organization="acme", map=maps, set=["type=chat"], verbosity=0)
    assert counts(work(begin(acme, table()))) == ("done", 0, LINES, 0)


def test_ndjson_with_objects_and_gzip_is_taken_in(acme: Tenant) -> None:
    content = objects(
        {"kind": "chat", "use": {"in": 3}, "meta": {"ratio": 0.25}, "late": None},
        {"kind": "chat", "use": {"in": 4}, "meta": {}, "surprise": 1, "model": "later"},
    )
    columns = {"kind": "type", "use.in": "tokens.prompt", "meta": "meta", "late": ""}
    done = work(begin(acme, gzip.compress(content.encode()), columns, {"provider": "openai"}))
    assert counts(done) == ("done", 2, 0, 0)
    assert done.beyond == ["surprise"]
    found = sorted(records(acme), key=lambda record: record.prompt_tokens or 0)
    assert [(one.prompt_tokens, one.model, one.meta, one.provider) for one in found] == [
        (3, None, {"ratio": 0.25}, "openai"),
        (4, "later", None, "openai"),
    ]


def test_a_column_that_is_left_out_fills_nothing_whatever_it_is_called(acme: Tenant) -> None:
    work(begin(acme, "type,model\nchat,gpt\n", {"type": "type", "model": ""}, {}))
    assert [record.model for record in records(acme)] == [None]


def test_the_chosen_key_consumed_it_and_the_zone_is_meant(acme: Tenant) -> None:
    other = acme.another_credential()
    work(
        begin(acme, "type,timestamp\nchat,2026-06-01 12:00\n", {"type": "type", "timestamp": "timestamp"}, {},
              client_id=other.client_id, timezone="Europe/Berlin")
    )  # fmt: skip
    [record] = records(acme)
    assert record.credential_id == other.credential_id
    assert record.occurred_at == datetime(2026, 6, 1, 10, tzinfo=UTC)


def test_files_are_for_the_server_alone(acme: Tenant, place: Path) -> None:
    one = begin(acme, table())
    path = place / str(acme.id) / str(one.pk)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert {stat.S_IMODE(each.stat().st_mode) for each in (place, path.parent)} == {0o700}


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("\n \n", "There is nothing in it."),
        ("[1]\n", "This is a JSON array"),
        (b"PK\x03\x04rest", "This is a ZIP archive or a workbook"),
        (gzip.compress(table().encode(), mtime=0)[:40], "The file can't be read to its end"),
        (b"\xff\xfea\x00", "The file is UTF-16"),
        (",".join(f"c{number}" for number in range(201)), "It has 201 columns; at most 200"),
        (f"{'c' * 201}\n", "The name of a column is longer than 200 characters"),
    ],
)
def test_what_is_no_such_file_is_not_kept(
    acme: Tenant, place: Path, content: str | bytes, reason: str
) -> None:
    with pytest.raises(ImportProblem, match=reason):
        upload(acme, content)
    assert left(place) == []


def test_an_organization_has_a_bounded_number_ahead(acme: Tenant, globex: Tenant, place: Path) -> None:
    kept = [upload(acme, table(1)) for _ in range(services.MOST_AHEAD)]
    with pytest.raises(ImportProblem, match="5 imports are drafts or under way"):
        upload(acme, table(1))
    assert len(left(place)) == services.MOST_AHEAD
    upload(globex, table(1))
    assert services.cancel(kept[0])
    upload(acme, table(1))


def test_a_draft_is_discarded_with_its_file(acme: Tenant, place: Path) -> None:
    draft = upload(acme, table())
    assert services.cancel(draft)
    assert not services.cancel(draft)
    assert not services.start(draft)
    assert left(place) == []
    with tenant_scope(acme.id):
        assert not Import.objects.exists()


def test_a_draft_that_nobody_starts_goes_away(acme: Tenant, place: Path) -> None:
    upload(acme, table())
    with later(timedelta(hours=23)):
        sweep.sweep()
    assert len(left(place)) == 1
    with later(timedelta(hours=25)):
        assert sweep.sweep() == 1
    assert left(place) == []


def test_an_upload_whose_row_was_never_kept_is_cleared(acme: Tenant, place: Path) -> None:
    with tenant_scope(acme.id):
        upload(acme, table())
        transaction.set_rollback(True)
    assert len(left(place)) == 1
    sweep.sweep()
    assert len(left(place)) == 1
    with later(timedelta(hours=2, minutes=1)):
        sweep.sweep()
    assert left(place) == []


def test_a_cancelled_import_keeps_what_was_taken_in_and_counts_it(
    acme: Tenant, place: Path, small_batches: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = begin(acme, table(wrong=(1,)))

    def act(number: int) -> None:
        if number == 2:
            assert elsewhere(lambda: services.cancel(one))

    seen = on_each_batch(monkeypatch, act)
    ended = work(one)
    assert seen == [0, 1, 2]
    assert counts(ended) == ("cancelled", 19, 0, 1)
    assert len(records(acme)) == 19
    assert list(verify(acme.organization)) == []
    assert (ended.file, ended.refusals_file) == ("", f"{acme.id}/{one.pk}-1.csv")
    assert left(place) == [ended.refusals_file]


def test_a_queued_import_is_cancelled_and_no_worker_takes_it(acme: Tenant, place: Path) -> None:
    one = begin(acme, table())
    assert services.cancel(one)
    assert counts(work(one)) == ("cancelled", 0, 0, 0)
    assert (records(acme), left(place)) == ([], [])


def test_too_many_refused_lines_end_it(
    acme: Tenant, small_batches: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job, "MOST", 15)
    ended = work(begin(acme, table(wrong=tuple(range(5, LINES)))))
    assert (counts(ended), ended.error) == (("failed", 5, 0, 25), job.TOO_MANY)
    assert len(records(acme)) == 5


def test_a_file_that_breaks_off_keeps_what_came_before(
    acme: Tenant, small_batches: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sample, "HEAD_BYTES", 200)
    packed = gzip.compress(table().encode(), compresslevel=0)
    ended = work(begin(acme, packed[: len(packed) // 2]))
    assert (ended.state, ended.error.partition(":")[0]) == ("failed", "The file can't be read to its end")
    assert 0 < ended.accepted == len(records(acme)) < LINES


def test_what_unpacks_to_too_much_is_not_read_on(
    acme: Tenant, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.IMPORT_MAX_BYTES = 50
    monkeypatch.setattr(files, "PACKING", 2)
    ended = work(begin(acme, gzip.compress(table().encode())))
    assert (ended.state, ended.error) == ("failed", "It has more than 100 bytes once it is unpacked.")


@pytest.mark.parametrize(
    ("raised", "error"),
    [(SoftTimeLimitExceeded(), job.TOO_LONG), (OSError("/secret/place"), job.BROKEN)],
)
def test_what_goes_wrong_is_told_and_what_was_taken_in_stays(
    acme: Tenant, small_batches: None, monkeypatch: pytest.MonkeyPatch, raised: Exception, error: str
) -> None:
    def act(number: int) -> None:
        if number == 3:
            raise raised

    on_each_batch(monkeypatch, act)
    ended = work(begin(acme, table()))
    assert (counts(ended), ended.error) == (("failed", 30, 0, 0), error)
    assert len(records(acme)) == 30


def test_an_import_is_taken_in_once_however_often_a_worker_is_told(acme: Tenant) -> None:
    one = begin(acme, table())
    assert tasks.run_import(str(one.pk), acme.id) == LINES
    assert tasks.run_import(str(one.pk), acme.id) == 0
    assert stored(one).attempts == 1


def test_no_more_run_at_once_than_may_and_whoever_ends_asks_for_the_next(
    acme: Tenant, told: Told, settings: Any
) -> None:
    settings.IMPORTS_AT_ONCE = 1
    first, second = begin(acme, table(3)), begin(acme, table(2))
    assert services.claim(import_id=first.pk, organization_id=acme.id) is not None
    assert services.claim(import_id=second.pk, organization_id=acme.id) is None
    assert services.fail(stored(first), "enough")
    told.clear()
    third = begin(acme, table(1))
    told.clear()
    assert work(second).state == ImportState.DONE
    assert told == [(third.pk, acme.id)]


def test_refused_lines_are_removed_when_their_time_is_over(acme: Tenant, place: Path) -> None:
    done = work(begin(acme, table(wrong=(1,))))
    with later(timedelta(days=6, hours=23)):
        sweep.sweep()
    assert left(place) == [done.refusals_file]
    with later(timedelta(days=7, seconds=1)):
        assert tasks.sweep_imports() == 1
        assert tasks.sweep_imports() == 0
    now = stored(done)
    assert (counts(now), now.refusals, now.refusals_file) == (("done", LINES - 1, 0, 1), [], "")
    assert left(place) == []


def test_a_file_that_outlived_its_import_is_removed(
    acme: Tenant, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = begin(acme, table())
    with monkeypatch.context() as patch:
        patch.setattr(services, "clear", lambda one: None)
        assert work(one).state == ImportState.DONE
    assert left(place) == [f"{acme.id}/{one.pk}"]
    sweep.sweep()
    assert (left(place), stored(one).file) == ([], "")
