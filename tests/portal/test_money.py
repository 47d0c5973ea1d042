"""The pages of credits and invoices."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal
from html import unescape

import pytest
import time_machine
from django.test import Client

from billing.invoices import services
from billing.ledger.services import grant
from tests.billing.invoices.months_of_use import IN_JUNE, call, issue, list_price
from tests.portal.pages import sign_in, table, text
from tests.portal.test_figures import api
from tests.usage.factories import NOW, Tenant, at, make_tenant, record

pytestmark = pytest.mark.django_db


def give(tenant: Tenant, amount: int, **fields: object) -> None:
    terms = {"allowance": "credits", "reason": "Welcome", **fields}
    grant(organization_id=tenant.id, amount=Decimal(amount), **terms)  # type: ignore[arg-type]


def test_credits_show_what_is_left_and_every_grant(acme: Tenant, member: Client) -> None:
    give(acme, 1000)
    give(acme, 50, priority=1, expires_at=NOW + timedelta(days=1), reason="Trial")
    acme.api.keep(record(quantities={"credits": "60.5"}))
    page = member.get("/credits/")
    assert "Credits: 989.5 left" in text(page)
    assert "Quota" not in text(page).replace("Credits and quota", "")
    rows = [[cell.strip() for cell in row] for row in table(page, "grants")]
    assert rows[0][1:4] == ['<span class="tag plain">Used</span>', "0", "50"]
    assert rows[1][1:4] == ['<span class="tag good">Active</span>', "989.5", "1,000"]


def test_transactions_say_what_moved_and_of_which_grants(acme: Tenant, member: Client) -> None:
    give(acme, 1000)
    give(acme, 50, priority=1, reason="Trial")
    acme.api.keep(record(quantities={"credits": "60.5"}))
    page = member.get("/credits/")
    rows = [[re.sub(r"<[^>]*>", "", cell).strip() for cell in row[1:]] for row in table(page, "transactions")]
    assert [row[:3] for row in rows] == [
        ["Use", "Credits", "−60.5"],
        ["Grant", "Credits", "+50"],
        ["Grant", "Credits", "+1,000"],
    ]
    assert sorted(rows[0][3].split(", ")) == ["Trial", "Welcome"]
    assert [row[3] for row in rows[1:]] == ["Trial", "Welcome"]


def test_what_was_used_leads_to_its_records(acme: Tenant, member: Client) -> None:
    give(acme, 1000)
    acme.api.keep(record("plain", timestamp=at(NOW - timedelta(days=3))))
    times = [NOW - timedelta(days=2), NOW - timedelta(days=1)]
    acme.api.keep(*(record(quantities={"credits": "1.5"}, timestamp=at(one)) for one in times))
    use, granted = (row[3] for row in table(member.get("/credits/"), "transactions"))
    assert "href" not in granted
    [address] = re.findall(r'href="([^"]*)"', use)
    page = member.get(unescape(address))
    assert "Stored: " in text(page)
    found = api(member, page, "records")["items"]
    assert [one["timestamp"] for one in found] == [at(one) for one in reversed(times)]
    assert sum(Decimal(one["quantities"]["credits"]) for one in found) == 3
    assert member.get("/logs/?createdAt=then").status_code == 400


def test_transactions_come_a_page_at_a_time(acme: Tenant, member: Client) -> None:
    for _ in range(30):
        give(acme, 1)
    first = member.get("/credits/?sort=effective")
    assert len(table(first, "transactions")) == 25
    older = re.search(r'rel="next" href="([^"]*cursor[^"]*)"', first.content.decode())
    assert older is not None
    second = member.get(unescape(older[1]))
    assert len(table(second, "transactions")) == 5
    # The grants stay as they are sorted and paged, whichever way one goes.
    assert "sort=effective" in older[1]
    assert "Page 1 of 2 (30 total)" in text(second)
    assert member.get("/credits/?cursor=none").status_code == 400


def test_grants_can_be_sorted(acme: Tenant, member: Client) -> None:
    for amount, days in ((10, 5), (30, 1), (20, 9)):
        give(acme, amount, expires_at=NOW + timedelta(days=days))

    def granted(query: str) -> list[str]:
        return [row[3].strip() for row in table(member.get(f"/credits/{query}"), "grants")]

    assert granted("") == granted("?sort=expires") == ["30", "10", "20"]
    assert granted("?sort=amount") == ["30", "20", "10"]
    assert granted("?sort=amount&order=asc") == ["10", "20", "30"]


def test_without_grants_the_page_says_so(member: Client) -> None:
    shown = text(member.get("/credits/"))
    assert "No grants yet." in shown
    assert "No transactions yet." in shown


def test_invoices_are_listed_with_their_totals(acme: Tenant, member: Client) -> None:
    acme.api.keep(call(cost="1234.567"))
    invoice = issue(acme).invoice
    page = member.get("/invoices/")
    assert "ACME-2026-0001 1 June 2026 to 30 June 2026 Issued 29 July 2026 1,234.57 EUR" in text(page)
    assert f'href="/invoices/{invoice.number}/"' in page.content.decode()


def test_invoices_can_be_sorted(acme: Tenant, member: Client) -> None:
    acme.api.keep(call(cost="12"))
    invoice = issue(acme).invoice
    services.credit(organization_id=acme.id, invoice_id=invoice.pk, reason="Wrong recipient.")
    totals = {
        "": ["-12.00", "12.00"],
        "?sort=total": ["12.00", "-12.00"],
        "?sort=issued&order=asc": ["12.00", "-12.00"],
    }
    for query, expected in totals.items():
        page = member.get(f"/invoices/{query}")
        assert re.findall(r'data-value="(-?12.00)"', page.content.decode()) == expected
    assert member.get("/invoices/?sort=colour").status_code == 400


def test_an_invoice_shows_its_lines_and_how_they_come_to_its_total(acme: Tenant, member: Client) -> None:
    list_price()
    acme.api.keep(*(call() for _ in range(3)), record(timestamp=at(IN_JUNE)), call(cost="2"))
    number = issue(acme).invoice.number
    shown = text(member.get(f"/invoices/{number}/"))
    for words in (
        f"Invoice {number}",
        "2.01 EUR Issued",
        "openai / gpt-4o 2.01026",
        "Prompt tokens 1,800 3.00 per 1,000,000 0.00540",
        "Requests, at the cost reported with them 1 – 2.00000",
        "Subtotal 2.01026",
        "Rounding −0.00026",
        "Total 2.01 EUR",
        "1 record of this period had no price yet",
    ):
        assert words in shown


def test_a_draft_and_what_was_credited_say_so(acme: Tenant, member: Client) -> None:
    invoice = issue(acme).invoice
    note = services.credit(organization_id=acme.id, invoice_id=invoice.pk, reason="Wrong recipient.")
    services.redraft(organization_id=acme.id, invoice_id=invoice.pk)
    assert "A draft: it changes with the records" in text(member.get("/invoices/draft-2026-06-01/"))
    assert f"was cancelled by credit note {note.number}" in text(member.get(f"/invoices/{invoice.number}/"))
    credited = text(member.get(f"/invoices/{note.number}/"))
    assert f"Takes back invoice {invoice.number} as a whole. Wrong recipient." in credited


def test_the_document_is_a_pdf(acme: Tenant, member: Client) -> None:
    number = issue(acme).invoice.number
    answer = member.get(f"/invoices/{number}/pdf/")
    assert answer.headers["Content-Type"] == "application/pdf"
    assert answer.content.startswith(b"%PDF-1.7")
    assert member.get("/invoices/none/").status_code == 404


def test_what_a_member_may_not_see_is_not_in_their_menu(acme: Tenant, member: Client) -> None:
    developer = sign_in(acme, "developer")
    assert "Invoices" in text(member.get("/"))
    assert "Invoices" not in text(developer.get("/"))
    assert developer.get("/invoices/").status_code == 403


def test_a_plan_without_invoices_is_told_of(stopped_clock: time_machine.Traveller, db: None) -> None:
    small = make_tenant("Small", plan="starter")
    assert "Your plan, Starter, does not include invoices." in text(sign_in(small).get("/invoices/"))
