"""Processes that a measurement starts, waits for and ends, by their own numbers."""

from __future__ import annotations

import socket
import subprocess
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil

ROOT = Path(__file__).absolute().parent.parent
START_SECONDS = 60
END_SECONDS = 30
LONGEST_LOG = 20_000


class Process:
    """A program with the processes it makes; with a port, it has started when something listens there."""

    def __init__(self, command: list[str], environment: dict[str, str], *, port: int = 0) -> None:
        self.port = port
        self._command = command
        self._environment = environment
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 it is closed where the program is ended
        self._popen: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self._popen = subprocess.Popen(
            self._command,
            stdout=self._log,
            stderr=subprocess.STDOUT,
            env=self._environment,
            cwd=ROOT,
            start_new_session=True,
        )
        try:
            if self.port:
                self._wait()
        except BaseException:
            self.end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        if error is not None:
            error.add_note(f"{' '.join(self._command)} says:\n{self.log[-LONGEST_LOG:]}")
        self.end()

    @property
    def log(self) -> str:
        """What the program has written so far."""
        self._log.seek(0)
        return self._log.read().decode(errors="replace")

    def children(self) -> list[psutil.Process]:
        """Return the processes that the program made itself."""
        return [] if self._popen is None else psutil.Process(self._popen.pid).children()

    def end(self) -> None:
        """End the program, and by force what is left of it in the end."""
        if self._popen is None:
            return
        family = self._family()
        self._popen.terminate()
        _, alive = psutil.wait_procs(family, timeout=END_SECONDS)
        for process in alive:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        self._popen.wait()
        self._popen = None
        self._log.close()

    def _family(self) -> list[psutil.Process]:
        with suppress(psutil.NoSuchProcess):
            parent = psutil.Process(self._popen.pid if self._popen else 0)
            return [parent, *parent.children(recursive=True)]
        return []

    def _wait(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not _listens(self.port):
            if self._popen is None or self._popen.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{self._command} did not start.\n{self.log}")
            time.sleep(0.1)
        # The port is the first thing a server opens: its workers may still be loading the application.
        time.sleep(1)


def free_port() -> int:
    """Return a port that nobody listens on at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _listens(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False
