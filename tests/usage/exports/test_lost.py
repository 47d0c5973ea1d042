"""Exports whose worker is lost: noticed, taken back, written by another."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest

from config.embedded import EmbeddedPostgres
from organizations.tenancy import system_scope
from tests.conftest import server_environment
from tests.serving import ROOT
from tests.usage.exports.support import ask, download, read_csv, write
from tests.usage.exports.watching import RECORDS, Told, elsewhere, later, left, on_each_batch, shown, stored
from tests.usage.factories import Tenant
from usage import tasks
from usage.exports import pulse, run, services, sweep
from usage.exports.formats.delimited import CsvWriter
from usage.models import Export, ExportState

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("small_batches", "told")]


@pytest.fixture
def acme(busy: Tenant) -> Tenant:
    """An organization with records for several batches."""
    return busy


SELF_DESTRUCTION = """
import os, signal, sys
from uuid import UUID
import django
django.setup()
from usage.exports import run, stream
from usage.exports.formats.delimited import CsvWriter
write = CsvWriter.write
def last_words(self, batch):
    write(self, batch)
    self._file.flush()
    os.kill(os.getpid(), signal.SIGKILL)
CsvWriter.write = last_words
run.run_export(UUID(sys.argv[1]), int(sys.argv[2]))
"""


def test_a_killed_worker_is_noticed_and_another_writes_the_export(
    acme: Tenant, place: Path, told: Told
) -> None:
    asked = ask(acme)
    killed = subprocess.run(
        [sys.executable, "-c", SELF_DESTRUCTION, asked["id"], str(acme.id)],
        cwd=ROOT,
        env={**os.environ, **server_environment()},
        capture_output=True,
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert (stored(asked).state, stored(asked).attempts) == (ExportState.RUNNING, 1)
    assert left(place) == [f"unfinished/{asked['id']}-1/export.csv"]

    told.clear()
    with later(timedelta(seconds=59)):
        assert sweep.sweep() == 0
    assert (stored(asked).state, told) == (ExportState.RUNNING, [])
    with later(timedelta(seconds=70)):
        tasks.sweep_exports()
    assert (stored(asked).state, told) == (ExportState.QUEUED, [(UUID(asked["id"]), acme.id)])
    assert left(place) == []

    done = write(acme, asked)
    assert (done["state"], done["attempts"], done["sums"]["requests"]) == ("done", 2, RECORDS)
    assert len(read_csv(download(acme, done).body)) == RECORDS
    assert left(place) == [f"{acme.id}/{asked['id']}-2.csv"]


def test_an_export_that_lost_three_workers_has_failed(acme: Tenant, told: Told) -> None:
    asked = ask(acme)
    for attempt in (1, 2, 3):
        assert services.claim(export_id=UUID(asked["id"]), organization_id=acme.id) is not None
        assert stored(asked).attempts == attempt
        with later(timedelta(seconds=61)):
            sweep.sweep()
    body = shown(acme, asked)
    assert (body["state"], body["error"]) == ("failed", "Its worker was lost 3 times.")
    assert body["finishedAt"] is not None
    assert services.claim(export_id=UUID(asked["id"]), organization_id=acme.id) is None


def test_a_worker_that_was_taken_for_lost_changes_nothing_any_more(
    acme: Tenant, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = ask(acme)
    original = CsvWriter.finish

    def meanwhile(self: CsvWriter) -> None:
        monkeypatch.setattr(CsvWriter, "finish", original)

        def other() -> None:
            with later(timedelta(seconds=61)):
                sweep.sweep()
            write(acme, asked)

        elsewhere(other)
        original(self)

    monkeypatch.setattr(CsvWriter, "finish", meanwhile)
    monkeypatch.setattr(pulse, "EVERY_SECONDS", 3600.0)
    assert run.run_export(UUID(asked["id"]), acme.id) == 0
    assert (stored(asked).state, stored(asked).attempts) == (ExportState.DONE, 2)
    assert left(place) == [f"{acme.id}/{asked['id']}-2.csv"]
    assert len(read_csv(download(acme, asked).body)) == RECORDS


def test_a_worker_that_hears_that_it_was_taken_for_lost_stops(
    acme: Tenant, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pulse, "EVERY_SECONDS", 0.01)
    heard = threading.Event()
    note = services.note_progress

    def listen(*args: Any, **progress: Any) -> bool:
        mine = note(*args, **progress)
        if not mine:
            heard.set()
        return mine

    def take_back(number: int) -> None:
        if number == 2:
            with system_scope():
                Export.objects.filter(pk=asked["id"]).update(state=ExportState.QUEUED)
            assert heard.wait(20)
            time.sleep(0.1)

    monkeypatch.setattr(services, "note_progress", listen)
    asked = ask(acme)
    seen = on_each_batch(monkeypatch, lambda number: elsewhere(lambda: take_back(number)))
    assert run.run_export(UUID(asked["id"]), acme.id) == 0
    assert seen == [0, 1, 2]
    assert (stored(asked).state, left(place)) == (ExportState.QUEUED, [])


def test_a_sign_of_life_at_the_last_moment_keeps_an_export_with_its_worker(acme: Tenant) -> None:
    asked = ask(acme)
    services.claim(export_id=UUID(asked["id"]), organization_id=acme.id)
    seen = stored(asked)
    services.note_progress(seen, rows_done=5, rows_total=None)
    assert services.take_back(seen) is False
    assert stored(asked).state == ExportState.RUNNING


def test_an_export_that_lost_the_database_is_tried_again(
    acme: Tenant, place: Path, monkeypatch: pytest.MonkeyPatch, embedded_postgres: EmbeddedPostgres
) -> None:
    def end_readers(number: int) -> None:
        if number == 2:
            with psycopg.connect(embedded_postgres.url(database="postgres"), autocommit=True) as admin:
                admin.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    "WHERE usename = 'headroom_app' AND state = 'idle in transaction'"
                )

    on_each_batch(monkeypatch, end_readers)
    asked = ask(acme)
    assert run.run_export(UUID(asked["id"]), acme.id) == 0
    assert (stored(asked).state, left(place)) == (ExportState.RUNNING, [])

    with later(timedelta(seconds=61)):
        sweep.sweep()
    done = write(acme, asked)
    assert (done["state"], done["attempts"], done["rowsDone"]) == ("done", 2, RECORDS)


def test_what_a_lost_worker_left_on_this_machine_is_cleared(acme: Tenant, place: Path) -> None:
    work = place / "unfinished"
    (work / "somebody-1").mkdir(parents=True)
    (work / "somebody-1" / "export.csv").write_text("half a line")
    sweep.sweep()
    assert left(place) == ["unfinished/somebody-1/export.csv"]
    with later(timedelta(hours=2, minutes=1)):
        sweep.sweep()
    assert list(work.iterdir()) == []
