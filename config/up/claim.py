"""One supervisor for a data directory, and the end of what a supervisor that died left running."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

MARK = "HEADROOM_SUPERVISED"
PATIENCE_SECONDS = 15


class AlreadyRunning(RuntimeError):
    """Another supervisor works with this data directory."""


@contextmanager
def claim(data: Path) -> Iterator[None]:
    """Hold the data directory; the kernel gives it back however this process ends.

    Raises: AlreadyRunning.
    """
    data.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (data / "up.lock").open("a+") as lock:
        try:
            # A record lock is this process's alone; one by flock() would live on in children after a crash.
            fcntl.lockf(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except (BlockingIOError, PermissionError) as error:
            raise AlreadyRunning(f"It is running already, with its data in {data}.") from error
        yield


def mark(data: Path) -> dict[str, str]:
    """Return the environment variable that supervised processes of this data directory carry."""
    return {MARK: str(data.resolve())}


def end_leftovers(data: Path) -> int:
    """End the processes that carry this directory's mark, and return how many there were.

    Concurrency: only under `claim`, when nobody else supervises such processes.
    """
    leftovers = _marked(data)
    for process in leftovers:
        with suppress(psutil.NoSuchProcess):
            process.terminate()
    _, alive = psutil.wait_procs(leftovers, timeout=PATIENCE_SECONDS)
    for process in alive:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(alive, timeout=PATIENCE_SECONDS)
    return len(leftovers)


def _marked(data: Path) -> list[psutil.Process]:
    value = mark(data)[MARK]
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            if process.environ().get(MARK) == value:
                found.append(process)
    return found
