"""Imports whose worker is lost: taken back, taken in by another, every record once and counted once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from config.embedded import EmbeddedPostgres
from tests.conftest import server_environment
from tests.serving import ROOT
from tests.usage.exports.watching import elsewhere, later
from tests.usage.factories import Tenant
from tests.usage.imports.jobs.support import LINES, Told, begin, counts, left, stored, table, work
from tests.usage.imports.jobs.test_life import on_each_batch, records
from usage import tasks
from usage.imports.jobs import job, services, sweep
from usage.models import ImportState
from usage.rollups.verify import verify

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def acme(transactional_db: None, acme: Tenant) -> Tenant:
    """An organization whose rows other connections see, too."""
    return acme


@pytest.fixture(autouse=True)
def _small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job, "BATCH", 10)


SELF_DESTRUCTION = """
import os, signal, sys
from uuid import UUID
import django
django.setup()
from usage.imports.jobs import job
job.BATCH = 10
work = getattr(job.Intake, sys.argv[3])
def last_words(self, given):
    answer = work(self, given)
    if self._tally.accepted + self._tally.rejected >= 30:
        os.kill(os.getpid(), signal.SIGKILL)
    return answer
setattr(job.Intake, sys.argv[3], last_words)
job.run_import(UUID(sys.argv[1]), int(sys.argv[2]))
"""


@pytest.mark.parametrize(
    ("at", "kept"), [("_note", 20), ("take", 30)], ids=["within a batch", "between batches"]
)
def test_a_killed_worker_is_noticed_and_another_ends_the_import_exactly(
    acme: Tenant, place: Path, told: Told, at: str, kept: int
) -> None:
    one = begin(acme, table(wrong=(2, 45)))
    killed = subprocess.run(
        [sys.executable, "-c", SELF_DESTRUCTION, str(one.pk), str(acme.id), at],
        cwd=ROOT,
        env={**os.environ, **server_environment()},
        capture_output=True,
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    # What is counted is what is stored, also where the worker was killed between the two.
    assert counts(stored(one)) == ("running", kept - 1, 0, 1)
    assert len(records(acme)) == kept - 1

    told.clear()
    with later(timedelta(seconds=59)):
        assert sweep.sweep() == 0
    with later(timedelta(seconds=70)):
        tasks.sweep_imports()
    assert (stored(one).state, told) == (ImportState.QUEUED, [(one.pk, acme.id)])

    done = work(one)
    assert (counts(done), done.attempts) == (("done", LINES - 2, 0, 2), 2)
    assert [line for line, *_ in done.refusals] == [4, 47]
    assert len(records(acme)) == LINES - 2
    assert sum(record.prompt_tokens or 0 for record in records(acme)) == sum(range(LINES)) - 47
    assert list(verify(acme.organization)) == []
    assert [path for path in left(place) if not path.startswith("unfinished")] == [
        f"{acme.id}/{one.pk}-2.csv"
    ]


def test_duplicates_are_those_of_others_also_after_a_second_attempt(
    acme: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    work(begin(acme, table(15)))
    one = begin(acme, table())

    class Killed(BaseException):
        pass

    def act(number: int) -> None:
        if number == 3:
            raise Killed

    with monkeypatch.context() as patch:
        on_each_batch(patch, act)
        with pytest.raises(Killed):
            work(one)
    assert counts(stored(one)) == ("running", 15, 15, 0)
    with later(timedelta(seconds=61)):
        sweep.sweep()
    assert counts(work(one)) == ("done", LINES - 15, 15, 0)


def test_a_worker_that_was_taken_for_lost_stores_nothing_any_more(
    acme: Tenant, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = begin(acme, table())
    original = job.Intake._note

    def meanwhile(self: job.Intake, batch: Any) -> None:
        if self._tally.accepted == 20:
            monkeypatch.setattr(job.Intake, "_note", original)

            def other() -> None:
                with later(timedelta(seconds=61)):
                    assert sweep.sweep() == 1
                assert len(records(acme)) == 20

            elsewhere(other)
        original(self, batch)

    monkeypatch.setattr(job.Intake, "_note", meanwhile)
    assert job.run_import(one.pk, acme.id) == 0
    assert counts(stored(one)) == ("queued", 20, 0, 0)
    assert len(records(acme)) == 20
    assert counts(work(one)) == ("done", LINES, 0, 0)
    assert len(records(acme)) == LINES
    assert left(place) == []


def test_a_worker_that_hears_that_it_was_taken_for_lost_stops(
    acme: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard = threading.Event()

    def beat(one: Any) -> bool:
        heard.set()
        return False

    def act(number: int) -> None:
        if number == 2:
            assert heard.wait(20)

    monkeypatch.setattr(services, "beat", beat)
    seen = on_each_batch(monkeypatch, act)
    one = begin(acme, table())
    assert job.run_import(one.pk, acme.id) == 0
    assert seen[:3] == [0, 1, 2]
    assert len(seen) < LINES // 10
    assert stored(one).accepted == len(records(acme)) < LINES


def test_an_import_that_lost_three_workers_has_failed(acme: Tenant, place: Path) -> None:
    one = begin(acme, table())
    for attempt in (1, 2, 3):
        assert services.claim(import_id=one.pk, organization_id=acme.id) is not None
        assert stored(one).attempts == attempt
        with later(timedelta(seconds=61)):
            sweep.sweep()
    ended = stored(one)
    assert (ended.state, ended.error) == ("failed", "Its worker was lost 3 times.")
    assert ended.finished_at is not None
    assert left(place) == []


def test_a_sign_of_life_at_the_last_moment_keeps_an_import_with_its_worker(acme: Tenant) -> None:
    one = begin(acme, table())
    services.claim(import_id=one.pk, organization_id=acme.id)
    seen = stored(one)
    services.beat(seen)
    assert services.take_back(seen) is False
    assert stored(one).state == ImportState.RUNNING


def test_an_import_that_lost_the_database_is_tried_again(
    acme: Tenant, monkeypatch: pytest.MonkeyPatch, embedded_postgres: EmbeddedPostgres
) -> None:
    def end_all(number: int) -> None:
        if number == 2:
            with psycopg.connect(embedded_postgres.url(database="postgres"), autocommit=True) as admin:
                admin.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'headroom_app'"
                )

    with monkeypatch.context() as patch:
        on_each_batch(patch, end_all)
        one = begin(acme, table())
        assert job.run_import(one.pk, acme.id) == 0
    assert counts(stored(one)) == ("running", 20, 0, 0)
    with later(timedelta(seconds=61)):
        sweep.sweep()
    assert counts(work(one)) == ("done", LINES, 0, 0)
    assert len(records(acme)) == LINES
