"""Invoices: a month's records to the nano, rounded once, immutable once issued, made up for, taken back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.conf import settings
from django.db import DatabaseError, connection, transaction

from billing.book.services import add_discount
from billing.invoices import services
from billing.models import Invoice, InvoiceLine
from core.problems import Problem
from organizations.services import set_timezone
from organizations.tenancy import tenant_scope
from tests.billing.invoices.months_of_use import (
    IN_JUNE,
    JULY,
    JUNE,
    amounts,
    call,
    issue,
    list_price,
    read,
)
from tests.usage.factories import NOW, Tenant, make_tenant, record
from usage.adjustments import Adjustment, adjust
from usage.complete import record_key
from usage.rollups.fold import fold_pending

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(days=31)


def draft_of(tenant: Tenant) -> Invoice:
    with tenant_scope(tenant.id):
        return Invoice.objects.get(state="draft")


def refuses(tenant: Tenant, words: str, statement: str) -> None:
    with (
        pytest.raises(DatabaseError, match=words),
        tenant_scope(tenant.id),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)


def test_a_months_records_become_lines_by_model_and_meter(acme: Tenant) -> None:
    price_id = list_price()
    acme.api.keep(call("a"), call("b"), call("c", NOW), record(timestamp=IN_JUNE.isoformat()))
    found = issue(acme)
    invoice = found.invoice
    assert amounts(found) == {
        "gpt-4o:prompt": (1200, 3_600_000),
        "gpt-4o:cachedPrompt": (800, 240_000),
        "gpt-4o:completion": (200, 3_000_000),
    }
    assert {(one.price_id, one.per, one.basis) for one in found.lines} == {(price_id, 1_000_000, "rated")}
    assert (invoice.period_start, invoice.period_end) == (JUNE.start, JUNE.end)
    assert (invoice.lines_nanos, invoice.total_minor, invoice.unpriced_records) == (6_840_000, 1, 1)
    assert (invoice.number, invoice.issued_at, invoice.due_at) == (
        "ACME-2026-0001",
        NOW,
        NOW + settings.INVOICE_DUE,
    )


def test_a_cost_that_the_client_reported_is_a_line_of_its_own(acme: Tenant) -> None:
    list_price()
    acme.api.keep(call("a", cost="0.5"), call("b", cost="0.000000001"), call("c", cost="0", model="x"))
    found = issue(acme)
    assert amounts(found) == {"gpt-4o:requests": (2, 500_000_001), "x:requests": (1, 0)}
    assert {one.basis for one in found.lines} == {"reported"}


def test_a_discount_makes_lines_of_its_own(acme: Tenant) -> None:
    list_price()
    with time_machine.travel(IN_JUNE, tick=False):
        acme.api.keep(call("a", IN_JUNE))
        add_discount(organization_id=acme.id, basis_points=1250, effective_from=IN_JUNE + timedelta(hours=1))
        acme.api.keep(call("b", IN_JUNE + timedelta(minutes=1)))
    acme.api.keep(call("c", IN_JUNE + timedelta(hours=1)))
    prompt = {one.discount_bp: one.cost_nanos for one in issue(acme).lines if one.meter == "prompt"}
    assert prompt == {0: 3_600_000, 1250: 1_575_000}


def test_a_cost_given_later_is_on_the_invoice_like_any_other(acme: Tenant) -> None:
    acme.api.keep(call("a"))
    price_id = list_price()
    given = Adjustment(_key(acme, "a"), IN_JUNE, 3_420_000, price_id)
    adjust(acme.id, [given])
    assert amounts(issue(acme))["gpt-4o:prompt"] == (600, 1_800_000)


def test_a_cost_that_its_price_does_not_come_to_stays_whole(acme: Tenant) -> None:
    acme.api.keep(call("a"))
    adjust(acme.id, [Adjustment(_key(acme, "a"), IN_JUNE, 77, list_price())])
    found = issue(acme)
    assert [(one.basis, one.meter, one.quantity, one.cost_nanos) for one in found.lines] == [
        ("whole", "requests", Decimal(1), 77)
    ]


def test_months_are_those_of_the_organizations_zone(acme: Tenant) -> None:
    list_price()
    edges = [JUNE.start - timedelta(seconds=1), JUNE.start, JUNE.end - timedelta(seconds=1), JUNE.end]
    acme.api.keep(*(call(str(place), moment) for place, moment in enumerate(edges)))
    assert amounts(issue(acme))["gpt-4o:completion"] == (200, 3_000_000)


def test_the_total_is_rounded_once_ties_to_even(acme: Tenant) -> None:
    acme.api.keep(call("a", cost="0.004"), call("b", cost="0.001", model="x"))
    assert (issue(acme).invoice.lines_nanos, read(acme, "ACME-2026-0001").invoice.total_minor) == (
        5_000_000,
        0,
    )


def test_a_currency_without_cents_is_paid_in_whole_units(stopped_clock: object) -> None:
    tenant = make_tenant("Kaisha", currency="JPY")
    tenant.api.keep(record("a", timestamp=IN_JUNE.isoformat(), cost="1234.5"))
    invoice = issue(tenant).invoice
    assert (invoice.total_minor, invoice.minor_places) == (1234, 0)
    assert tenant.api.get(f"/invoices/{invoice.number}").body["total"] == "1234"


def test_a_month_without_use_is_an_invoice_of_nothing(acme: Tenant) -> None:
    found = issue(acme)
    assert (found.lines, found.invoice.lines_nanos, found.invoice.total_minor) == ((), 0, 0)


def test_only_plans_with_invoices_get_any(stopped_clock: object) -> None:
    make_tenant("Small", plan="professional")
    assert services.draft_due(NOW) == 0


def test_drafting_again_makes_no_second_draft(acme: Tenant) -> None:
    assert [services.draft_due(NOW), services.draft_due(NOW)] == [1, 0]
    services.issue(organization_id=acme.id, invoice_id=draft_of(acme).pk)
    assert services.draft_due(NOW) == 0


def test_a_draft_is_issued_when_its_grace_is_over_with_what_came_meanwhile(
    acme: Tenant, stopped_clock: time_machine.Traveller
) -> None:
    list_price()
    stopped_clock.move_to(JUNE.end)
    assert [services.draft_due(JUNE.end), services.issue_due(JUNE.end)] == [1, 0]
    acme.api.keep(call("late"))
    assert draft_of(acme).lines_nanos == 0
    due = JUNE.end + settings.INVOICE_GRACE
    stopped_clock.move_to(due)
    assert [services.issue_due(due - timedelta(seconds=1)), services.issue_due(due)] == [0, 1]
    assert read(acme, "ACME-2026-0001").invoice.lines_nanos == 3_420_000


def test_a_draft_can_be_brought_up_to_date_and_discarded(acme: Tenant) -> None:
    services.draft_due(NOW)
    draft = draft_of(acme)
    acme.api.keep(call("a", cost="2"))
    services.recalculate(organization_id=acme.id, invoice_id=draft.pk)
    assert draft_of(acme).lines_nanos == 2 * 10**9
    services.discard(organization_id=acme.id, invoice_id=draft.pk)
    assert services.draft_due(NOW) == 1


def test_what_comes_after_an_invoice_is_made_up_for_on_the_next(
    acme: Tenant, stopped_clock: time_machine.Traveller
) -> None:
    list_price()
    acme.api.keep(call("a"), call("b", NOW), call("unpriced", model="new"))
    issue(acme)
    acme.api.keep(call("late"))
    fold_pending()
    new = list_price(model="new")
    adjust(acme.id, [Adjustment(_key(acme, "unpriced"), IN_JUNE, 3_420_000, new)])
    stopped_clock.move_to(LATER)
    found = issue(acme)
    by_month = {
        month: {
            f"{one.model}:{one.meter}": one.cost_nanos for one in found.lines if one.period_start == month
        }
        for month in (JULY.start, JUNE.start)
    }
    of_one = {"prompt": 1_800_000, "cachedPrompt": 120_000, "completion": 1_500_000}
    assert by_month == {
        JULY.start: {f"gpt-4o:{meter}": cost for meter, cost in of_one.items()},
        JUNE.start: {
            f"{model}:{meter}": cost for model in ("gpt-4o", "new") for meter, cost in of_one.items()
        },
    }
    assert found.invoice.lines_nanos == 3 * 3_420_000
    stopped_clock.move_to(LATER + timedelta(days=31))
    assert issue(acme).lines == ()


def test_a_credit_note_takes_an_invoice_back_as_a_whole(acme: Tenant) -> None:
    list_price()
    acme.api.keep(call("a"))
    invoice = issue(acme).invoice
    note = services.credit(organization_id=acme.id, invoice_id=invoice.pk, reason="Wrong recipient.")
    found = read(acme, note.reference)
    assert (note.number, note.total_minor, note.lines_nanos) == ("ACME-2026-0002", 0, -3_420_000)
    assert amounts(found)["gpt-4o:prompt"] == (-600, -1_800_000)
    body = acme.api.get(f"/invoices/{invoice.number}").body
    assert (body["creditedBy"], body["state"]) == (note.number, "issued")
    assert acme.api.get(f"/invoices/{note.number}").body["credits"] == invoice.number


def test_a_credited_month_is_invoiced_again_only_when_asked_for_and_then_as_a_whole(
    acme: Tenant, stopped_clock: time_machine.Traveller
) -> None:
    list_price()
    acme.api.keep(call("a"))
    invoice = issue(acme).invoice
    services.credit(organization_id=acme.id, invoice_id=invoice.pk, reason="")
    assert services.draft_due(NOW) == 0
    services.redraft(organization_id=acme.id, invoice_id=invoice.pk)
    again = services.issue(organization_id=acme.id, invoice_id=draft_of(acme).pk)
    assert (again.number, again.edition, again.lines_nanos) == ("ACME-2026-0003", 2, 3_420_000)
    stopped_clock.move_to(LATER)
    assert issue(acme).lines == ()


def test_what_a_credited_invoice_made_up_for_is_made_up_for_anew(
    acme: Tenant, stopped_clock: time_machine.Traveller
) -> None:
    issue(acme)
    acme.api.keep(call("late", cost="1"))
    stopped_clock.move_to(LATER)
    july = issue(acme).invoice
    services.credit(organization_id=acme.id, invoice_id=july.pk, reason="")
    stopped_clock.move_to(LATER + timedelta(days=31))
    august = issue(acme)
    assert [(one.period_start, one.cost_nanos) for one in august.lines] == [(JUNE.start, 10**9)]


def test_what_is_issued_can_neither_be_issued_nor_recalculated_nor_credited_twice(acme: Tenant) -> None:
    invoice = issue(acme).invoice
    services.credit(organization_id=acme.id, invoice_id=invoice.pk, reason="")
    for work in (services.issue, services.recalculate, services.discard, _credit):
        with pytest.raises(Problem) as refused:
            work(organization_id=acme.id, invoice_id=invoice.pk)
        assert refused.value.status == 409


def _credit(**of: Any) -> object:
    return services.credit(**of, reason="")


def test_nobody_touches_anothers_invoice(acme: Tenant, db: None) -> None:
    services.draft_due(NOW)
    other = make_tenant("Globex")
    for work in (services.issue, services.recalculate, services.discard, services.redraft, _credit):
        with pytest.raises(Problem) as refused:
            work(organization_id=other.id, invoice_id=draft_of(acme).pk)
        assert refused.value.status == 404


def test_numbers_have_no_gaps_and_begin_anew_with_the_year(
    acme: Tenant, stopped_clock: time_machine.Traveller
) -> None:
    issued = [issue(acme).invoice.number]
    for moment in (datetime(2026, 12, 31, 22, 59, tzinfo=UTC), datetime(2027, 1, 4, tzinfo=UTC)):
        stopped_clock.move_to(moment)
        services.draft_due(moment)
        assert services.issue_due(moment + timedelta(days=3)) > 0
    with tenant_scope(acme.id):
        issued = list(Invoice.objects.order_by("period_start").values_list("number", flat=True))
    assert issued == [*(f"ACME-2026-{n:04d}" for n in range(1, 7)), "ACME-2027-0001"]


@pytest.mark.parametrize("table", ["billing_invoice", "billing_invoiceline"])
@pytest.mark.parametrize("verb", ["UPDATE {} SET currency = currency", "DELETE FROM {}"])
def test_what_is_issued_stays_as_it_is(table: str, verb: str, acme: Tenant) -> None:
    acme.api.keep(call("a", cost="1"))
    issue(acme)
    statement = verb.format(table)
    if table == "billing_invoiceline":
        statement = statement.replace("currency", "model")
    refuses(acme, "issued invoices are immutable", statement)


def test_no_line_is_added_to_what_is_issued_or_moved_to_it(acme: Tenant) -> None:
    acme.api.keep(call("a", cost="1"))
    found = issue(acme)
    line = found.lines[0]
    line.pk, line.position = None, 2
    with tenant_scope(acme.id), pytest.raises(DatabaseError, match="issued invoices are immutable"):
        line.save()


def test_an_invoice_whose_lines_do_not_add_up_can_not_be_issued(acme: Tenant) -> None:
    acme.api.keep(call("a", cost="1"))
    services.draft_due(NOW)
    numbered = "state = 'issued', number = 'X', year = 2026, sequence = {}, issued_at = now()"
    with tenant_scope(acme.id):
        InvoiceLine.objects.update(cost_nanos=5)
    refuses(acme, "lines of an invoice add up", f"UPDATE billing_invoice SET {numbered.format(1)}")
    with tenant_scope(acme.id):
        InvoiceLine.objects.update(cost_nanos=10**9)
    refuses(acme, "numbered without gaps", f"UPDATE billing_invoice SET {numbered.format(2)}")
    refuses(acme, "each begins as a draft", _copy("state = 'issued'"))


def _copy(change: str) -> str:
    column, value = change.split(" = ")
    return f"""INSERT INTO billing_invoice SELECT (jsonb_populate_record(invoice, jsonb_build_object(
        'id', 999, '{column}', {value}, 'edition', 9))).* FROM billing_invoice AS invoice"""


def test_a_move_to_another_zone_changes_no_invoice_and_loses_no_hour(
    acme: Tenant, stopped_clock: time_machine.Traveller
) -> None:
    acme.api.keep(call("a", JUNE.end, cost="1"))
    issue(acme)
    set_timezone(organization_id=acme.id, timezone="UTC")
    stopped_clock.move_to(LATER)
    found = issue(acme)
    assert (found.invoice.period_start, found.invoice.period_end) == (
        JUNE.end,
        datetime(2026, 8, 1, tzinfo=UTC),
    )
    assert found.invoice.lines_nanos == 10**9


def _key(tenant: Tenant, record_id: str) -> Any:
    from uuid import UUID

    return UUID(hex=record_key(tenant.id, record_id))
