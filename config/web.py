"""Run the web server: granian with the WSGI application (`python -m config.web`)."""

from __future__ import annotations

import copy
from contextlib import nullcontext
from dataclasses import dataclass

from granian.constants import Interfaces
from granian.log import LogLevels
from granian.server import Server

from config.env import Env
from config.metrics.directory import counting

# A thread that ended would take its database connection along.
IDLE_SECONDS = 600
KILL_SECONDS = 10


@dataclass(frozen=True)
class Binding:
    """Where the web server listens, and with how many processes and threads."""

    host: str
    port: int
    workers: int
    threads: int

    @property
    def url(self) -> str:
        """The address to type into a browser on this machine."""
        host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(self.host, self.host)  # noqa: S104
        return f"http://{host}:{self.port}"


def binding(env: Env) -> Binding:
    """Read HOST, PORT, WEB_WORKERS and WEB_THREADS."""
    return Binding(
        host=env.text("HOST", "127.0.0.1"),
        port=env.integer("PORT", 8000, least=1, most=65535),
        workers=env.integer("WEB_WORKERS", 2, least=1, most=256),
        threads=env.integer("WEB_THREADS", 4, least=1, most=256),
    )


def main() -> None:
    """Serve until a signal ends it."""
    from django.conf import settings

    logging = copy.deepcopy(settings.LOGGING)  # granian writes into it; reading it also reads `.env`
    env = Env()
    bound = binding(env)
    with counting(settings.DATA_DIR) if settings.METRICS_TOKEN else nullcontext():
        Server(
            "config.wsgi:application",
            address=bound.host,
            port=bound.port,
            interface=Interfaces.WSGI,
            workers=bound.workers,
            blocking_threads=bound.threads,
            blocking_threads_idle_timeout=IDLE_SECONDS,
            websockets=False,
            respawn_failed_workers=True,
            workers_kill_timeout=KILL_SECONDS,
            log_level=LogLevels.warning
            if settings.LOG_LEVEL in {"WARNING", "ERROR", "CRITICAL"}
            else LogLevels.info,
            log_dictconfig=logging,
            log_access=env.boolean("ACCESS_LOG", False),
        ).serve()


if __name__ == "__main__":
    main()
