"""Serve the bare view until a signal ends it (`python -m benchmarks.bare`)."""

from __future__ import annotations

import os

from granian.constants import Interfaces
from granian.log import LogLevels
from granian.server import Server

from config.env import Env
from config.web import binding


def main() -> None:
    """Serve as `config.web` does, but for the application."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "benchmarks.bare.settings"
    bound = binding(Env())
    Server(
        "benchmarks.bare.view:application",
        factory=True,
        address=bound.host,
        port=bound.port,
        interface=Interfaces.WSGI,
        workers=bound.workers,
        blocking_threads=bound.threads,
        blocking_threads_idle_timeout=600,
        websockets=False,
        log_level=LogLevels.warning,
    ).serve()


if __name__ == "__main__":
    main()
