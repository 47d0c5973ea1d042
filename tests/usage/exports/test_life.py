"""The life of an export: claimed by one worker, followed, finished, failed, expired."""

from __future__ import annotations

import stat
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from celery.exceptions import SoftTimeLimitExceeded
from django.db import connections

from core import clock
from organizations.tenancy import system_scope
from tests.usage.exports.support import ask, write
from tests.usage.exports.watching import RECORDS, Told, elsewhere, later, left, on_each_batch, shown, stored
from tests.usage.factories import Tenant
from usage import tasks
from usage.exports import files, pulse, run, services, sweep
from usage.models import Export, ExportState

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("small_batches", "told")]


@pytest.fixture
def acme(busy: Tenant) -> Tenant:
    """An organization with records for several batches."""
    return busy


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


def test_files_are_for_the_server_alone(acme: Tenant, place: Path) -> None:
    done = write(acme, ask(acme))
    path = Path(files.storage().path(stored(done).file))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert path.parent.name == str(acme.id)
    assert {stat.S_IMODE(each.stat().st_mode) for each in (place, place / "unfinished")} == {0o700}


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
