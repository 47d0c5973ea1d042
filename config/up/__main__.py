"""`python -m config.up`: start everything that is needed, until Ctrl-C."""

from __future__ import annotations

import argparse
import os
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FrameType

import django
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError

from config import web
from config.embedded import EmbeddedPostgres, EmbeddedRedis, ServerError
from config.env import Env
from config.up.claim import AlreadyRunning, claim, end_leftovers

EXPECTED = (AlreadyRunning, CommandError, ImproperlyConfigured, OSError, ServerError)


def main() -> int:
    """Start what the command line asks for, and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m config.up", description=__doc__)
    parser.add_argument("--services-only", action="store_true", help="only the embedded PostgreSQL and Redis")
    options = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    signal.signal(signal.SIGTERM, _interrupt)
    signal.signal(signal.SIGHUP, _interrupt)
    try:
        django.setup()
        return _services() if options.services_only else _everything()
    except EXPECTED as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except KeyboardInterrupt:
        return 0


def _everything() -> int:
    from django.conf import settings
    from django.db import connections

    from config.up import banner, demo, prepare, supervise

    env = Env()
    bound = web.binding(env)
    data: Path = settings.DATA_DIR
    with claim(data), ExitStack() as running:
        end_leftovers(data)
        refuse_taken_port(bound)
        running.enter_context(services())
        _say("Preparing the database")
        prepare.database()
        if prepare.prices():
            _say("The price book has the list that genai-prices brings")
        _say("Collecting static files")
        prepare.static_files()
        text = banner.banner(bound.url, demo.ensure(data))
        connections.close_all()
        processes = env.integer("WORKER_PROCESSES", 2, least=1, most=256)
        return supervise.run(bound, data=data, worker_processes=processes, announcement=text)


def _services() -> int:
    from django.conf import settings

    data: Path = settings.DATA_DIR
    with claim(data), services():
        _say(f"DATABASE_URL={settings.DATABASE_URL}\nREDIS_URL={settings.REDIS_URL}\nUntil Ctrl-C.")
        signal.pause()
    return 0


@contextmanager
def services() -> Iterator[None]:
    """Run the embedded servers that no URL replaces, and end them in the end."""
    from django.conf import settings

    data: Path = settings.DATA_DIR
    with ExitStack() as running:
        if settings.EMBEDDED_POSTGRES:
            _say("Starting PostgreSQL")
            postgres = EmbeddedPostgres(data)
            running.callback(postgres.stop)
            postgres.start()
        if settings.EMBEDDED_REDIS:
            _say("Starting Redis")
            redis = EmbeddedRedis(data)
            running.callback(redis.stop)
            redis.start()
        yield


def refuse_taken_port(bound: web.Binding) -> None:
    """Find out now, and not in a worker's traceback, whether the port is free.

    Raises: ImproperlyConfigured, naming PORT.
    """
    family = socket.AF_INET6 if ":" in bound.host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((bound.host, bound.port))
        except OSError as error:
            where = f"{bound.host}:{bound.port}"
            text = f"{where} can't be listened on ({error.strerror}): PORT=8001 chooses another."
            raise ImproperlyConfigured(text) from error


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
