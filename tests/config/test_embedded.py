"""The embedded servers start, are reused, survive crashes, and end by their own number."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest
from redis import Redis

from config.embedded import EmbeddedPostgres, EmbeddedRedis, ServerError, paths, process


@pytest.fixture
def postgres(place: Path) -> Iterator[EmbeddedPostgres]:
    server = EmbeddedPostgres(place / "data", durable=False)
    yield server
    server.stop(immediate=True)


@pytest.fixture
def redis(place: Path) -> Iterator[EmbeddedRedis]:
    server = EmbeddedRedis(place / "data")
    yield server
    server.stop()


def connect(server: EmbeddedPostgres) -> psycopg.Connection[Any]:
    return psycopg.connect(server.url(database="postgres"), autocommit=True)


def running(server: EmbeddedPostgres | EmbeddedRedis) -> psutil.Process:
    found = server.process
    assert found is not None
    return found


def test_postgres_answers_on_its_socket_only_and_ends_when_told(postgres: EmbeddedPostgres) -> None:
    postgres.start()
    number = running(postgres).pid
    with connect(postgres) as connection:
        assert connection.execute("SHOW listen_addresses").fetchone() == ("",)
        assert connection.execute("SHOW synchronous_commit").fetchone() == ("on",)
        assert connection.execute("SHOW wal_compression").fetchone() == ("pglz",)
        assert connection.execute("SHOW jit").fetchone() == ("off",)
    assert stat.S_IMODE(postgres.sockets.stat().st_mode) == 0o700
    assert stat.S_IMODE(postgres.log.stat().st_mode) == 0o600
    postgres.stop()
    assert postgres.process is None
    assert not psutil.pid_exists(number)


def test_postgres_starts_under_the_strictest_umask(postgres: EmbeddedPostgres) -> None:
    before = os.umask(0o077)
    try:
        postgres.start()
    finally:
        os.umask(before)
    with connect(postgres) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_a_second_start_reuses_the_running_server_and_a_later_one_keeps_the_data(
    postgres: EmbeddedPostgres,
) -> None:
    postgres.start()
    with connect(postgres) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    another = EmbeddedPostgres(postgres.directory.parent, durable=False)
    another.start()
    assert running(another).pid == running(postgres).pid
    another.stop()
    assert postgres.process is None
    postgres.start()
    with connect(postgres) as connection:
        assert connection.execute("SELECT answer FROM kept").fetchone() == (42,)


def test_postgres_recovers_from_a_kill_with_what_was_committed(postgres: EmbeddedPostgres) -> None:
    postgres.start()
    with connect(postgres) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    running(postgres).send_signal(signal.SIGKILL)
    postgres.stop()
    postgres.start()
    with connect(postgres) as connection:
        assert connection.execute("SELECT answer FROM kept").fetchone() == (42,)


def test_a_lock_file_that_names_another_program_is_no_running_server(postgres: EmbeddedPostgres) -> None:
    postgres.start()
    lock = postgres.directory / "postmaster.pid"
    lines = lock.read_text().splitlines()
    postgres.stop()
    bystander = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        lock.write_text("\n".join([str(bystander.pid), *lines[1:]]) + "\n")
        assert postgres.process is None
        postgres.start()
        assert running(postgres).pid != bystander.pid
        postgres.stop()
        assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()


def test_an_interrupted_making_of_the_cluster_is_made_again(postgres: EmbeddedPostgres) -> None:
    half = postgres.directory.with_name("postgres.new")
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18")
    postgres.start()
    assert not half.exists()


def test_a_server_that_can_not_start_says_why(postgres: EmbeddedPostgres) -> None:
    postgres.start()
    postgres.stop()
    with (postgres.directory / "postgresql.conf").open("a") as configuration:
        configuration.write("\nno_such_setting = 1\n")
    with pytest.raises(ServerError, match="no_such_setting"):
        postgres.start()


def test_a_data_directory_with_a_long_path_gets_a_short_socket_directory(place: Path) -> None:
    data = place / ("long" * 30)
    server, store = EmbeddedPostgres(data, durable=False), EmbeddedRedis(data, durable=False)
    assert len(os.fsencode(server.sockets / ".s.PGSQL.5432")) <= 107
    try:
        server.start()
        store.start()
        with connect(server) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
        with Redis.from_url(store.url) as client:
            assert client.ping()
    finally:
        store.stop()
        server.stop(immediate=True)
        server.sockets.rmdir()


def test_a_socket_directory_of_somebody_else_is_refused(place: Path, postgres: EmbeddedPostgres) -> None:
    elsewhere = place / "elsewhere"
    elsewhere.mkdir()
    postgres.sockets.parent.mkdir()
    postgres.sockets.symlink_to(elsewhere)
    with pytest.raises(ServerError, match="belongs to somebody else"):
        postgres.start()


def test_redis_keeps_what_it_holds_over_an_orderly_end(redis: EmbeddedRedis) -> None:
    redis.start()
    number = running(redis).pid
    with Redis.from_url(redis.url) as client:
        client.set("kept", "42")
    redis.stop()
    assert not psutil.pid_exists(number)
    redis.start()
    with Redis.from_url(redis.url) as client:
        assert client.get("kept") == b"42"


def test_redis_is_reused_while_it_runs_and_started_again_after_a_kill(redis: EmbeddedRedis) -> None:
    redis.start()
    first = running(redis)
    EmbeddedRedis(redis.directory.parent).start()
    assert running(redis).pid == first.pid
    first.kill()
    redis.stop()
    redis.start()
    assert running(redis).pid != first.pid


def test_stopping_what_does_not_run_does_nothing(postgres: EmbeddedPostgres, redis: EmbeddedRedis) -> None:
    postgres.stop()
    redis.stop()


def test_a_process_that_ignores_a_signal_gets_the_next_one() -> None:
    program = "import signal as s, time; s.signal(s.SIGTERM, s.SIG_IGN); print(1, flush=True); time.sleep(60)"
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as stubborn:
        assert stubborn.stdout is not None
        stubborn.stdout.readline()
        process.stop(psutil.Process(stubborn.pid), signals=((signal.SIGTERM, 0.1), (signal.SIGKILL, 5)))
    assert not psutil.pid_exists(stubborn.pid)


def test_the_addresses_are_known_before_anything_runs(place: Path) -> None:
    assert paths.postgres_url(place, user="headroom_app").startswith(
        "postgresql://headroom_app@/headroom?host=/"
    )
    assert paths.redis_url(place).endswith("/run/redis.sock?db=0")
