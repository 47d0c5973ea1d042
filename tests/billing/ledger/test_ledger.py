"""The ledger in the database: double entry that nobody can bend, undo or overdraw."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.db.models import Sum

from billing.ledger import services
from billing.ledger.queries import standings
from billing.models import Grant, LedgerAccount, LedgerPosting, LedgerTransaction
from core.problems import Problem
from organizations.tenancy import tenant_scope
from tests.usage.factories import NOW, Tenant, make_tenant

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("stopped_clock")]
HOUR = timedelta(hours=1)
POSTED = ("billing_ledgertransaction", "billing_ledgerposting")
VERBS = ("UPDATE {} SET organization_id = organization_id", "DELETE FROM {}", "TRUNCATE {}")


def give(tenant: Tenant, amount: int | str = 100, **fields: Any) -> Grant:
    given = {"allowance": "credits", "reason": "Welcome", **fields}
    return services.grant(organization_id=tenant.id, amount=Decimal(amount), **given)


def accounts(tenant: Tenant) -> dict[str, Decimal]:
    with tenant_scope(tenant.id):
        rows = LedgerAccount.objects.values_list("kind").annotate(Sum("balance"))
        return {kind: balance for kind, balance in rows if balance}


def refuses(tenant: Tenant, words: str, statement: str, params: list[Any] | None = None) -> None:
    with (
        pytest.raises(DatabaseError, match=words),
        tenant_scope(tenant.id),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement, params)


def test_a_grant_is_posted_twice_once_for_each_side(acme: Tenant) -> None:
    made = give(acme, "12.5")
    with tenant_scope(acme.id):
        (movement,) = LedgerTransaction.objects.all()
        postings = {p.account.kind: (p.account.grant_id, p.amount) for p in movement.postings.all()}
    assert (movement.kind, movement.posted_at) == ("grant", NOW)
    assert postings == {"available": (made.pk, Decimal("12.5")), "granted": (None, Decimal("-12.5"))}


def test_an_unbalanced_transaction_is_refused(acme: Tenant) -> None:
    give(acme)
    with tenant_scope(acme.id):
        movement = LedgerTransaction.objects.create(
            organization_id=acme.id, allowance="credits", kind="use", posted_at=NOW
        )
        by_kind = {account.kind: account.pk for account in LedgerAccount.objects.all()}
    row = "(%s, %s, %s, %s)"
    insert = "INSERT INTO billing_ledgerposting (organization_id, transaction_id, account_id, amount) VALUES "
    one = [acme.id, movement.pk, by_kind["available"], -3]
    refuses(acme, "add up to zero", insert + row, one)
    refuses(acme, "add up to zero", f"{insert}{row}, {row}", [*one, *one[:2], by_kind["consumed"], 2])
    assert accounts(acme) == {"available": 100, "granted": -100}


def test_a_transaction_that_was_posted_takes_no_more_postings(acme: Tenant) -> None:
    give(acme)
    refuses(
        acme,
        "is complete",
        """INSERT INTO billing_ledgerposting (organization_id, transaction_id, account_id, amount)
           SELECT organization_id, (SELECT max(id) FROM billing_ledgertransaction), id,
                  CASE kind WHEN 'consumed' THEN 1 ELSE -1 END
           FROM billing_ledgeraccount WHERE kind IN ('consumed', 'uncovered')""",
    )


def test_a_transaction_never_mixes_allowances(acme: Tenant) -> None:
    give(acme)
    give(acme, allowance="quota")
    refuses(
        acme,
        "one organization's ledger of one allowance",
        """WITH movement AS (
               INSERT INTO billing_ledgertransaction (organization_id, allowance, kind, posted_at)
               SELECT organization_id, 'credits', 'use', now() FROM billing_grant LIMIT 1 RETURNING id)
           INSERT INTO billing_ledgerposting (organization_id, transaction_id, account_id, amount)
           SELECT organization_id, movement.id, account.id, CASE allowance WHEN 'credits' THEN 1 ELSE -1 END
           FROM billing_ledgeraccount AS account, movement
           WHERE (kind, allowance) IN (('consumed', 'credits'), ('uncovered', 'quota'))""",
    )


def test_no_posting_overdraws_a_grant(acme: Tenant) -> None:
    give(acme, 5)
    refuses(
        acme,
        "ledger_account_sign",
        """WITH movement AS (
               INSERT INTO billing_ledgertransaction (organization_id, allowance, kind, posted_at)
               SELECT organization_id, 'credits', 'use', now() FROM billing_grant RETURNING id)
           INSERT INTO billing_ledgerposting (organization_id, transaction_id, account_id, amount)
           SELECT organization_id, movement.id, account.id, CASE kind WHEN 'consumed' THEN 6 ELSE -6 END
           FROM billing_ledgeraccount AS account, movement WHERE kind IN ('consumed', 'available')""",
    )


@pytest.mark.parametrize("table", [*POSTED, "billing_ledgeraccount"])
@pytest.mark.parametrize("verb", VERBS)
def test_the_application_can_neither_change_nor_remove_what_was_posted(
    table: str, verb: str, acme: Tenant
) -> None:
    give(acme)
    refuses(acme, "permission denied|immutable", verb.format(table))


@pytest.mark.parametrize("table", POSTED)
@pytest.mark.parametrize("verb", VERBS)
def test_not_even_the_tables_owner_changes_what_was_posted(
    table: str, verb: str, transactional_db: None, owner_connection: Any
) -> None:
    give(make_tenant("Acme"))
    with owner_connection.transaction():
        owner_connection.execute("SELECT set_config('headroom.system', 'on', true)")
        with pytest.raises(Exception, match="the ledger is immutable|cannot truncate"):
            owner_connection.execute(verb.format(table))


def test_an_account_begins_empty_whatever_is_written(acme: Tenant) -> None:
    give(acme)
    with tenant_scope(acme.id), connection.cursor() as cursor:
        cursor.execute(
            """INSERT INTO billing_ledgeraccount (organization_id, allowance, kind, balance)
               VALUES (%s, 'quota', 'consumed', 5) RETURNING balance""",
            [acme.id],
        )
        assert cursor.fetchone() == (0,)


def test_what_a_grant_was_given_for_never_changes(acme: Tenant) -> None:
    made = give(acme)
    refuses(acme, "permission denied", "UPDATE billing_grant SET amount = 1")
    with tenant_scope(acme.id):
        services.revoke_grant(organization_id=acme.id, grant_id=made.pk)
    refuses(acme, "can only be revoked, once", "UPDATE billing_grant SET revoked_at = NULL")
    refuses(acme, "permission denied|immutable", "DELETE FROM billing_grant")


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"amount": "0"}, "/amount"),
        ({"amount": "-1"}, "/amount"),
        ({"amount": "0.0000000001"}, "/amount"),
        ({"amount": "NaN"}, "/amount"),
        ({"amount": "1e24"}, "/amount"),
        ({"expires_at": NOW}, "/expiresAt"),
        ({"effective_at": NOW + HOUR, "expires_at": NOW + HOUR}, "/expiresAt"),
    ],
)
def test_a_grant_needs_an_amount_and_a_time_to_be_used(
    fields: dict[str, Any], pointer: str, acme: Tenant
) -> None:
    with pytest.raises(Problem) as refused:
        give(acme, **fields)
    assert (refused.value.status, refused.value.errors[0].pointer) == (422, pointer)
    assert accounts(acme) == {}


def test_revoking_takes_what_is_left_and_only_once(acme: Tenant) -> None:
    made = give(acme, 10)
    acme.api.keep({"type": "x", "quantities": {"credits": 4}})
    services.revoke_grant(organization_id=acme.id, grant_id=made.pk)
    assert accounts(acme) == {"granted": -10, "consumed": 4, "revoked": 6}
    with pytest.raises(Problem) as refused:
        services.revoke_grant(organization_id=acme.id, grant_id=made.pk)
    assert refused.value.status == 409


def test_nobody_revokes_anothers_grant(acme: Tenant, globex: Tenant) -> None:
    made = give(acme)
    with pytest.raises(Problem) as refused:
        services.revoke_grant(organization_id=globex.id, grant_id=made.pk)
    assert refused.value.status == 404


def test_what_expired_is_posted_once_late_uses_are_over(acme: Tenant, globex: Tenant) -> None:
    give(acme, 10, expires_at=NOW + HOUR)
    give(globex, 10, expires_at=NOW + 2 * HOUR)
    assert services.expire_due(NOW + 2 * HOUR - timedelta(microseconds=1)) == 0
    assert [services.expire_due(NOW + 2 * HOUR), services.expire_due(NOW + 2 * HOUR)] == [1, 0]
    assert accounts(acme) == {"granted": -10, "expired": 10}
    assert accounts(globex) == {"granted": -10, "available": 10}


def test_an_expired_grant_is_counted_so_before_it_is_posted(acme: Tenant) -> None:
    give(acme, 10, expires_at=NOW + HOUR)
    with tenant_scope(acme.id):
        before = standings(acme.id, NOW + HOUR)["credits"]
        services.expire_due(NOW + 3 * HOUR)
        assert standings(acme.id, NOW + HOUR)["credits"] == before
    assert [before.granted, before.expired, before.remaining] == [10, 10, 0]


def test_a_grant_that_begins_later_counts_once_it_does(acme: Tenant) -> None:
    give(acme, 10, effective_at=NOW + HOUR)
    with tenant_scope(acme.id):
        early, later = (standings(acme.id, NOW + HOUR * hours)["credits"] for hours in (0, 1))
    assert [early.granted, early.remaining, later.granted, later.remaining] == [0, 0, 10, 10]


def test_balances_are_the_sums_of_their_postings(acme: Tenant) -> None:
    first = give(acme, "1.5", priority=1)
    give(acme, 2, expires_at=NOW + HOUR)
    acme.api.keep(
        {"type": "x", "quantities": {"credits": "1.75"}}, {"type": "x", "quantities": {"credits": 3}}
    )
    services.revoke_grant(organization_id=acme.id, grant_id=first.pk)
    services.expire_due(NOW + 9 * HOUR)
    with tenant_scope(acme.id):
        posted = dict(LedgerPosting.objects.values_list("account").annotate(Sum("amount")))
        kept = {
            key: balance for key, balance in LedgerAccount.objects.values_list("pk", "balance") if balance
        }
    assert {key: amount for key, amount in posted.items() if amount} == kept
    assert accounts(acme) == {
        "granted": Decimal("-3.5"),
        "consumed": Decimal("4.75"),
        "uncovered": Decimal("-1.25"),
    }
