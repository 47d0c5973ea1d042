"""Row-level security on real connections, as the role that runs the application and as the owner."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest

from core import clock, keys
from organizations.rls import TenantTable
from organizations.services import CreatedOrganization
from tests.organizations.cast import make_organization

Connection = psycopg.Connection[Any]
DENIED = psycopg.errors.InsufficientPrivilege
TABLES = {
    "organizations_organization": "id",
    "organizations_membership": "organization_id",
    "organizations_credential": "organization_id",
    "organizations_organizationevent": "id",
    "organizations_membershipevent": "organization_id",
    "organizations_credentialevent": "organization_id",
}


@pytest.fixture
def pair(transactional_db: None) -> tuple[CreatedOrganization, CreatedOrganization]:
    return make_organization("Acme"), make_organization("Globex")


@pytest.fixture(params=["app", "owner"])
def connection(request: pytest.FixtureRequest) -> Connection:
    """A connection of each role that row-level security has to bind."""
    found: Connection = request.getfixturevalue(f"{request.param}_connection")
    return found


@contextmanager
def scope(
    connection: Connection, *, organization_id: int | None = None, system: bool = False
) -> Iterator[None]:
    with connection.transaction():
        connection.execute(
            "SELECT set_config('headroom.organization_id', %s, true),"
            " set_config('headroom.system', %s, true)",
            [str(organization_id or ""), "on" if system else ""],
        )
        yield


def tenants(connection: Connection, table: str) -> set[int]:
    return {row[0] for row in connection.execute(f"SELECT {TABLES[table]} FROM {table}").fetchall()}


@pytest.mark.parametrize("table", TABLES)
def test_a_table_shows_nothing_then_one_organization_then_all(
    connection: Connection, pair: tuple[CreatedOrganization, CreatedOrganization], table: str
) -> None:
    mine, theirs = (created.organization.pk for created in pair)
    assert tenants(connection, table) == set()
    with scope(connection, organization_id=mine):
        assert tenants(connection, table) == {mine}
    with scope(connection, system=True):
        assert tenants(connection, table) == {mine, theirs}
    assert tenants(connection, table) == set()


@pytest.mark.parametrize("setting", ["", "0", "-1", "999999"])
def test_a_scope_of_no_organization_shows_nothing(
    app_connection: Connection, pair: tuple[CreatedOrganization, CreatedOrganization], setting: str
) -> None:
    app_connection.execute("SELECT set_config('headroom.organization_id', %s, false)", [setting])
    assert tenants(app_connection, "organizations_credential") == set()


@pytest.mark.parametrize("setting", ["true", "1", "ON", " on"])
def test_only_the_word_itself_opens_the_system(
    app_connection: Connection, pair: tuple[CreatedOrganization, CreatedOrganization], setting: str
) -> None:
    app_connection.execute("SELECT set_config('headroom.system', %s, false)", [setting])
    assert tenants(app_connection, "organizations_credential") == set()


def test_a_row_of_another_organization_can_not_be_inserted(
    connection: Connection, pair: tuple[CreatedOrganization, CreatedOrganization]
) -> None:
    mine, theirs = (created.organization.pk for created in pair)
    values = [keys.generate_client_id(), keys.hash_key(keys.generate()), clock.now()]
    statement = (
        "INSERT INTO organizations_credential"
        " (organization_id, client_id, key_hash, created_at, name, environment, scopes, key_hint)"
        " VALUES (%s, %s, %s, %s, 'n', 'e', '{usage:read}', 'abcd')"
    )
    for tenant in (None, mine):
        with pytest.raises(DENIED, match="row-level security"), scope(connection, organization_id=tenant):
            connection.execute(statement, [theirs, *values])
    with scope(connection, organization_id=theirs):
        connection.execute(statement, [theirs, *values])


def test_a_row_can_not_be_given_to_another_organization(
    connection: Connection, pair: tuple[CreatedOrganization, CreatedOrganization]
) -> None:
    mine, theirs = (created.organization.pk for created in pair)
    with pytest.raises(DENIED, match="row-level security"), scope(connection, organization_id=mine):
        connection.execute("UPDATE organizations_credential SET organization_id = %s", [theirs])


def test_another_organizations_rows_can_be_neither_changed_nor_deleted(
    connection: Connection, pair: tuple[CreatedOrganization, CreatedOrganization]
) -> None:
    mine, theirs = (created.organization.pk for created in pair)
    with scope(connection, organization_id=mine):
        changed = connection.execute(
            "UPDATE organizations_organization SET name = 'x' WHERE id = %s", [theirs]
        )
        assert changed.rowcount == 0
        deleted = connection.execute(
            "DELETE FROM organizations_credential WHERE organization_id = %s", [theirs]
        )
        assert deleted.rowcount == 0


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE organizations_credential DISABLE ROW LEVEL SECURITY",
        "DROP POLICY tenant ON organizations_credential",
        "TRUNCATE organizations_credential CASCADE",
        "ALTER TABLE organizations_credential DISABLE TRIGGER ALL",
        "CREATE TABLE public.mine (id integer)",
        "ALTER FUNCTION organizations_open_door(bytea, timestamptz) RESET ALL",
        "SET ROLE headroom_owner",
        "SET ROLE headroom_lookup",
        "UPDATE organizations_credentialevent SET pgh_label = 'x'",
        "DELETE FROM organizations_planevent",
    ],
)
def test_the_application_can_not_help_itself_to_more(app_connection: Connection, statement: str) -> None:
    with pytest.raises(DENIED):
        app_connection.execute(statement)


def test_the_audit_trail_is_append_only_for_its_owner_too(
    owner_connection: Connection, pair: tuple[CreatedOrganization, CreatedOrganization]
) -> None:
    for statement in (
        "UPDATE organizations_credentialevent SET pgh_label = 'x'",
        "DELETE FROM organizations_credentialevent",
    ):
        with (
            pytest.raises(psycopg.errors.RaiseException, match="Cannot"),
            scope(owner_connection, system=True),
        ):
            owner_connection.execute(statement)


def open_door(connection: Connection, key: str) -> list[tuple[Any, ...]]:
    call = "SELECT * FROM organizations_open_door(%s, %s)"
    return connection.execute(call, [keys.hash_key(key), clock.now()]).fetchall()


def test_the_door_gives_the_application_the_row_of_a_key_it_knows_and_no_other(
    app_connection: Connection, pair: tuple[CreatedOrganization, CreatedOrganization]
) -> None:
    rows = open_door(app_connection, pair[0].issued.key)
    assert [(row[0], row[1]) for row in rows] == [(pair[0].organization.pk, pair[0].organization.slug)]
    assert open_door(app_connection, keys.generate()) == []
    assert tenants(app_connection, "organizations_credential") == set()


def test_the_door_never_waits_for_who_is_changing_the_credential(
    app_connection: Connection,
    owner_connection: Connection,
    pair: tuple[CreatedOrganization, CreatedOrganization],
) -> None:
    with scope(owner_connection, system=True):
        owner_connection.execute("SELECT FROM organizations_credential FOR UPDATE")
        app_connection.execute("SET statement_timeout = '5s'")
        assert len(open_door(app_connection, pair[0].issued.key)) == 1


def test_a_stranger_can_not_call_the_door_and_its_role_can_not_sign_in(owner_connection: Connection) -> None:
    row = owner_connection.execute(
        "SELECT p.proowner::regrole::text, p.prosecdef, p.proconfig,"
        " has_function_privilege('headroom_app', p.oid, 'EXECUTE'),"
        " (SELECT bool_or(grantee = 0) FROM aclexplode(p.proacl)),"
        " r.rolcanlogin, r.rolsuper, r.rolbypassrls, has_schema_privilege(r.oid, 'public', 'CREATE')"
        " FROM pg_proc p JOIN pg_roles r ON r.oid = p.proowner WHERE p.proname = 'organizations_open_door'"
    ).fetchone()
    assert row == (
        "headroom_lookup",
        True,
        ["search_path=pg_catalog, pg_temp"],
        True,
        False,
        False,
        False,
        False,
        False,
    )


def test_the_doors_role_may_read_three_tables_and_set_one_column(owner_connection: Connection) -> None:
    tables = owner_connection.execute(
        "SELECT table_name, privilege_type FROM information_schema.role_table_grants"
        " WHERE grantee = 'headroom_lookup' AND table_name LIKE 'organizations%' ORDER BY 1, 2"
    ).fetchall()
    assert tables == [
        ("organizations_credential", "SELECT"),
        ("organizations_organization", "SELECT"),
        ("organizations_plan", "SELECT"),
    ]
    columns = owner_connection.execute(
        "SELECT table_name, column_name FROM information_schema.role_column_grants"
        " WHERE grantee = 'headroom_lookup' AND privilege_type = 'UPDATE'"
    ).fetchall()
    assert columns == [("organizations_credential", "last_used_at")]


def test_the_operation_can_be_written_and_undone(owner_connection: Connection) -> None:
    operation = TenantTable("made_up", column="tenant")
    assert operation.deconstruct() == ("TenantTable", [], {"table": "made_up", "column": "tenant"})
    assert operation.describe() == "Bind the rows of made_up to their tenant"
    owner_connection.execute("CREATE TABLE made_up (tenant bigint)")
    try:
        for statement in (*operation.sql, "INSERT INTO made_up SELECT 1 WHERE false"):
            owner_connection.execute(str(statement))
        with pytest.raises(DENIED):
            owner_connection.execute("INSERT INTO made_up VALUES (1)")
        for statement in operation.reverse_sql or ():
            owner_connection.execute(str(statement))
        owner_connection.execute("INSERT INTO made_up VALUES (1)")
    finally:
        owner_connection.execute("DROP TABLE made_up")
