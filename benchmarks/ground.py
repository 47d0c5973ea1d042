"""The servers of a measurement: set up as a start of the whole does it, in a directory of their own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final

import psycopg

from benchmarks.processes import ROOT, Process, free_port
from config.embedded import EmbeddedPostgres, EmbeddedRedis, paths
from tests.plugin import documented_variables

WORKERS: Final = 2
THREADS: Final = 4
FOLD_SECONDS: Final = 2


class Ground:
    """PostgreSQL and Redis under `data`, and the environment that points a process at them.

    ``settings`` are variables that differ from those of a measurement.
    """

    def __init__(self, data: Path, *, durable: bool = True) -> None:
        self.data = data
        self.postgres = EmbeddedPostgres(data, durable=durable)
        self.redis = EmbeddedRedis(data)
        self.settings: dict[str, str] = {}

    @property
    def environment(self) -> dict[str, str]:
        """The environment of a process that runs on these servers, without any setting of the caller's."""
        kept = {name: value for name, value in os.environ.items() if name not in documented_variables()}
        return {
            **kept,
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "HEADROOM_ENV_FILE": os.devnull,
            "HEADROOM_DATA": str(self.data),
            "SECRET_KEY": "only for measuring, and as long as a real one has to be",
            "STATIC_MANIFEST": "false",
            "STATIC_ROOT": str(self.data / "static"),
            "LOG_LEVEL": "WARNING",
            "PYTHONUNBUFFERED": "1",
            **self.settings,
        }

    @contextmanager
    def running(self) -> Iterator[Ground]:
        """Run both servers."""
        (self.data / "static").mkdir(parents=True, exist_ok=True)
        with ExitStack() as stack:
            stack.callback(self.postgres.stop)
            self.postgres.start()
            stack.callback(self.redis.stop)
            self.redis.start()
            yield self

    def migrate(self) -> None:
        """Make the roles, the database and its tables, or bring them up to date, in a process of its own."""
        self.manage("bootstrap_database")
        self.manage("migrate", "--verbosity", "0")

    def manage(self, *command: str) -> None:
        """Run a management command.

        Raises: CalledProcessError.
        """
        self.call([sys.executable, "manage.py", *command])

    def call(self, command: list[str]) -> None:
        """Run a program on these servers to its end; what it says of itself goes to the standard error.

        Raises: CalledProcessError.
        """
        subprocess.run(command, check=True, cwd=ROOT, env=self.environment, stdout=subprocess.DEVNULL)

    def output(self, command: list[str]) -> str:
        """Return what a program on these servers writes.

        Raises: CalledProcessError.
        """
        return subprocess.run(
            command, check=True, cwd=ROOT, env=self.environment, stdout=subprocess.PIPE, text=True
        ).stdout

    def admin(self, database: str = paths.DATABASE) -> psycopg.Connection[Any]:
        """Return a new autocommit connection of the superuser, whom row-level security doesn't bind."""
        return psycopg.connect(self.postgres.url(database=database), autocommit=True)

    def web(self, module: str = "config.web") -> Process:
        """Return the web server: two workers with four threads each, as a start would run it."""
        port = free_port()
        binding = {"HOST": "127.0.0.1", "PORT": str(port)}
        size = {"WEB_WORKERS": str(WORKERS), "WEB_THREADS": str(THREADS)}
        return Process([sys.executable, "-m", module], self.environment | binding | size, port=port)

    def folder(self) -> Process:
        """Return the process that folds what is pending every few seconds."""
        command = [sys.executable, "-m", "benchmarks.folding", str(FOLD_SECONDS)]
        return Process(command, self.environment | {"PGAPPNAME": "folding"})


@contextmanager
def temporary_ground() -> Iterator[Ground]:
    """Run servers in a directory that goes away with them."""
    data = Path(tempfile.mkdtemp(prefix="headroom-bench-"))
    ground = Ground(data)
    try:
        with ground.running():
            ground.migrate()
            yield ground
    finally:
        shutil.rmtree(ground.postgres.sockets, ignore_errors=True)
        shutil.rmtree(data, ignore_errors=True)
