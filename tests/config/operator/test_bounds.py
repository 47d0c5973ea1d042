"""Lists of the operator's admin read what they show, however much there is.

Held here, of the plans that PostgreSQL makes for the very statements of a page:

- Records, of everybody and of one organization: no more rows are read than are shown, or counted, though
  there are many times as many; the count ends at its bound; a search reads the record that it finds.
- Every list that grows with use: its table is read by an index, whose condition is the organization, the
  moment or the number that the list is of.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any, Final
from uuid import uuid4

import pytest
from django.contrib import admin
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from alerts.models import Delivery, Event
from billing.models import Reservation
from core import clock
from organizations.admin.filters import BY_NUMBER
from organizations.models import User
from organizations.tenancy import system_scope
from tests.contracts.test_tenant_tables import fill
from tests.portal.pages import signed_in, text
from tests.usage.factories import Tenant, at, make_tenant, record
from usage import partitions
from usage.models import Export

pytestmark = pytest.mark.django_db

RECORDS: Final = "usage_record_2"
"""What the names of the partitions begin with."""
OLD, NEW, COUNTED = 1_500, 60, 200
PAGE: Final = 50


@pytest.fixture(autouse=True)
def _fresh() -> None:
    partitions.forget()


@pytest.fixture
def operator(db: None) -> Client:
    """Somebody who runs the whole system, signed in."""
    return signed_in(User.objects.create_superuser("operator@example.org", "x"))


@pytest.fixture
def busy(db: None, monkeypatch: pytest.MonkeyPatch) -> Tenant:
    """One of two organizations with many records of the last days, and some of the last minutes."""
    monkeypatch.setattr("organizations.bounded.BoundedPaginator.MOST", COUNTED)
    monkeypatch.setattr("organizations.admin.filters.ENOUGH", NEW)
    now = clock.now()
    for tenant in (busy := make_tenant("Busy"), make_tenant("Other")):
        old = (record(f"old-{n}", timestamp=at(now - timedelta(days=2, seconds=n))) for n in range(OLD))
        new = (record(f"new-{n}", timestamp=at(now - timedelta(seconds=n))) for n in range(NEW))
        tenant.api.keep(*old, *new)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
    return busy


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the nodes of a plan."""
    yield plan
    for inner in plan.get("Plans", ()):
        yield from nodes(inner)


def plans(client: Client, path: str) -> list[tuple[str, list[dict[str, Any]]]]:
    """Return what a page asks, each with the nodes of how that was answered."""
    with CaptureQueriesContext(connection) as queries:
        assert client.get(path).status_code == 200
    found = []
    with system_scope(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        for query in queries:
            if query["sql"].lstrip().startswith("SELECT") and "set_config" not in query["sql"]:
                cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {query['sql']}")
                [answer] = cursor.fetchone()
                answer = answer if isinstance(answer, list) else json.loads(answer)
                found.append((query["sql"], list(nodes(answer[0]["Plan"]))))
    return found


def rows_read(found: list[dict[str, Any]]) -> int:
    """Return how many records were looked at."""
    return sum(
        round((node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"])
        for node in found
        if node.get("Relation Name", "").startswith(RECORDS)
    )


@pytest.mark.parametrize(("path", "most"), [("?", 2 * NEW), ("?organization={}", COUNTED)])
def test_a_list_of_records_reads_no_more_than_it_shows_or_counts(
    operator: Client, busy: Tenant, path: str, most: int
) -> None:
    found = plans(operator, f"/admin/usage/record/{path.format(busy.id)}")
    assert max(rows_read(one) for _, one in found) <= most
    [listed] = [one for sql, one in found if sql.endswith(f"LIMIT {PAGE}")]
    assert rows_read(listed) > 0


def test_everybodys_records_are_of_a_span_that_has_enough(operator: Client, busy: Tenant) -> None:
    assert "All, last 5 minutes" in text(operator.get("/admin/usage/record/"))
    assert "All, last 7 days" in text(operator.get("/admin/alerts/delivery/"))


def test_a_search_reads_the_record_that_it_finds(operator: Client, busy: Tenant) -> None:
    path = f"/admin/usage/record/?organization={busy.id}&q=old-1234"
    found = plans(operator, path)
    assert "1 usage record" in text(operator.get(path))
    assert max(rows_read(one) for _, one in found) == 1


def test_the_count_of_records_ends_at_its_bound(operator: Client, busy: Tenant) -> None:
    page = text(operator.get(f"/admin/usage/record/?organization={busy.id}"))
    assert f"{COUNTED} or more usage records" in page


def copied(row: Any, **changes: Any) -> Any:
    """Return another row like this one."""
    values = {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}
    return type(row)(**{**values, "pk": uuid4(), **changes})


def multiply(model: Any, moment: str) -> None:
    """Make a row of each organization into many, over a month."""
    own = {"dedup_key": uuid4} if model is Event else {}
    with system_scope():
        for row in list(model.objects.distinct("organization_id").order_by("organization_id")):
            moments = (clock.now() - timedelta(minutes=n * 29) for n in range(OLD))
            model.objects.bulk_create(
                copied(row, **{moment: when}, **{name: make() for name, make in own.items()})
                for when in moments
            )


def reads(found: list[tuple[str, list[dict[str, Any]]]], table: str) -> list[dict[str, Any]]:
    """Return the nodes that read a table, or an index of it."""
    return [
        node
        for _, one in found
        for node in one
        if node.get("Relation Name", "") == table or node["Node Type"] == "Bitmap Index Scan"
    ]


def conditions(found: list[dict[str, Any]]) -> str:
    assert found
    assert "Seq Scan" not in {node["Node Type"] for node in found}
    return " ".join(node.get("Index Cond", "") for node in found)


@pytest.mark.parametrize(
    ("model", "moment"),
    [(Delivery, "created_at"), (Event, "fired_at"), (Reservation, "created_at"), (Export, "created_at")],
)
def test_what_has_no_number_is_read_by_its_organization_and_moment(
    operator: Client, model: Any, moment: str
) -> None:
    tenants = [make_tenant("Acme"), make_tenant("Globex")]
    for tenant in tenants:
        fill(tenant)
    multiply(model, moment)
    table = model._meta.db_table
    path = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
    assert moment in conditions(reads(plans(operator, path), table))
    ones = plans(operator, f"{path}?organization={tenants[0].id}")
    assert "organization_id" in conditions(reads(ones, table))


NUMBERED: Final = [
    model
    for model, shown in admin.site._registry.items()
    if getattr(shown, "latest", "") == BY_NUMBER
    and any(field.name == "organization" for field in model._meta.concrete_fields)
]


@pytest.mark.parametrize("model", NUMBERED, ids=lambda model: model._meta.label)
def test_what_has_a_number_is_read_from_the_last_one(operator: Client, model: Any) -> None:
    fill(make_tenant("Acme"))
    opts = model._meta
    found = plans(operator, f"/admin/{opts.app_label}/{opts.model_name}/")
    assert opts.pk.column in conditions(reads(found, opts.db_table))
