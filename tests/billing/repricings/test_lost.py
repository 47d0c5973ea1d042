"""Repricings whose worker is lost: noticed, taken back, gone on with by another; nothing is priced twice."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from django.core.management import call_command

from billing import repricing as engine
from billing import tasks
from billing.models import Repricing, RepricingState
from billing.repricings import parts, run, services, sweep
from billing.services.reservations import charge
from config.embedded import EmbeddedPostgres
from core import pulse
from tests.billing.repricings.support import (
    COST_NANOS,
    Told,
    ask,
    figures,
    know,
    numbers,
    spent,
    stored,
    use,
)
from tests.billing.spending import limit_to
from tests.conftest import server_environment
from tests.serving import ROOT
from tests.usage.exports.watching import elsewhere, later
from tests.usage.factories import Tenant, make_tenant
from usage.rollups.verify import verify

pytestmark = pytest.mark.django_db(transaction=True)

RECORDS = 9

SELF_DESTRUCTION = """
import os, signal, sys
from uuid import UUID
import django
django.setup()
from billing.repricings import parts, run
note, steps = parts.note_step, []
def last_words(*args):
    note(*args)
    steps.append(1)
    if len(steps) == 3:
        os.kill(os.getpid(), signal.SIGKILL)
parts.note_step = last_words
run.run_repricing(UUID(sys.argv[1]), chunk=2)
"""


@pytest.fixture
def acme(transactional_db: None) -> Tenant:
    """An organization with a limit, with records whose price came later, and some without any."""
    tenant = make_tenant("Acme", plan="pay-as-you-go")
    limit_to(tenant, 1)
    use(tenant, RECORDS)
    know()
    use(tenant, 3, model="unknown-1")
    return tenant


def kill_a_worker(asked: Repricing) -> None:
    """Have a process take a repricing up, and die in its third step."""
    killed = subprocess.run(
        [sys.executable, "-c", SELF_DESTRUCTION, str(asked.pk)],
        cwd=ROOT,
        env={**os.environ, **server_environment()},
        capture_output=True,
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr


@pytest.mark.parametrize("dry_run", [True, False])
def test_a_killed_worker_is_noticed_and_another_goes_on_where_it_stood(
    acme: Tenant, told: Told, dry_run: bool
) -> None:
    asked = ask(acme, dry_run=dry_run)
    kill_a_worker(asked)
    assert (stored(asked).state, stored(asked).attempts) == (RepricingState.RUNNING, 1)
    total, looked_at, priced, left, cost = numbers(asked, acme)
    assert (total, looked_at, priced + left, cost) == (12, 4, 4, priced * COST_NANOS)
    assert figures(acme) == ((12, 12, 0) if dry_run else (12, 12 - priced, cost))

    told.clear()
    with later(timedelta(seconds=59)):
        assert sweep.sweep() == 0
    assert (stored(asked).state, told) == (RepricingState.RUNNING, [])
    with later(timedelta(seconds=70)):
        tasks.sweep_repricings()
    assert (stored(asked).state, told) == (RepricingState.QUEUED, [asked.pk])

    assert run.run_repricing(asked.pk, chunk=2) == 12 - looked_at
    assert (stored(asked).state, stored(asked).attempts) == (RepricingState.DONE, 2)
    assert numbers(asked, acme) == (12, 12, RECORDS, 3, RECORDS * COST_NANOS)
    if dry_run:
        assert (figures(acme), spent(acme)) == ((12, 12, 0), 0)
    else:
        assert (figures(acme), spent(acme)) == ((12, 3, RECORDS * COST_NANOS), RECORDS * COST_NANOS)
    assert list(verify(acme.organization)) == []


def test_a_step_that_is_interrupted_leaves_neither_costs_nor_progress(
    acme: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = ask(acme)
    calls = iter(range(100))

    def interrupted(**what: Any) -> None:
        charge(**what)
        if next(calls) == 1:
            raise KeyboardInterrupt

    monkeypatch.setattr(engine, "charge", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run.run_repricing(asked.pk, chunk=4)
    monkeypatch.undo()
    _, looked_at, priced, left, cost = numbers(asked, acme)
    assert (looked_at, priced + left) == (4, 4)
    assert (figures(acme)[2], spent(acme)) == (cost, cost)


def test_one_that_lost_three_workers_has_failed_and_keeps_what_it_priced(acme: Tenant) -> None:
    asked = ask(acme)
    kill_a_worker(asked)
    for losses in (1, 2, 3):
        with later(timedelta(seconds=70)):
            sweep.sweep()
        if losses < services.MOST_LOSSES:
            assert services.claim(asked.pk) is not None
    found = stored(asked)
    assert (found.state, found.error) == (RepricingState.FAILED, services.LOST)
    assert found.finished_at is not None
    assert figures(acme)[2] == numbers(asked, acme)[4] > 0


def test_a_turn_that_got_on_forgives_lost_workers(acme: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = ask(acme)
    for _ in range(services.MOST_LOSSES - 1):
        assert services.claim(asked.pk) is not None
        with later(timedelta(seconds=70)):
            sweep.sweep()
    assert stored(asked).losses == 2
    monkeypatch.setattr(run, "TURN", timedelta(0))
    run.run_repricing(asked.pk, chunk=2)
    assert (stored(asked).state, stored(asked).losses) == (RepricingState.QUEUED, 0)


@pytest.mark.parametrize("meanwhile", ["taken back", "cancelled"])
def test_a_worker_that_no_longer_has_it_undoes_its_step(
    acme: Tenant, monkeypatch: pytest.MonkeyPatch, meanwhile: str
) -> None:
    asked = ask(acme)
    adjust, steps = engine._adjust, []

    def slowly(*args: Any) -> Any:
        made = adjust(*args)
        steps.append(1)
        if len(steps) == 2:
            elsewhere(lambda: _take_away(asked, meanwhile))
        return made

    monkeypatch.setattr(engine, "_adjust", slowly)
    assert run.run_repricing(asked.pk, chunk=2) == 0
    assert len(steps) == 2
    assert stored(asked).state == ("queued" if meanwhile == "taken back" else "cancelled")
    _, looked_at, _, _, cost = numbers(asked, acme)
    assert (looked_at, figures(acme)[2], spent(acme)) == (2, cost, cost)
    assert list(verify(acme.organization)) == []


def _take_away(asked: Repricing, how: str) -> None:
    if how == "cancelled":
        assert services.cancel(asked.pk)
        return
    with later(timedelta(seconds=70)):
        assert sweep.sweep() == 2


def test_a_sign_of_life_at_the_last_moment_keeps_it_with_its_worker(acme: Tenant) -> None:
    asked = ask(acme)
    assert services.claim(asked.pk) is not None
    seen = stored(asked)
    assert services.beat(seen)
    assert services.take_back(seen) is False
    assert stored(asked).state == RepricingState.RUNNING


def test_a_worker_that_hears_that_it_was_cancelled_stops_before_the_next_step(
    acme: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "EVERY_SECONDS", 0.01)
    asked = ask(acme)
    heard = threading.Event()
    beat, check, checks = services.beat, pulse.Pulse.check, iter(range(100))

    def listen(repricing: Repricing) -> bool:
        mine = beat(repricing)
        if not mine:
            heard.set()
        return mine

    def cancelled(beating: pulse.Pulse) -> None:
        if next(checks) == 2:
            assert services.cancel(asked.pk)
            assert heard.wait(20)
            time.sleep(0.1)
        check(beating)

    monkeypatch.setattr(services, "beat", listen)
    monkeypatch.setattr(pulse.Pulse, "check", cancelled)
    assert run.run_repricing(asked.pk, chunk=2) == 0
    assert next(checks) == 3
    assert (stored(asked).state, numbers(asked, acme)[1]) == ("cancelled", 4)


def test_one_that_lost_the_database_is_taken_up_again(
    acme: Tenant, monkeypatch: pytest.MonkeyPatch, embedded_postgres: EmbeddedPostgres
) -> None:
    asked = ask(acme)
    note, steps = parts.note_step, []

    def ended(*args: Any) -> None:
        note(*args)
        steps.append(1)
        if len(steps) == 2:
            with psycopg.connect(embedded_postgres.url(database="postgres"), autocommit=True) as admin:
                admin.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    "WHERE usename = 'headroom_app' AND state = 'idle in transaction'"
                )

    monkeypatch.setattr(parts, "note_step", ended)
    assert run.run_repricing(asked.pk, chunk=2) == 0
    monkeypatch.undo()
    assert stored(asked).state == RepricingState.RUNNING
    with later(timedelta(seconds=70)):
        sweep.sweep()
    run.run_repricing(asked.pk, chunk=2)
    assert stored(asked).state == RepricingState.DONE
    assert numbers(asked, acme) == (12, 12, RECORDS, 3, RECORDS * COST_NANOS)
    assert (figures(acme), spent(acme)) == ((12, 3, RECORDS * COST_NANOS), RECORDS * COST_NANOS)


def test_what_the_command_priced_meanwhile_is_looked_at_and_not_priced_again(
    acme: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = ask(acme)
    found, calls = engine._priced, iter(range(100))

    def beaten(*args: Any) -> Any:
        if next(calls) == 0:
            call_command("reprice")
        return found(*args)

    monkeypatch.setattr(engine, "_priced", beaten)
    run.run_repricing(asked.pk)
    assert numbers(asked, acme) == (12, 12, 0, 3, 0)
    assert (figures(acme), spent(acme)) == ((12, 3, RECORDS * COST_NANOS), RECORDS * COST_NANOS)
