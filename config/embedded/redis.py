"""The embedded Redis: reached by a Unix socket only, reused if it is already running."""

from __future__ import annotations

import signal
import subprocess
import time
from pathlib import Path

import psutil
from redis import Redis
from redis.exceptions import RedisError

from config.embedded import paths, process
from config.embedded.postgres import make_private

START_SECONDS = 60
ORDERLY = ((signal.SIGTERM, 30), (signal.SIGKILL, 10))


class EmbeddedRedis:
    """One Redis under `data`; `durable=False` keeps nothing on disk, for tests."""

    def __init__(self, data: Path, *, durable: bool = True) -> None:
        self.directory = paths.redis_directory(data)
        self.sockets = paths.socket_directory(data)
        self.log = data.resolve() / "redis.log"
        self.durable = durable
        self._data = data
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def process(self) -> psutil.Process | None:
        """The running server of this directory, whoever started it."""
        return process.find(self.directory / "redis.pid", self.directory)

    @property
    def url(self) -> str:
        """The URL of its database 0."""
        return paths.redis_url(self._data)

    def start(self) -> None:
        """See to it that the server answers.

        Raises: ServerError with the end of the log when it doesn't come up.
        """
        if self.process is None:
            self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
            make_private(self.sockets)
            arguments = [str(paths.redis_program()), self._write_settings()]
            self._child = process.spawn(arguments, log=self.log, account=None)
        self._wait()

    def stop(self) -> None:
        """End the server, which first saves what it holds."""
        running = self.process
        if running is not None:
            process.stop(running, signals=ORDERLY)
        if self._child is not None:
            self._child.wait(10)
            self._child = None

    def _write_settings(self) -> str:
        settings = {
            "port": "0",
            "unixsocket": f'"{self.sockets / "redis.sock"}"',
            "unixsocketperm": "700",
            "dir": f'"{self.directory}"',
            "pidfile": f'"{self.directory / "redis.pid"}"',
            "daemonize": "no",
            "databases": "16",
            "save": "60 1" if self.durable else '""',
            "appendonly": "no",
            # Counters and queues must not vanish silently: a full Redis refuses writes, and says so.
            "maxmemory-policy": "noeviction",
        }
        path = self.directory / "redis.conf"
        path.write_text("".join(f"{name} {value}\n" for name, value in settings.items()))
        return str(path)

    def _wait(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        with Redis.from_url(self.url) as client:
            while not _answers(client):
                ended = self._child is not None and self._child.poll() is not None
                if ended or time.monotonic() > deadline:
                    raise process.ServerError(f"Redis did not start.\n{process.last_lines(self.log)}")
                time.sleep(0.05)


def _answers(client: Redis) -> bool:
    try:
        return bool(client.ping())
    except RedisError:
        return False
