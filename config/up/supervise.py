"""Web, worker and beat as one: they start together, share one terminal, and end together."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
from pathlib import Path
from types import FrameType

from honcho import manager

from config.up import claim
from config.web import Binding

# A worker may finish the task it is at, a web worker the request.
manager.KILL_WAIT = 20


def run(bound: Binding, *, data: Path, worker_processes: int, announcement: str) -> int:
    """Run the three until one ends or a signal comes, and return the exit code.

    Concurrency: every process leads a session of its own and is ended by its number.
    """
    environment = {**os.environ, **claim.mark(data), "PYTHONUNBUFFERED": "1", "PORT": str(bound.port)}
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
    return int(supervisor.returncode or 0)


def commands(data: Path, worker_processes: int) -> dict[str, list[str]]:
    """Return the command line of each process by its name."""
    celery = [sys.executable, "-m", "celery", "--app", "config", "--quiet"]
    worker = [*celery, "worker", "--concurrency", str(worker_processes), "--without-mingle", "--without-gossip"]
    beat = [*celery, "beat", "--schedule", str(data / "beat-schedule")]
    return {"web": [sys.executable, "-m", "config.web"], "worker": worker, "beat": beat}


def _announce(url: str, text: str) -> subprocess.Popen[bytes]:
    # In its own session: the terminal's Ctrl-C would have it print a traceback.
    process = subprocess.Popen(
        [sys.executable, "-m", "config.up.announce", url], stdin=subprocess.PIPE, start_new_session=True
    )
    assert process.stdin is not None
    process.stdin.write(text.encode())
    process.stdin.close()
    return process


def _terminate(number: int, frame: FrameType | None) -> None:
    os.kill(os.getpid(), signal.SIGTERM)
