"""Web, worker and beat as one: they start together, share one terminal, and end together."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from types import FrameType

from honcho import manager

from config.up import claim
from config.web import Binding


class Leaders(manager.ProcessManager):  # type: ignore[misc] # it has no types
    """Ends processes by asking each itself, which then ends its own."""

    def terminate(self, pid: int) -> None:
        """Ask a process to end; its whole group would take a worker's children from the tasks they are at."""
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)


# A worker may finish the task it is at, a web worker the request.
manager.KILL_WAIT = 20
manager.ProcessManager = Leaders
ASKED = frozenset(outcome["rc"] for outcome in manager.SIGNALS.values())
ROOT_WARNING = "ignore:You're running the worker with superuser privileges"


def run(bound: Binding, *, data: Path, worker_processes: int, announcement: str) -> int:
    """Run the three until one ends or a signal comes, and return the exit code.

    Concurrency: every process leads a session of its own and is ended by its number.
    """
    environment = {**os.environ, **claim.mark(data), "PYTHONUNBUFFERED": "1", "PYTHONWARNINGS": ROOT_WARNING}
    supervisor = manager.Manager()
    for name, command in commands(data, worker_processes).items():
        supervisor.add_process(name, f"exec {shlex.join(command)}", env=environment)
    # A terminal that is closed ends everything just as Ctrl-C does.
    signal.signal(signal.SIGHUP, _terminate)
    announcer = _announce(bound.url, announcement)
    try:
        supervisor.loop()
    finally:
        announcer.terminate()
        announcer.wait()
        claim.end_leftovers(data)
    # To be asked to end, and to do so, is no failure.
    return 0 if supervisor.returncode in ASKED else int(supervisor.returncode or 0)


def commands(data: Path, worker_processes: int) -> dict[str, list[str]]:
    """Return the command line of each process by its name."""
    celery = [sys.executable, "-m", "celery", "--app", "config", "--quiet"]
    worker = [
        *celery,
        "worker",
        "--concurrency",
        str(worker_processes),
        "--without-mingle",
        "--without-gossip",
    ]
    beat = [*celery, "beat", "--schedule", str(data / "beat-schedule")]
    return {"web": [sys.executable, "-m", "config.web"], "worker": worker, "beat": beat}


def _announce(url: str, text: str) -> subprocess.Popen[bytes]:
    # By standard input, since the list of processes would show a key in an argument; and in a session of
    # its own, where the terminal's Ctrl-C doesn't make it print a traceback.
    command = [sys.executable, "-m", "config.up.announce", url]
    with tempfile.TemporaryFile() as given:
        given.write(text.encode())
        given.seek(0)
        return subprocess.Popen(command, stdin=given, start_new_session=True)


def _terminate(number: int, frame: FrameType | None) -> None:
    os.kill(os.getpid(), signal.SIGTERM)
