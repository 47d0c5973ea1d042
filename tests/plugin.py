"""A pytest plugin that gives the suite its own PostgreSQL and Redis, before Django's settings are read."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

import pytest

from config.bootstrap import Roles, bootstrap
from config.databases import parse_address
from config.embedded import EmbeddedPostgres, EmbeddedRedis

OWNER, APP, LOOKUP = "headroom_owner", "headroom_app", "headroom_lookup"
FOREIGN = (
    "DATABASE_URL",
    "DATABASE_OWNER_URL",
    "DATABASE_ADMIN_URL",
    "REDIS_URL",
    "SECRET_KEY",
    "ALLOWED_HOSTS",
)


class Services:
    """The servers of one run of the suite, in a directory that goes away with them."""

    def __init__(self) -> None:
        self.data = Path(tempfile.mkdtemp(prefix="headroom-tests-"))
        (self.data / "static").mkdir()
        self.postgres = EmbeddedPostgres(self.data, durable=False)
        self.redis = EmbeddedRedis(self.data, durable=False)

    def start(self) -> None:
        """Start both, with the roles made and the environment pointing at them."""
        self.postgres.start()
        self.redis.start()
        admin = parse_address(self.postgres.url(database="postgres"), variable="the suite's PostgreSQL")
        roles = Roles(owner=OWNER, app=APP, lookup=LOOKUP, owner_login=OWNER, app_login=APP)
        bootstrap(admin, database="headroom", roles=roles, embedded=True)
        self._point_environment()

    def stop(self) -> None:
        """End both and leave nothing behind."""
        self.redis.stop()
        self.postgres.stop(immediate=True)
        shutil.rmtree(self.postgres.sockets, ignore_errors=True)
        shutil.rmtree(self.data, ignore_errors=True)

    def _point_environment(self) -> None:
        # The environment of whoever runs the suite must not decide what is tested.
        for name in [*FOREIGN, *(name for name in os.environ if name.startswith("HEADROOM_"))]:
            os.environ.pop(name, None)
        os.environ.update(
            HEADROOM_ENV_FILE=os.devnull,
            HEADROOM_DATA=str(self.data),
            SECRET_KEY="only for the tests, and as long as a real one has to be",
            STATIC_MANIFEST="false",
            STATIC_ROOT=str(self.data / "static"),
            LOG_LEVEL="WARNING",
        )


services = pytest.StashKey[Services]()


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Start the servers before pytest-django reads the settings."""
    if early_config.known_args_namespace.help or early_config.known_args_namespace.version:
        return
    running = Services()
    early_config.stash[services] = running
    try:
        running.start()
    except BaseException:
        running.stop()
        raise


def pytest_unconfigure(config: pytest.Config) -> None:
    """End the servers that this run started."""
    running = config.stash.get(services, None)
    if running is not None:
        running.stop()
        del config.stash[services]
