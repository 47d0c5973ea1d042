"""The book changes while records are rated by it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import psycopg
import pytest
from django.db import connection

from billing import book
from billing.book.terms import FIRST
from core import clock
from organizations.tenancy import tenant_scope
from tests.billing.pricing import price
from tests.usage.factories import Api, Tenant, make_tenant, record
from usage.models import Record

pytestmark = pytest.mark.django_db(transaction=True)

CALL = {"model": "gpt-4o", "provider": "openai", "tokens": {"prompt": 1}}


@pytest.fixture
def acme(transactional_db: None) -> Tenant:
    """An organization whose rows are committed."""
    return make_tenant("Acme")


def in_threads(*jobs: Callable[[], None]) -> None:
    failures: list[BaseException] = []

    def run(job: Callable[[], None]) -> None:
        try:
            job()
        except BaseException as error:  # noqa: BLE001 whatever went wrong in a thread fails the test
            failures.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(job,)) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failures == []


def test_what_is_stored_after_a_price_was_made_is_rated_by_it(acme: Tenant) -> None:
    """Prices are made while clients send: none of their records is of an earlier book than its commit."""
    price(prompt=1)
    made: list[tuple[int, datetime]] = []
    sent = [0] * 4
    stop = threading.Event()

    def change() -> None:
        try:
            for nanos in range(2, 12):
                made.append((price(prompt=nanos).pk, clock.now()))
                enough = sum(sent) + 4
                while sum(sent) < enough:
                    time.sleep(0.005)
        finally:
            stop.set()

    def send(sender: int) -> Callable[[], None]:
        def work() -> None:
            api = Api(acme.api.key)
            while not stop.is_set():
                api.keep(record(f"{sender}-{sent[sender]}", **CALL))
                sent[sender] += 1

        return work

    in_threads(change, *(send(sender) for sender in range(len(sent))))
    with tenant_scope(acme.id):
        kept = list(Record.objects.values_list("created_at", "price_id"))
    assert len(kept) == sum(sent) >= 40
    for created_at, price_id in kept:
        assert price_id is not None
        # A record's transaction began at created_at: what had been committed by then was in the book.
        known = max([pk for pk, moment in made if moment < created_at - timedelta(milliseconds=1)], default=0)
        assert price_id >= known


def test_a_batch_that_was_rated_by_an_old_book_waits_for_no_longer_than_it_has_to(
    acme: Tenant, app_connection: psycopg.Connection[Any]
) -> None:
    """While somebody changes the book the batch waits, and is then rated by what was committed."""
    price(prompt=1)
    acme.api.keep(record("before", **CALL))
    with app_connection.transaction():
        app_connection.execute("SELECT set_config('headroom.system', 'on', true)")
        inserted = app_connection.execute(
            "INSERT INTO billing_price (provider, model, tier, currency, effective_from, source, created_at)"
            " VALUES ('openai', 'gpt-4o', 'standard', 'USD', %s, 'manual', now()) RETURNING id",
            [FIRST],
        ).fetchone()
        assert inserted is not None
        app_connection.execute(
            "INSERT INTO billing_rate (price_id, meter, amount_nanos, per, above)"
            " VALUES (%s, 'prompt', 9, 1, 0)",
            inserted,
        )

        def send() -> None:
            acme.api.keep(record("after", **CALL))
            connection.close()

        sender = threading.Thread(target=send)
        sender.start()
        sender.join(0.5)
        assert sender.is_alive()
    sender.join(30)
    assert not sender.is_alive()
    items = {item["id"]: (item["cost"], item["priceId"]) for item in acme.api.get("/records").items}
    assert items["before"][0] == "0.000000001"
    assert items["after"] == ("0.000000009", inserted[0])
    assert book.current().version > 1
