"""What every test can ask for: the database, its owner, a real server."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.db import connections
from django.test import TransactionTestCase
from django.test.utils import setup_databases
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

from billing import book
from config.databases import parse_address
from config.embedded import EmbeddedPostgres, EmbeddedRedis
from tests import plugin, resets
from tests.serving import Server

# How long an example takes says how busy the machine is, not whether it holds.
hypothesis_settings.register_profile("suite", deadline=None, suppress_health_check=[HealthCheck.too_slow])
hypothesis_settings.load_profile("suite")


@pytest.fixture(scope="session")
def embedded_postgres(pytestconfig: pytest.Config) -> EmbeddedPostgres:
    """The suite's PostgreSQL."""
    return pytestconfig.stash[plugin.services].postgres


@pytest.fixture(scope="session")
def embedded_redis(pytestconfig: pytest.Config) -> EmbeddedRedis:
    """The suite's Redis."""
    return pytestconfig.stash[plugin.services].redis


@pytest.fixture(scope="session")
def django_db_setup(django_test_environment: None, django_db_blocker: Any) -> Iterator[None]:
    """Create the test database through its owner; after tests that commit, put back what the migrations made.

    Django's own flush would truncate as the application, which has no right to, and lose the seeded rows.
    """
    case: Any = TransactionTestCase
    original = case._fixture_teardown
    with django_db_blocker.unblock():
        setup_databases(verbosity=0, interactive=False, serialized_aliases=[])
        with connect_as_owner() as connection:
            resets.remember_seeds(connection)
    case._fixture_teardown = _reset
    yield
    case._fixture_teardown = original
    # The database itself goes away with its server.
    with django_db_blocker.unblock():
        connections.close_all()


@pytest.fixture(autouse=True)
def unread_book() -> None:
    """Begin with a price book that was not read yet: what another test's database had is gone."""
    book.forget()


@pytest.fixture(autouse=True)
def nobody_woken(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the workers alone after a batch: none listens here, and rules are looked at by hand."""
    monkeypatch.setattr("alerts.rules.wake.NOTED.add", lambda organization_id: None)


@pytest.fixture
def owner_connection(transactional_db: None) -> Iterator[psycopg.Connection[Any]]:
    """A connection of the role that owns the tables, in autocommit; row-level security binds it too."""
    with connect_as_owner() as connection:
        yield connection


@pytest.fixture
def app_connection(transactional_db: None) -> Iterator[psycopg.Connection[Any]]:
    """A connection of the application's role beside Django's own, in autocommit."""
    with connect_as_app() as connection:
        yield connection


@pytest.fixture
def make_server(transactional_db: None) -> Iterator[Callable[..., Server]]:
    """A function that starts a server of its own: `make_server(workers=2, threads=4, env={...})`."""
    servers: list[Server] = []

    def make(*, workers: int = 1, threads: int = 4, env: dict[str, str] | None = None) -> Server:
        server = Server({**server_environment(), **(env or {})}, workers=workers, threads=threads)
        servers.append(server)
        server.start()
        return server

    yield make
    for server in servers:
        server.close()


@pytest.fixture
def server(make_server: Callable[..., Server]) -> Server:
    """A real server against the test database, with `url`, `kill()` and `restart()`."""
    return make_server()


def connect_as_owner() -> psycopg.Connection[Any]:
    """Return a new autocommit connection of the tables' owner to the test database."""
    return _connect("owner")


def connect_as_app() -> psycopg.Connection[Any]:
    """Return a new autocommit connection of the application's role to the test database."""
    return _connect("default")


def server_environment() -> dict[str, str]:
    """Return what points another process at the test database."""
    name = connections["owner"].settings_dict["NAME"]
    return {
        "DATABASE_URL": _renamed(settings.DATABASE_URL, name),
        "DATABASE_OWNER_URL": _renamed(settings.DATABASE_OWNER_URL, name),
        "REDIS_URL": settings.REDIS_URL,
    }


def _connect(alias: str) -> psycopg.Connection[Any]:
    url = settings.DATABASE_URL if alias == "default" else settings.DATABASE_OWNER_URL
    address = parse_address(url, variable=alias)
    name = connections["owner"].settings_dict["NAME"]
    return psycopg.connect(**address.conninfo(name=name), autocommit=True)


def _renamed(url: str, name: str) -> str:
    address, _, query = url.partition("?")
    return f"{address.rpartition('/')[0]}/{name}?{query}"


def _reset(case: TransactionTestCase) -> None:
    with connect_as_owner() as connection:
        resets.reset(connection)
