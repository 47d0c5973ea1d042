"""`/invoices`: pages, documents, PDF."""

from __future__ import annotations

import io

import pytest
import time_machine
from pypdf import PdfReader

from billing.invoices import services
from tests.billing.invoices.months_of_use import IN_JUNE, call, issue, list_price
from tests.usage.factories import NOW, Tenant, at

pytestmark = pytest.mark.django_db


def test_an_invoice_is_read_with_its_lines(acme: Tenant) -> None:
    price_id = list_price()
    acme.api.keep(call("a"))
    invoice = issue(acme).invoice
    answer = acme.api.get(f"/invoices/{invoice.number}")
    lines = answer.body.pop("lines")
    assert answer.body == {
        "reference": "ACME-2026-0001",
        "number": "ACME-2026-0001",
        "kind": "invoice",
        "state": "issued",
        "period": {"from": "2026-05-31T22:00:00Z", "to": "2026-06-30T22:00:00Z"},
        "timezone": "Europe/Berlin",
        "currency": "EUR",
        "linesTotal": "0.003420000",
        "rounding": "-0.003420000",
        "total": "0.00",
        "unpricedRecords": 0,
        "credits": None,
        "creditedBy": None,
        "reason": "",
        "calculatedAt": at(NOW),
        "issuedAt": at(NOW),
        "dueAt": "2026-07-29T12:34:56.789012Z",
        "issuer": ["Headroom"],
        "recipient": "Acme",
    }
    assert lines[0] == {
        "period": {"from": "2026-05-31T22:00:00Z", "to": "2026-06-30T22:00:00Z"},
        "basis": "rated",
        "provider": "openai",
        "model": "gpt-4o",
        "serviceTier": None,
        "meter": "prompt",
        "above": 0,
        "priceId": price_id,
        "rate": "3.000000000",
        "per": 1_000_000,
        "discountPercent": "0.00",
        "quantity": 600,
        "cost": "0.001800000",
    }


def test_invoices_are_listed_newest_first_drafts_before_all(
    acme: Tenant, stopped_clock: time_machine.Traveller
) -> None:
    first = issue(acme).invoice
    services.credit(organization_id=acme.id, invoice_id=first.pk, reason="")
    services.redraft(organization_id=acme.id, invoice_id=first.pk)
    body = acme.api.get("/invoices").body
    assert [one["reference"] for one in body["invoices"]] == [
        "draft-2026-06-01",
        "ACME-2026-0002",
        "ACME-2026-0001",
    ]
    assert body["pagination"]["total"] == 3
    notes = acme.api.get("/invoices", kind="creditNote", state="issued").body["invoices"]
    assert [one["credits"] for one in notes] == ["ACME-2026-0001"]
    assert acme.api.get("/invoices", state="lost").status == 400


def test_a_draft_has_a_name_instead_of_a_number(acme: Tenant) -> None:
    services.draft_due(NOW)
    body = acme.api.get("/invoices/draft-2026-06-01").body
    assert (body["number"], body["state"], body["dueAt"]) == (None, "draft", None)
    assert acme.api.get("/invoices/draft-2026-07-01").status == 404


def test_the_document_says_what_the_lines_say(acme: Tenant) -> None:
    list_price()
    acme.api.keep(call("a"), call("b", IN_JUNE, cost="1234.5", model="#[injected] $x$"))
    invoice = issue(acme).invoice
    answer = acme.api.call("GET", f"/invoices/{invoice.number}", headers={"Accept": "application/pdf"})
    assert answer.headers["Content-Type"] == "application/pdf"
    text = PdfReader(io.BytesIO(answer.body)).pages[0].extract_text()
    for words in ("ACME-2026-0001", "Acme", "Cached prompt tokens", "0.30 per 1,000,000", "1,234.50", "EUR"):
        assert words in text
    assert "#[injected] $x$" in text


def test_the_document_is_the_same_each_time(acme: Tenant) -> None:
    acme.api.keep(call("a", cost="1"))
    number = issue(acme).invoice.number
    accept = {"Accept": "application/pdf"}
    first, second = (acme.api.call("GET", f"/invoices/{number}", headers=accept).body for _ in range(2))
    assert first == second


def test_it_takes_the_scope_to_read_bills(acme: Tenant) -> None:
    plain = acme.another_credential().api
    for path in ("/invoices", "/invoices/ACME-2026-0001"):
        assert plain.get(path).body["code"] == "scope_required"
