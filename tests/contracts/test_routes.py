"""Every address × actor × method: what is in no table of `routes`, of the pages or of the API fails."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import pytest
from django.contrib.admin import site
from django.core.cache import cache
from django.test import Client
from django.urls import resolve

from config import maintenance
from organizations.models import User
from tests.contracts.routes.accounts import ACCOUNTS, LINKS, REFERENCE
from tests.contracts.routes.actors import (
    ANYONE,
    NOT_MEMBERS,
    OPERATORS,
    OUTSIDER,
    STAFF,
    STRANGER,
    SUPERUSER,
    cast,
)
from tests.contracts.routes.admin import MODELS, admin_table
from tests.contracts.routes.outside import ANSWERING, FILE, METRICS, NOWHERE, PASSING, PROBES, READ
from tests.contracts.routes.walk import METHODS, Route, routes
from tests.contracts.test_roles import API, OF_GATEWAYS, PAGES
from tests.usage.factories import JSON, Tenant, make_tenant, record
from usage import partitions

pytestmark = pytest.mark.django_db

Table = Mapping[str, Mapping[str, frozenset[str]]]
TurnedAway = Callable[[str, Any], bool]

PORTAL: Final[Table] = {f"portal:{name}": methods for name, methods in PAGES.items()}
GATEWAYS: Final[Table] = {name: {} for name in OF_GATEWAYS}
SOME: Final = ("owner", "developer")
OF_READING: Final = ("HEAD", "OPTIONS")
SIGN_IN: Final = "/sign-in/"


@pytest.fixture(autouse=True)
def _fresh(settings: Any) -> Iterator[None]:
    partitions.forget()
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    # Most answers here are refusals, and writing each to the log would take longer than the answer.
    logging.disable(logging.ERROR)
    yield
    logging.disable(logging.NOTSET)


@pytest.fixture
def acme() -> Tenant:
    """An organization with a record."""
    tenant = make_tenant("Acme")
    tenant.api.keep(record("one"))
    return tenant


@pytest.fixture
def clients(acme: Tenant) -> dict[str, Client]:
    """A client of everybody."""
    return cast(acme)


def test_every_address_is_in_exactly_one_table() -> None:
    tables: list[Table] = [PORTAL, API, GATEWAYS, ACCOUNTS, LINKS, REFERENCE, admin_table()]
    named = [name for table in tables for name in table]
    assert len(named) == len(set(named))
    assert {route.name for route in routes()} == set(named)


def of(table: Table) -> list[Route]:
    """Return the routes of a table."""
    return [route for route in routes() if route.name in table]


def ask(client: Client, method: str, path: str) -> Any:
    """Ask, as JSON where it is the API; attempts that are counted are not held against the next one."""
    cache.clear()
    options: dict[str, Any] = {}
    if path.startswith("/api/") and method not in READ:
        options = {"content_type": JSON}
    return getattr(client, method.lower())(path, **options)


def goes_to(answer: Any, path: str) -> bool:
    """Tell whether the answer leads there."""
    return answer.status_code == 302 and str(answer["Location"]).startswith(path)


def faults(
    clients: Mapping[str, Client],
    table: Table,
    actors: Iterable[str],
    turned_away: TurnedAway,
    methods: Iterable[str] = METHODS,
) -> Iterator[tuple[str, str, str, int]]:
    """Yield what is answered otherwise than the table has it."""
    for route in of(table):
        for method in methods:
            allowed = table[route.name].get("GET" if method == "HEAD" else method)
            for actor in sorted(actors):
                answer = ask(clients[actor], method, route.path)
                if allowed is None:
                    may_enter = any(actor in who for who in table[route.name].values())
                    is_out = not may_enter and turned_away(actor, answer)
                    is_right = answer.status_code == 405 or is_out
                else:
                    is_right = turned_away(actor, answer) is (actor not in allowed)
                if not is_right or answer.status_code >= 500 or (allowed and answer.status_code == 405):
                    yield route.name, method, actor, answer.status_code


def by_sign_in_or_first_page(actor: str, answer: Any) -> bool:
    """Strangers sign in, others are on their way already."""
    return goes_to(answer, SIGN_IN) if actor == STRANGER else answer.get("Location") == "/"


def never(actor: str, answer: Any) -> bool:
    """Nobody is sent to sign in, or told that they may not."""
    return goes_to(answer, SIGN_IN) or answer.status_code in {401, 403}


@pytest.mark.parametrize("method", METHODS)
def test_accounts(clients: dict[str, Client], acme: Tenant, method: str) -> None:
    # Signing out ends the session that everything else is asked with, and has its own test.
    table = {name: methods for name, methods in ACCOUNTS.items() if name != "account_logout"}
    assert [*faults(clients, table, ANYONE, by_sign_in_or_first_page, [method])] == []


@pytest.mark.parametrize("name", ["account_logout", "admin:logout"])
def test_signing_out(clients: dict[str, Client], name: str) -> None:
    [route] = [one for one in routes() if one.name == name]
    for actor, client in clients.items():
        may_end = name == "account_logout" or actor in OPERATORS
        for method in METHODS:
            if method != "POST":
                answer = ask(client, method, route.path)
                assert answer.status_code == 405 or (not may_end and goes_to(answer, "/admin/")), actor
        assert ask(client, "POST", route.path).status_code == 302
        assert goes_to(client.get("/account/"), SIGN_IN) is (may_end or actor == STRANGER), actor


def test_only_the_script_of_the_sign_in_asks_for_passkeys(clients: dict[str, Client]) -> None:
    [route] = of({"mfa_login_webauthn": {}})
    script = {"X-Requested-With": "XMLHttpRequest"}
    asked = {actor: client.get(route.path, headers=script).json() for actor, client in clients.items()}
    assert "request_options" in asked.pop(STRANGER)
    assert {answer["location"] for answer in asked.values()} == {"/"}


def test_links(clients: dict[str, Client]) -> None:
    assert [*faults(clients, LINKS, ANYONE, never)] == []


def test_the_reference(clients: dict[str, Client]) -> None:
    # Its answer is made for nobody in particular, and takes its time.
    assert [*faults(clients, REFERENCE, [STRANGER, "developer"], never)] == []


def by_the_portal(actor: str, answer: Any) -> bool:
    """Strangers sign in; who has no organization, or not the right, is refused."""
    return goes_to(answer, f"{SIGN_IN}?next=") if actor == STRANGER else answer.status_code == 403


def by_the_api(actor: str, answer: Any) -> bool:
    """Nobody is redirected: a key or a session is missing, or the right to this."""
    return bool(answer.status_code == (401 if actor == STRANGER else 403))


def test_pages_turn_away_who_is_no_member(clients: dict[str, Client]) -> None:
    assert [*faults(clients, PORTAL, NOT_MEMBERS, by_the_portal)] == []


def test_pages_answer_head_as_get_and_know_no_options(clients: dict[str, Client]) -> None:
    assert [*faults(clients, PORTAL, SOME, by_the_portal, OF_READING)] == []


def test_the_api_turns_away_who_is_no_member(clients: dict[str, Client]) -> None:
    assert [*faults(clients, API, [STRANGER, OUTSIDER], by_the_api)] == []
    # Operators have no more to say there than any other outsider.
    assert [*faults(clients, API, OPERATORS, by_the_api, ["GET", "POST"])] == []


def test_the_api_answers_head_as_get_and_knows_no_options(clients: dict[str, Client]) -> None:
    assert [*faults(clients, API, SOME, by_the_api, OF_READING)] == []


def test_gateways_ask_with_keys_and_never_with_a_session(clients: dict[str, Client]) -> None:
    wrong = [
        (route.name, method, actor)
        for route in of(GATEWAYS)
        for method in METHODS
        for actor, client in clients.items()
        if ask(client, method, route.path).status_code != 401
    ]
    assert wrong == []


ADMIN: Final[Table] = {name: rule for name, rule in admin_table().items() if name != "admin:logout"}


def by_the_admin(actor: str, answer: Any) -> bool:
    """Operators are refused what they have no right to; all others are led to sign in."""
    if actor in OPERATORS:
        # An application of which nothing may be seen is not there at all.
        return answer.status_code in ({404} if answer.resolver_match.url_name == "app_list" else {403})
    is_led = goes_to(answer, "/admin/login/") or goes_to(answer, SIGN_IN)
    return is_led or (actor != STRANGER and answer.status_code == 403)


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_the_admin_is_open_to_operators_with_the_right(clients: dict[str, Client], method: str) -> None:
    assert [*faults(clients, ADMIN, OPERATORS, by_the_admin, [method])] == []


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_the_admin_is_closed_to_everybody_else(clients: dict[str, Client], method: str) -> None:
    assert [*faults(clients, ADMIN, ANYONE - OPERATORS, by_the_admin, [method])] == []


def test_the_admin_knows_no_other_methods(clients: dict[str, Client]) -> None:
    others = [method for method in METHODS if method not in {"GET", "POST"}]
    assert [*faults(clients, ADMIN, [STAFF, STRANGER], by_the_admin, others)] == []


def test_the_history_of_a_row_is_closed_without_the_right(
    clients: dict[str, Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Of a row that is away there is no history to refuse.
    for row_admin in site._registry.values():
        monkeypatch.setattr(row_admin, "get_object", lambda *args, made=row_admin.model, **options: made())
    pages = [route for route in of(ADMIN) if route.name.endswith("_history")]
    assert len(pages) == len(MODELS)
    assert {clients[STAFF].get(route.path).status_code for route in pages} == {403}


def test_the_admin_takes_no_password(clients: dict[str, Client]) -> None:
    """A session of an operator is no way round another operator's second factor."""
    User.objects.create_superuser("other@example.org", "a password of theirs")
    form = {"username": "other@example.org", "password": "a password of theirs"}
    answer = clients[STAFF].post("/admin/login/?next=/admin/auth/", form)
    assert (answer.status_code, answer["Location"]) == (302, "/admin/auth/")
    assert clients[STAFF].get("/account/").wsgi_request.user.get_username() == "staff@example.org"
    assert clients[STAFF].get("/admin/login/?next=https://elsewhere.example/")["Location"] == "/admin/"
    assert clients[STAFF].get("/admin/password_change/")["Location"] == "/account/password/"


# What is answered outside of the URLconf.


def test_every_middleware_is_known(settings: Any) -> None:
    assert set(settings.MIDDLEWARE) == ANSWERING.keys() | PASSING


def test_direct_paths_are_routes_of_the_tables(settings: Any) -> None:
    paths = {path for _, path in settings.DIRECT_PATHS}
    assert paths == set(ANSWERING["config.middleware.DirectPaths"])
    assert {resolve(path).url_name for path in paths} <= API.keys() | OF_GATEWAYS


@pytest.mark.parametrize("path", [*PROBES, METRICS])
def test_probes_and_metrics_are_read_by_anyone_with_the_token_where_there_is_one(
    path: str, acme: Tenant, settings: Any
) -> None:
    settings.METRICS_TOKEN = "a token of the operator"
    clients = cast(acme)
    scraper = Client(headers={"authorization": f"Bearer {settings.METRICS_TOKEN}"})
    opened = {200} if path == "/healthz" else {200, 503}
    for actor, client in {**clients, "scraper": scraper}.items():
        is_open = path != METRICS or actor == "scraper"
        for method in METHODS:
            status = ask(client, method, path).status_code
            if method in READ:
                assert status in (opened if is_open else {401}), (actor, method)
            else:
                assert status == 405, (actor, method)


def test_without_a_token_there_are_no_metrics(clients: dict[str, Client], settings: Any) -> None:
    settings.METRICS_TOKEN = ""
    assert {ask(client, "GET", METRICS).status_code for client in clients.values()} == {404}


def test_files_of_pages_are_anyones_to_read(clients: dict[str, Client]) -> None:
    for actor, client in clients.items():
        for method in METHODS:
            assert ask(client, method, FILE).status_code == (200 if method in READ else 405), (actor, method)


@pytest.mark.parametrize("path", NOWHERE)
def test_there_is_nothing_anywhere_else(path: str, clients: dict[str, Client]) -> None:
    statuses = {
        (actor, method): ask(client, method, path).status_code
        for actor, client in clients.items()
        for method in METHODS
    }
    assert set(statuses.values()) == {404}


def test_in_maintenance_everything_waits_but_probes_and_files(
    acme: Tenant, settings: Any, tmp_path: Path
) -> None:
    settings.DATA_DIR = tmp_path
    maintenance.begin(maintenance.Notice(whole=True))
    clients = cast(acme)
    for actor in ("owner", STRANGER, SUPERUSER):
        waiting = {route.path: clients[actor].get(route.path).status_code for route in routes()}
        assert {path for path, status in waiting.items() if status != 503} == set()
        assert clients[actor].get("/healthz").status_code == 200
        assert clients[actor].get(FILE).status_code == 200
