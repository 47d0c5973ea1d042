"""Starting, recognising and stopping a server by its process id."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import psutil

LARGEST_LOG = 16 * 2**20


class ServerError(RuntimeError):
    """An embedded server didn't start or didn't stop; the message ends with the last lines of its log."""


class Account(NamedTuple):
    """The operating-system user a server runs as."""

    uid: int
    gid: int


def spawn(arguments: Sequence[str], *, log: Path, account: Account | None) -> subprocess.Popen[bytes]:
    """Start a server in a session of its own, so that the terminal's Ctrl-C reaches its supervisor only."""
    _rotate(log)
    log.touch(mode=0o600)
    with log.open("ab") as output:
        return subprocess.Popen(
            arguments,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            cwd="/",
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
        )


def run(arguments: Sequence[str], *, account: Account | None) -> subprocess.CompletedProcess[str]:
    """Run a program to its end and return what it said and how it ended."""
    return subprocess.run(
        arguments,
        check=False,
        capture_output=True,
        text=True,
        cwd="/",
        user=account.uid if account else None,
        group=account.gid if account else None,
        extra_groups=[] if account else None,
    )


def find(pid_file: Path, directory: Path) -> psutil.Process | None:
    """Return the live process that a pid file names, if it works in `directory`.

    A number alone proves nothing: after a crash it may belong to any other program.
    """
    try:
        process = psutil.Process(int(pid_file.read_text().split()[0]))
        if process.status() == psutil.STATUS_ZOMBIE or Path(process.cwd()) != directory:
            return None
    except (OSError, ValueError, IndexError, psutil.Error):
        return None
    return process


def stop(process: psutil.Process, *, signals: Sequence[tuple[signal.Signals, float]]) -> None:
    """Send each signal in turn, waiting so many seconds after it, until the process has ended.

    Raises: ServerError when it outlives the last one.
    """
    for number, patience in signals:
        with suppress(psutil.NoSuchProcess):
            process.send_signal(number)
        with suppress(psutil.TimeoutExpired):
            process.wait(patience)
            return
    raise ServerError(f"Process {process.pid} does not end.")


def last_lines(log: Path, count: int = 12) -> str:
    """Return the end of a log, for an error message."""
    try:
        return "\n".join(log.read_text(errors="replace").splitlines()[-count:])
    except OSError:
        return f"({log} cannot be read)"


def _rotate(log: Path) -> None:
    if log.exists() and log.stat().st_size > LARGEST_LOG:
        log.replace(log.with_suffix(".log.1"))
