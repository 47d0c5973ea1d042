"""Short statements: the same through libpq, through a cursor, prepared or not."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import psycopg
import pytest
from django.db import connection, transaction
from django.db.utils import DataError, IntegrityError, OperationalError, ProgrammingError
from django.test.utils import CaptureQueriesContext

from core.calls import ask
from organizations.tenancy import system_scope

pytestmark = pytest.mark.django_db(transaction=True)

MARK = "headroom.mark"


def call(function: str, *arguments: str | None) -> str | None:
    places = ", ".join(f"${place}" for place in range(1, len(arguments) + 1))
    (value,) = ask(f"SELECT {function}({places})", *arguments)
    return value


def prepared() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT statement FROM pg_prepared_statements ORDER BY statement")
        return [statement for (statement,) in cursor.fetchall()]


@pytest.fixture(params=["prepared", "pooled"])
def _both_ways(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    connection.close()
    threshold = 5 if request.param == "prepared" else None
    monkeypatch.setitem(connection.settings_dict["OPTIONS"], "prepare_threshold", threshold)


@pytest.mark.usefixtures("_both_ways")
@pytest.mark.parametrize("arguments", [("é€𝄞 'quoted' \\", "b"), ("", "b"), (None, "b")])
def test_the_result_is_what_the_function_makes_of_the_arguments(arguments: tuple[str | None, str]) -> None:
    expected = None if arguments[0] is None else arguments[0] + "b"
    with CaptureQueriesContext(connection) as queries:
        assert call("textcat", *arguments) == expected
    assert len(queries) == 1
    for _ in range(2):
        assert call("textcat", *arguments) == expected
    with transaction.atomic():
        assert call("textcat", *arguments) == expected


def test_a_call_is_prepared_once_for_each_connection() -> None:
    connection.close()
    for _ in range(2):
        assert (call("upper", "a"), call("upper", "b"), call("lower", "C")) == ("A", "B", "c")
        assert prepared() == ["SELECT lower($1)", "SELECT upper($1)"]
        connection.close()


def test_nothing_is_prepared_on_a_connection_that_is_shared(monkeypatch: pytest.MonkeyPatch) -> None:
    connection.close()
    monkeypatch.setitem(connection.settings_dict["OPTIONS"], "prepare_threshold", None)
    assert (call("upper", "a"), call("upper", "b"), prepared()) == ("A", "B", [])
    connection.close()


@pytest.mark.usefixtures("_both_ways")
def test_the_first_row_counts_with_all_its_values() -> None:
    statement = "SELECT n, n > 4, NULL, '' FROM generate_series($1::integer, $2::integer) AS n"
    expected: list[tuple[tuple[str, str], tuple[str | None, ...]]] = [
        (("5", "9"), ("5", "t", None, "")),
        (("4", "4"), ("4", "f", None, "")),
        (("9", "5"), ()),
    ]
    for given, row in expected:
        assert ask(statement, *given) == row
        with transaction.atomic():
            assert ask(statement, *given) == row


@pytest.mark.usefixtures("_both_ways")
def test_a_call_is_a_transaction_of_its_own() -> None:
    assert call("set_config", MARK, "on", "true") == "on"
    assert not call("current_setting", MARK, "true")


@pytest.mark.usefixtures("_both_ways")
def test_a_call_within_a_transaction_is_part_of_it() -> None:
    with transaction.atomic():
        call("set_config", MARK, "on", "true")
        assert call("current_setting", MARK, "true") == "on"
    assert not call("current_setting", MARK, "true")


@pytest.mark.usefixtures("_both_ways")
@pytest.mark.parametrize("within", [False, True])
@pytest.mark.parametrize(
    ("function", "arguments", "error"),
    [
        ("usage_make_partition", ("2026-07-15",), DataError),
        ("usage_make_partition", ("no date",), DataError),
        ("no_such_function", ("a",), ProgrammingError),
        ("usage_store", ("1", '[{"k": "00000000-0000-0000-0000-000000000000"}]'), ProgrammingError),
    ],
)
def test_errors_are_djangos_and_leave_the_connection_usable(
    function: str, arguments: tuple[str, ...], error: type[Exception], within: bool
) -> None:
    with pytest.raises(error), transaction.atomic() if within else nullcontext():
        call(function, *arguments)
    assert call("upper", "a") == "A"


def test_a_constraint_that_is_violated_is_an_integrity_error() -> None:
    row = '[{"k": "00000000-0000-0000-0000-000000000000", "t": "2026-07-15T00:00:00Z"}]'
    with system_scope(), pytest.raises(IntegrityError), transaction.atomic():
        call("usage_store", "1", row)


@pytest.mark.usefixtures("_both_ways")
def test_a_connection_that_breaks_is_an_operational_error_and_replaced(
    app_connection: psycopg.Connection[Any], embedded_postgres: Any
) -> None:
    call("upper", "a")
    backend = call("pg_backend_pid")
    with psycopg.connect(embedded_postgres.url(database=connection.settings_dict["NAME"])) as admin:
        admin.execute("SELECT pg_terminate_backend(%s)", [backend])
    with pytest.raises(OperationalError):
        call("upper", "a")
    connection.close_if_unusable_or_obsolete()
    assert call("upper", "a") == "A"
    assert call("pg_backend_pid") != backend
