"""A pytest plugin that gives the suite its own PostgreSQL and Redis, before Django's settings are read.

Processes that share the tests have servers of their own each.
"""

from __future__ import annotations

import gc
import os
import re
import shutil
import signal
import tempfile
from pathlib import Path
from types import FrameType

import psutil
import pytest

from config.bootstrap import Roles, bootstrap
from config.databases import parse_address
from config.embedded import EmbeddedPostgres, EmbeddedRedis
from core.garbage import collect_seldom

OWNER, APP, LOOKUP = "headroom_owner", "headroom_app", "headroom_lookup"
EXAMPLE = Path(__file__).resolve().parent.parent / ".env.example"
PREFIX = "headroom-tests-"
OWNER_FILE = "owner"


class Services:
    """The servers of one run of the suite, in a directory that goes away with them."""

    def __init__(self) -> None:
        self.data = Path(tempfile.mkdtemp(prefix=PREFIX))
        self._write_owner()
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

    def _write_owner(self) -> None:
        (self.data / OWNER_FILE).write_text(f"{os.getpid()} {psutil.Process().create_time()}")

    def _point_environment(self) -> None:
        # The environment of whoever runs the suite must not decide what is tested.
        for name in documented_variables():
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


def documented_variables() -> list[str]:
    """Return the names of the variables that `.env.example` explains."""
    return re.findall(r"^#([A-Z_]+)=", EXAMPLE.read_text(), re.MULTILINE)


class _Count:
    executed = 0


def sweep() -> None:
    """End the servers of runs that were killed before they could do so themselves."""
    for data in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        if _is_abandoned(data):
            EmbeddedRedis(data).stop()
            EmbeddedPostgres(data).stop(immediate=True)
            shutil.rmtree(data, ignore_errors=True)


def _is_abandoned(data: Path) -> bool:
    try:
        number, started = (data / OWNER_FILE).read_text().split()
        return psutil.Process(int(number)).create_time() != float(started)
    except psutil.NoSuchProcess:
        return True
    except (OSError, ValueError, psutil.Error):
        return False


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Start the servers before pytest-django reads the settings."""
    if early_config.known_args_namespace.help or early_config.known_args_namespace.version:
        return
    # Nothing of what is loaded is garbage.
    gc.disable()
    # Whoever ends the run with SIGTERM has the servers ended with it, as after Ctrl-C.
    signal.signal(signal.SIGTERM, _interrupt)
    sweep()
    running = Services()
    early_config.stash[services] = running
    try:
        running.start()
    except BaseException:
        running.stop()
        raise


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that take longest, so that none of them is left when all others are through."""
    items.sort(key=lambda item: item.get_closest_marker("long") is None)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Look for garbage as seldom as the application does, and not among what was loaded."""
    gc.enable()
    gc.collect()
    gc.freeze()
    collect_seldom()


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Count the tests that ran, whatever came of them."""
    if report.when == "call" and not report.skipped:
        _Count.executed += 1


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Fail a run in which nothing was tested: a suite that is skipped must not look like one that passed."""
    if exitstatus == pytest.ExitCode.OK and not session.config.option.collectonly and not _Count.executed:
        session.exitstatus = pytest.ExitCode.NO_TESTS_COLLECTED


def pytest_unconfigure(config: pytest.Config) -> None:
    """End the servers that this run started."""
    running = config.stash.get(services, None)
    if running is not None:
        running.stop()
        del config.stash[services]


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt
