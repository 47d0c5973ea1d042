"""Every table that the database says belongs to organizations, with rows of two of them in each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from alerts.consent.services import mute
from alerts.models import Report, RuleState
from alerts.reports.schedule import last_due
from alerts.reports.writing import Waiting, write
from billing.book.services import add_discount
from billing.ledger.services import grant
from billing.repricings.run import run_repricing
from billing.repricings.services import request_repricing
from core import clock
from core.periods import zone
from organizations.models import Membership, User
from organizations.roles import Role
from organizations.services import invite
from organizations.tenancy import system_scope, tenant_scope
from tests.alerts.reports.reporting import make_report
from tests.alerts.rules.ruling import make_rule
from tests.alerts.telling import fire, mailbox, work
from tests.billing.invoices.months_of_use import issue, month_before
from tests.billing.pricing import price
from tests.billing.spending import hold, limit_to, spend
from tests.usage.factories import Tenant, at, make_tenant, record
from tests.usage.imports.jobs.support import upload
from usage import partitions
from usage.adjustments import Adjustment, adjust
from usage.complete import record_key
from usage.rollups.fold import fold_pending

pytestmark = pytest.mark.django_db

TENANT_TABLES = """
SELECT c.relname, CASE WHEN a.attname = 'organization_id' THEN a.attname ELSE 'id' END
  FROM pg_class c
  LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'organization_id' AND NOT a.attisdropped
 WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
   AND (a.attname IS NOT NULL OR c.relname LIKE 'organizations_organization%')
 ORDER BY 1
"""
REFUSALS = ("row-level security", "permission denied", "immutable", "Cannot")
Table = tuple[str, str]


def fill(tenant: Tenant) -> None:
    """Leave a row of the tenant in every table; who adds a table adds to this."""
    grant(organization_id=tenant.id, allowance="credits", amount=Decimal(1), reason="Welcome")
    invite(organization_id=tenant.id, email="guest@example.com", role=Role.ANALYST, invited_by_id=None)
    now = clock.now()
    tenant.api.keep(record("pending", timestamp=at(now), tokens={"prompt": 5}))
    assert adjust(tenant.id, [Adjustment(UUID(hex=record_key(tenant.id, "pending")), now, 1)])
    made = tenant.api.call("POST", "/exports", {"dataset": "records", "format": "csv"})
    assert made.status == 202, made.body
    upload(tenant, "type\nchat\n")
    price(tenant.id, currency=tenant.organization.currency)
    add_discount(organization_id=tenant.id, basis_points=100)
    channel = mailbox(tenant)
    rule = make_rule(tenant, channels=[channel.pk])
    with tenant_scope(tenant.id):
        RuleState.objects.create(
            organization=tenant.organization, rule=rule, revision=1, level=0, episode=1, since=now
        )
    fire(tenant)
    work()
    report = make_report(tenant, channels=[channel.pk])
    due = last_due(report.cadence, report.hour, zone("UTC"), now)
    with tenant_scope(tenant.id):
        Report.objects.filter(pk=report.pk).update(starts_at=due.at)
    assert write(Waiting(report.pk, tenant.id, due))
    with tenant_scope(tenant.id):
        mute(Membership.objects.get(role=Role.OWNER))
    limit_to(tenant, 10, warn_at=[5])
    tenant.api.keep(record("spent", cost="1"))
    spend(tenant, 1)
    tenant.api.keep(record("before", timestamp=at(month_before(now)), cost="1"))
    issue(tenant)
    hold(tenant, 1)
    run_repricing(request_repricing(organization_id=tenant.id, start=None, end=None, dry_run=True).pk)


def owner_of(tenant: Tenant) -> User:
    with system_scope():
        return User.objects.get(memberships__role="owner", memberships__organization=tenant.organization)


@pytest.fixture
def tenants() -> tuple[Tenant, Tenant]:
    partitions.forget()
    acme, globex = make_tenant("Acme"), make_tenant("Globex")
    for tenant in (acme, globex):
        tenant.api.keep(record("folded", tokens={"prompt": 5}, quantities={"pages": 1}, latencyMs=3))
    fold_pending()
    for tenant in (acme, globex):
        fill(tenant)
    return acme, globex


def tables() -> list[Table]:
    with connection.cursor() as cursor:
        cursor.execute(TENANT_TABLES)
        found = [(name, column) for name, column in cursor.fetchall()]
    assert len(found) >= 16
    return found


def owners(table: Table) -> set[int]:
    """Return whose rows of a table the present scope shows."""
    name, column = table
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT DISTINCT {column} FROM {name}")
        return {row[0] for row in cursor.fetchall()}


def seen() -> dict[Table, set[int]]:
    """Return whose rows the present scope shows, of every table."""
    return {table: owners(table) for table in tables()}


def test_each_organization_has_a_row_in_every_table(tenants: tuple[Tenant, Tenant]) -> None:
    with system_scope():
        assert seen() == {table: {tenant.id for tenant in tenants} for table in tables()}


def test_code_that_forgets_to_filter_sees_its_own_organization_alone(tenants: tuple[Tenant, Tenant]) -> None:
    for tenant in tenants:
        with tenant_scope(tenant.id):
            assert seen() == {table: {tenant.id} for table in tables()}


def test_without_a_scope_there_is_nothing_to_see(tenants: tuple[Tenant, Tenant]) -> None:
    assert seen() == {table: set() for table in tables()}


def attempts(table: Table, owner: int) -> Iterator[tuple[str, list[Any]]]:
    name, column = table
    yield f"UPDATE {name} SET {column} = {column} WHERE {column} = %s", [owner]
    yield f"DELETE FROM {name} WHERE {column} = %s", [owner]


def test_rows_of_another_organization_can_be_neither_changed_nor_removed_nor_added(
    tenants: tuple[Tenant, Tenant],
) -> None:
    acme, globex = tenants
    for table in tables():
        name, column = table
        with system_scope(), connection.cursor() as cursor:
            cursor.execute(f"SELECT to_jsonb(t)::text FROM {name} t WHERE {column} = %s LIMIT 1", [globex.id])
            (theirs,) = cursor.fetchone() or (None,)
        statements = [
            *attempts(table, globex.id),
            (f"INSERT INTO {name} SELECT * FROM jsonb_populate_record(NULL::{name}, %s::jsonb)", [theirs]),
        ]
        for statement, params in statements:
            assert touched(acme, statement, params) == 0, statement


def touched(tenant: Tenant, statement: str, params: list[Any]) -> int:
    """Return how many rows a statement reaches in the tenant's scope; none when it is refused."""
    try:
        with tenant_scope(tenant.id), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement, params)
            return int(cursor.rowcount)
    except DatabaseError as error:
        if any(words in str(error) for words in REFUSALS):
            return 0
        raise


def admin_paths() -> list[str]:
    """Return every address of the operator's admin."""

    def walk(patterns: list[URLPattern | URLResolver], before: str) -> Iterator[str]:
        for pattern in patterns:
            path = before + str(pattern.pattern)
            if isinstance(pattern, URLResolver):
                yield from walk(pattern.url_patterns, path)
            elif "(?P" not in path:
                yield path

    found = [path for path in walk(get_resolver().url_patterns, "/") if path.startswith("/admin/")]
    assert len(found) > 40
    return found


def test_the_operators_admin_lets_no_member_and_no_key_in(tenants: tuple[Tenant, Tenant]) -> None:
    acme, globex = tenants
    session = Client()
    session.force_login(owner_of(acme))
    clients: list[Callable[..., Any]] = [
        session.get,
        session.post,
        Client(headers={"authorization": f"Bearer {acme.api.key}"}).get,
    ]
    for path in admin_paths():
        address = path.replace("<path:object_id>", str(globex.id)).replace("<id>", str(globex.id))
        address = address.replace("<path:content_type_id>", "1")
        if address in ("/admin/login/", "/admin/logout/"):
            continue
        for ask in clients:
            response = ask(address)
            assert (response.status_code, response.headers.get("Location", "")[:13]) == (
                302,
                "/admin/login/",
            ), address
