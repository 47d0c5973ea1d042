"""The life of an export: claimed by one worker, followed, lost and taken back, failed, expired."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import psycopg
import pytest
import time_machine
from celery import current_app
from celery.exceptions import SoftTimeLimitExceeded
from django.db import connections

from config.embedded import EmbeddedPostgres
from core import clock
from organizations.tenancy import system_scope
from tests.conftest import server_environment
from tests.serving import ROOT, Server
from tests.usage.exporting import ask, download, read_csv, write
from tests.usage.factories import Tenant, make_tenant, record
from usage import tasks
from usage.exports import files, pulse, queue, run, services, stream, sweep
from usage.exports.formats.delimited import CsvWriter
from usage.models import Export, ExportState

pytestmark = pytest.mark.django_db(transaction=True)

RECORDS = 60
Told = list[tuple[UUID, int]]
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


@pytest.fixture
def acme(transactional_db: None) -> Tenant:
    """An organization with records for several batches."""
    tenant = make_tenant("Acme")
    tenant.api.keep(*(record(f"r{number}", cost="0.5") for number in range(RECORDS)))
    return tenant


@pytest.fixture(autouse=True)
def place(tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory of the test's own for files, also those of the processes that it starts."""
    place = tmp_path / "exports"
    monkeypatch.setenv("EXPORT_DIR", str(place))
    settings.EXPORT_WORK_DIR = place / "unfinished"
    storage = settings.STORAGES["exports"]
    options = {**storage["OPTIONS"], "location": place}
    settings.STORAGES = {**settings.STORAGES, "exports": {**storage, "OPTIONS": options}}
    return place


@pytest.fixture(autouse=True)
def _small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "ROWS", 10)


@pytest.fixture(autouse=True)
def told(monkeypatch: pytest.MonkeyPatch) -> Told:
    """What workers were told, instead of telling any."""
    heard: Told = []

    def hear(export_id: UUID, organization_id: int) -> bool:
        heard.append((export_id, organization_id))
        return True

    monkeypatch.setattr(services, "enqueue", hear)
    monkeypatch.setattr(sweep, "enqueue", hear)
    return heard


def stored(asked: dict[str, Any]) -> Export:
    with system_scope():
        return Export.objects.get(pk=asked["id"])


def shown(tenant: Tenant, asked: dict[str, Any]) -> dict[str, Any]:
    body: dict[str, Any] = tenant.api.get(f"/exports/{asked['id']}").body
    return body


def left(place: Path) -> list[str]:
    """Return what lies where exports are written and kept."""
    return sorted(str(path.relative_to(place)) for path in place.rglob("*") if path.is_file())


@contextmanager
def later(passed: timedelta) -> Iterator[None]:
    with time_machine.travel(clock.now() + passed):
        yield


def elsewhere(work: Callable[[], Any]) -> Any:
    """Do something on connections of its own."""

    def done() -> Any:
        try:
            return work()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(done).result()


def on_each_batch(monkeypatch: pytest.MonkeyPatch, act: Callable[[int], None]) -> list[int]:
    """Have something happen before each batch is written; returns the numbers of those that came."""
    original = CsvWriter.write
    seen: list[int] = []

    def write_batch(self: CsvWriter, batch: Any) -> None:
        seen.append(len(seen))
        act(seen[-1])
        original(self, batch)

    monkeypatch.setattr(CsvWriter, "write", write_batch)
    return seen


def test_how_far_an_export_has_come_is_seen_while_it_is_written(
    acme: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pulse, "EVERY_SECONDS", 0.01)
    asked = ask(acme)
    seen: list[tuple[str, int, int | None]] = []

    def look(number: int) -> None:
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            now = elsewhere(lambda: shown(acme, asked))
            if (now["rowsDone"], now["rowsTotal"]) == (number * 10, RECORDS):
                break
        seen.append((now["state"], now["rowsDone"], now["rowsTotal"]))

    on_each_batch(monkeypatch, look)
    done = write(acme, asked)
    assert seen == [("running", number * 10, RECORDS) for number in range(RECORDS // 10)]
    assert (done["state"], done["rowsDone"]) == ("done", RECORDS)


def test_files_are_for_the_server_alone(acme: Tenant) -> None:
    done = write(acme, ask(acme))
    path = Path(files.storage().path(stored(done).file))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert path.parent.name == str(acme.id)


def test_of_many_who_claim_an_export_one_gets_it(acme: Tenant) -> None:
    export_id = UUID(ask(acme)["id"])
    start = threading.Barrier(8)

    def claim() -> bool:
        start.wait()
        try:
            return services.claim(export_id=export_id, organization_id=acme.id) is not None
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as pool:
        claimed = list(pool.map(lambda _: claim(), range(8)))
    assert sorted(claimed) == [False] * 7 + [True]


def test_no_more_are_written_at_once_than_may_and_the_oldest_is_next(
    acme: Tenant, told: Told, settings: Any
) -> None:
    settings.EXPORTS_AT_ONCE = 2
    exports = [UUID(ask(acme)["id"]) for _ in range(4)]
    start = threading.Barrier(4)

    def claim(export_id: UUID) -> Export | None:
        start.wait()
        try:
            return services.claim(export_id=export_id, organization_id=acme.id)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        claimed = [export for export in pool.map(claim, exports) if export is not None]
    assert len(claimed) == 2
    waiting = [export_id for export_id in exports if export_id not in {export.pk for export in claimed}]
    assert services.claim(export_id=waiting[0], organization_id=acme.id) is None

    told.clear()
    services.fail(claimed[0], "enough")
    sweep.start_waiting()
    assert told == [(export_id, acme.id) for export_id in waiting]
    assert services.claim(export_id=waiting[0], organization_id=acme.id) is not None


def test_whoever_finished_an_export_asks_for_the_next(acme: Tenant, told: Told) -> None:
    first, second = ask(acme), ask(acme)
    told.clear()
    write(acme, first)
    assert told == [(UUID(second["id"]), acme.id)]


def test_an_export_is_written_once_however_often_a_worker_is_told(acme: Tenant) -> None:
    asked = ask(acme)
    assert tasks.run_export(asked["id"], acme.id) == RECORDS
    assert tasks.run_export(asked["id"], acme.id) == 0
    assert shown(acme, asked)["attempts"] == 1


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


def test_a_fault_fails_the_export_and_leaves_no_file(
    acme: Tenant, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_down(number: int) -> None:
        if number == 3:
            raise OSError("No space left on device: /secret/place")

    on_each_batch(monkeypatch, break_down)
    body = write(acme, ask(acme))
    assert (body["state"], body["error"], body["file"]) == ("failed", run.BROKEN, None)
    assert left(place) == []


def test_an_export_that_takes_too_long_has_failed(acme: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(number: int) -> None:
        raise SoftTimeLimitExceeded

    on_each_batch(monkeypatch, interrupt)
    body = write(acme, ask(acme))
    assert (body["state"], body["error"]) == ("failed", run.TOO_LONG)


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


def test_a_file_is_removed_when_its_time_is_over(acme: Tenant, place: Path) -> None:
    done, kept = write(acme, ask(acme)), write(acme, ask(acme))
    with system_scope():
        Export.objects.filter(pk=kept["id"]).update(expires_at=clock.now() + timedelta(days=8))
    with later(timedelta(days=7, seconds=1)):
        assert sweep.sweep() == 1
        assert sweep.sweep() == 0
    assert (stored(done).state, stored(done).file) == (ExportState.EXPIRED, "")
    assert stored(kept).state == ExportState.DONE
    assert left(place) == [f"{acme.id}/{kept['id']}-1.csv"]


def test_what_a_lost_worker_left_on_this_machine_is_cleared(acme: Tenant, place: Path) -> None:
    work = place / "unfinished"
    (work / "somebody-1").mkdir(parents=True)
    (work / "somebody-1" / "export.csv").write_text("half a line")
    sweep.sweep()
    assert left(place) == ["unfinished/somebody-1/export.csv"]
    with later(timedelta(hours=2, minutes=1)):
        sweep.sweep()
    assert list(work.iterdir()) == []


def test_an_export_that_differs_from_the_totals_is_reported(
    acme: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    from usage.exports.datasets import Records

    said: list[tuple[str, dict[str, Any]]] = []
    monkeypatch.setattr(Records, "size", lambda self, source: RECORDS + 1)
    monkeypatch.setattr(run.log, "error", lambda event, **fields: said.append((event, fields)))
    asked = ask(acme)
    assert write(acme, asked)["state"] == "done"
    assert said == [
        ("export differs from the totals", {"export": asked["id"], "rows": RECORDS, "total": RECORDS + 1})
    ]


@pytest.fixture
def worker(transactional_db: None) -> Iterator[None]:
    """A worker process that takes what the suite's Redis holds."""
    current_app.control.purge()
    command = [sys.executable, "-m", "celery", "--app", "config", "--quiet", "worker", "--concurrency", "1"]
    process = subprocess.Popen(
        [*command, "--without-mingle", "--without-gossip"],
        cwd=ROOT,
        env={**os.environ, **server_environment()},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    yield
    process.terminate()
    process.wait(30)


def until_done(tenant: Tenant, asked: dict[str, Any]) -> dict[str, Any]:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        body = shown(tenant, asked)
        if body["state"] == "done":
            return body
        time.sleep(0.1)
    raise AssertionError(f"The export did not come to its end: {body}")


def post(server: Server, tenant: Tenant) -> dict[str, Any]:
    answer = httpx.post(
        f"{server.url}/api/v1/exports",
        json={"dataset": "records", "format": "csv"},
        headers={"Authorization": f"Bearer {tenant.api.key}"},
        timeout=5,
    )
    assert answer.status_code == 202, answer.text
    body: dict[str, Any] = answer.json()
    return body


def test_a_worker_writes_what_the_server_was_asked_for(
    acme: Tenant, make_server: Callable[..., Server], worker: None
) -> None:
    server = make_server()
    done = until_done(acme, post(server, acme))
    headers = {"Authorization": f"Bearer {acme.api.key}"}
    file = httpx.get(f"{server.url}/api/v1/exports/{done['id']}/file", headers=headers)
    assert (file.status_code, len(file.content)) == (200, done["bytes"])
    assert len(read_csv(file.content)) == RECORDS
    head = httpx.head(f"{server.url}/api/v1/exports/{done['id']}/file", headers=headers)
    assert (head.status_code, head.headers["Content-Length"]) == (200, str(done["bytes"]))


def test_what_was_asked_for_while_redis_was_away_is_written_when_it_is_back(
    acme: Tenant, make_server: Callable[..., Server], worker: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = make_server(env={"REDIS_URL": "unix:///nowhere/redis.sock?db=0"})
    asked = post(server, acme)
    time.sleep(1)
    assert shown(acme, asked)["state"] == "queued"
    monkeypatch.setattr(sweep, "enqueue", queue.enqueue)
    assert sweep.sweep() == 1
    assert until_done(acme, asked)["rowsDone"] == RECORDS
