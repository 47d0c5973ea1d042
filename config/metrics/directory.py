"""Where the processes of one web server count together: a directory of its own, gone when it ends."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

NAME = "metrics"
VARIABLE = "PROMETHEUS_MULTIPROC_DIR"


@contextmanager
def counting(data: Path) -> Iterator[Path]:
    """Have the processes that are started meanwhile count in files; of servers that died, remove theirs.

    A process that ends leaves its counts to the server's sums, so that they never fall while it runs.
    Concurrency: each server has its own directory, named for the process and when that began.
    """
    place = data / NAME
    place.mkdir(parents=True, exist_ok=True, mode=0o700)
    for left in place.iterdir():
        if server_of(left) is None:
            shutil.rmtree(left, ignore_errors=True)
    mine = place / _name(psutil.Process())
    mine.mkdir(mode=0o700)
    os.environ[VARIABLE] = str(mine)
    try:
        yield mine
    finally:
        del os.environ[VARIABLE]
        shutil.rmtree(mine, ignore_errors=True)


def shared() -> Path | None:
    """Return the directory that this process counts in, if it shares one."""
    found = os.environ.get(VARIABLE)
    return None if found is None else Path(found)


def server_of(directory: Path) -> psutil.Process | None:
    """Return the live web server that a directory belongs to."""
    with suppress(ValueError, psutil.Error):
        server = psutil.Process(int(directory.name.partition("-")[0]))
        if _name(server) == directory.name:
            return server
    return None


def _name(process: psutil.Process) -> str:
    return f"{process.pid}-{process.create_time():.2f}"
