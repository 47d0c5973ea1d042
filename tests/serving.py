"""The application on a port: as a process of its own, which can be killed, or in a thread of this one."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType

import httpx
import psutil
from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler
from django.core.wsgi import get_wsgi_application

START_SECONDS = 30
ROOT = Path(__file__).resolve().parent.parent


class Server:
    """Granian with the application, on a free port of this machine, against the test database.

    Concurrency: `start`, `kill` and `stop` are one thread's; requests may come from any.
    """

    def __init__(self, environment: dict[str, str], *, workers: int = 1, threads: int = 4) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        size = {"WEB_WORKERS": str(workers), "WEB_THREADS": str(threads)}
        self._environment = {**os.environ, **environment, **size, "HOST": "127.0.0.1", "PORT": str(self.port)}
        self._process: subprocess.Popen[bytes] | None = None
        self._log = Path(tempfile.mkstemp(prefix="headroom-server-", suffix=".log")[1])

    def start(self) -> None:
        """Start it and wait until it answers."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "config.web"],
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=ROOT,
                env=self._environment,
                start_new_session=True,
            )
        self._wait()

    def kill(self) -> None:
        """Kill it and its workers with SIGKILL, as if the power had gone."""
        for process in self._family():
            with suppress(psutil.NoSuchProcess):
                process.send_signal(signal.SIGKILL)
        self._reap()

    def restart(self) -> None:
        """Start it again, on the same port."""
        self.start()

    def stop(self) -> None:
        """End it in an orderly way, or at last by force."""
        if self._process is None:
            return
        family = self._family()
        self._process.terminate()
        _, alive = psutil.wait_procs(family, timeout=10)
        for process in alive:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        self._reap()

    def close(self) -> None:
        """End it and forget its log."""
        self.stop()
        self._log.unlink(missing_ok=True)

    @property
    def log(self) -> str:
        """What it has written so far."""
        return self._log.read_text(errors="replace")

    def __enter__(self) -> Server:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self.close()

    def _family(self) -> list[psutil.Process]:
        if self._process is None:
            return []
        try:
            parent = psutil.Process(self._process.pid)
            return [parent, *parent.children(recursive=True)]
        except psutil.NoSuchProcess:
            return []

    def _reap(self) -> None:
        if self._process is not None:
            self._process.wait(10)
            self._process = None

    def _wait(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        with httpx.Client(base_url=self.url, timeout=5) as client:
            while True:
                with suppress(httpx.TransportError):
                    if client.get("/healthz").status_code == httpx.codes.OK:
                        return
                if self._process is None or self._process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(f"The server did not start.\n{self.log}")
                time.sleep(0.05)


class QuietHandler(WSGIRequestHandler):
    """Answers without writing a line for each request."""

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the name is its base's)
        """Write nothing."""


@contextmanager
def serving_here() -> Iterator[str]:
    """Serve the application from threads of this process, at once and with its caches; yield the address."""
    httpd = ThreadedWSGIServer(("127.0.0.1", 0), QuietHandler, allow_reuse_address=False)
    httpd.set_app(get_wsgi_application())
    thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{httpd.server_port}"
    finally:
        httpd.shutdown()
        httpd.server_close()
        thread.join()


def free_port() -> int:
    """Return a port that nobody listens on at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
