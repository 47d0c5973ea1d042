"""The operator grants, revokes, issues and credits; what was posted or issued is only shown."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.test import Client

from billing.invoices import services
from billing.models import Grant, Invoice
from billing.tasks import draft_invoices, expire_grants, issue_invoices
from organizations.models import User
from organizations.tenancy import system_scope, tenant_scope
from tests.billing.invoices.months_of_use import JULY, call
from tests.billing.ledger.test_ledger import accounts, give
from tests.usage.factories import NOW, Tenant, make_tenant

pytestmark = pytest.mark.django_db


@pytest.fixture
def acme(db: None, stopped_clock: time_machine.Traveller) -> Tenant:
    return make_tenant("Acme", timezone="Europe/Berlin", currency="EUR")


@pytest.fixture
def operator(db: Any) -> Client:
    """The operator, signed in."""
    client = Client()
    client.force_login(User.objects.create_superuser("operator@example.org", "x"))
    return client


def grant_form(tenant: Tenant, **fields: str) -> dict[str, Any]:
    return {
        "organization": tenant.id,
        "allowance": "credits",
        "amount": "12.5",
        "priority": "7",
        "effective_at": "2026-07-15T12:00:00",
        "reason": "Welcome",
        **fields,
    }


def act(operator: Client, model: str, action: str, *chosen: int) -> str:
    """Run an action of a list on rows, and return the page that follows."""
    answer = operator.post(
        f"/admin/billing/{model}/",
        {"action": action, "_selected_action": list(chosen), "confirmed": "yes"},
        follow=True,
    )
    assert answer.status_code == 200
    return str(answer.content.decode())


def test_a_grant_is_made_with_its_postings(acme: Tenant, operator: Client) -> None:
    assert operator.get("/admin/billing/grant/add/").status_code == 200
    answer = operator.post("/admin/billing/grant/add/", grant_form(acme))
    assert answer.status_code == 302, answer.content.decode()
    with system_scope():
        (made,) = Grant.objects.filter(granted_by__email="operator@example.org")
    assert (made.amount, made.priority) == (Decimal("12.5"), 7)
    assert accounts(acme) == {"granted": Decimal("-12.5"), "available": Decimal("12.5")}


def test_what_can_not_be_granted_is_said_in_the_form(acme: Tenant, operator: Client) -> None:
    page = operator.post("/admin/billing/grant/add/", grant_form(acme, amount="-1"))
    assert "An amount is more than 0" in page.content.decode()
    past = {"expires_at": "2026-07-15T12:00:01"}
    wrong = grant_form(acme, amount="-1", organization="", **past)
    errors = operator.post("/admin/billing/grant/add/", wrong).context["adminform"].form.errors
    assert {name: len(found) for name, found in errors.items()} == {
        "organization": 1,
        "amount": 1,
        "expires_at": 1,
    }
    page = operator.post("/admin/billing/grant/add/", grant_form(acme, **past))
    assert "A grant expires after it begins, and later than now." in page.content.decode()
    assert accounts(acme) == {}


def test_a_grant_can_be_revoked_and_nothing_else_of_it_changed(acme: Tenant, operator: Client) -> None:
    made = give(acme, 10)
    assert operator.get("/admin/billing/grant/").status_code == 200
    for _ in range(2):
        act(operator, "grant", "revoke", made.pk)
    assert accounts(acme) == {"granted": -10, "revoked": 10}
    operator.post(f"/admin/billing/grant/{made.pk}/change/", grant_form(acme, amount="99"))
    operator.post(f"/admin/billing/grant/{made.pk}/delete/", {"post": "yes"})
    with tenant_scope(acme.id):
        assert Grant.objects.get().amount == 10


@pytest.mark.parametrize("model", ["ledgertransaction", "ledgeraccount", "grantevent", "grant"])
def test_the_ledger_is_shown(model: str, acme: Tenant, operator: Client) -> None:
    give(acme, 10)
    page = operator.get(f"/admin/billing/{model}/")
    assert page.status_code == 200
    assert "1 " in page.content.decode()


def test_an_invoice_is_issued_credited_and_drafted_again(acme: Tenant, operator: Client) -> None:
    acme.api.keep(call(cost="2"))
    assert draft_invoices() == 1
    with tenant_scope(acme.id):
        draft = Invoice.objects.get()
    assert "draft-2026-06-01" in operator.get("/admin/billing/invoice/").content.decode()
    assert "Brought up to date: 1." in act(operator, "invoice", "recalculate", draft.pk)
    assert "Issued: 1." in act(operator, "invoice", "issue", draft.pk)
    assert "This invoice has been issued" in act(operator, "invoice", "issue", draft.pk)
    assert "This month has an invoice" in act(operator, "invoice", "draft_again", draft.pk)
    assert "Credited: 1." in act(operator, "invoice", "credit", draft.pk)
    assert "Drafted: 1." in act(operator, "invoice", "draft_again", draft.pk)
    with tenant_scope(acme.id):
        again = Invoice.objects.get(state="draft")
    assert "Discarded: 1." in act(operator, "invoice", "discard", again.pk)
    page = operator.get(f"/admin/billing/invoice/{draft.pk}/change/")
    assert "2.00 EUR" in page.content.decode()
    with tenant_scope(acme.id):
        numbers = list(Invoice.objects.order_by("sequence").values_list("number", flat=True))
    assert numbers == ["ACME-2026-0001", "ACME-2026-0002"]


def test_the_worker_drafts_issues_and_expires(acme: Tenant, stopped_clock: time_machine.Traveller) -> None:
    give(acme, 10, expires_at=JULY.end)
    assert [draft_invoices(), issue_invoices(), expire_grants()] == [1, 1, 0]
    stopped_clock.move_to(JULY.end)
    assert [draft_invoices(), issue_invoices(), expire_grants()] == [1, 0, 0]
    stopped_clock.move_to(JULY.end + (JULY.end - NOW))
    assert [draft_invoices(), issue_invoices(), expire_grants()] == [0, 1, 1]


def test_who_may_only_look_can_not_bill(acme: Tenant) -> None:
    services.draft_due(NOW)
    user = User.objects.create_user("looker@example.org", "x", is_staff=True)
    client = Client()
    client.force_login(user)
    with tenant_scope(acme.id):
        draft = Invoice.objects.get()
    answer = client.post("/admin/billing/invoice/", {"action": "issue", "_selected_action": [draft.pk]})
    assert answer.status_code == 403
