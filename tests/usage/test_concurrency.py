"""Many senders, a folder and a reader at once, on real connections: nothing is lost, doubled or half seen."""

from __future__ import annotations

import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from core import clock
from core.periods import Period
from organizations.tenancy import tenant_scope
from tests.serving import Server
from tests.usage.factories import Tenant, make_tenant, record
from tests.usage.senders import Batch, Sender, fold_often, running
from usage import reading
from usage.queries.totals import Subject, totals
from usage.rollups.fold import fold_pending
from usage.rollups.verify import verify

pytestmark = pytest.mark.django_db(transaction=True)

SENDERS = 8
RECORDS = 4_000
BATCH = 100


def call(number: int) -> dict[str, Any]:
    return record(
        f"call-{number}", tokens={"prompt": number % 97, "completion": 3}, quantities={"pages": number % 5}
    )


def usage_of(server: Server, tenant: Tenant) -> dict[str, Any]:
    response = httpx.get(f"{server.url}/api/v1/usage", headers={"Authorization": f"Bearer {tenant.api.key}"})
    assert response.status_code == httpx.codes.OK, response.text
    body: dict[str, Any] = response.json()
    return body


def shuffled_batches(seed: int) -> list[Batch]:
    """Every record once in an order of the seed's own, and a quarter of them once more."""
    order = random.Random(seed)
    numbers = list(range(RECORDS))
    order.shuffle(numbers)
    numbers += order.sample(numbers, RECORDS // 4)
    return [
        [call(number) for number in numbers[start : start + BATCH]] for start in range(0, len(numbers), BATCH)
    ]


def test_eight_senders_with_overlapping_shuffled_batches_keep_every_record_once(
    make_server: Callable[..., Server],
) -> None:
    tenant = make_tenant("Acme")
    server = make_server(workers=2, threads=4)
    senders = [Sender(server, tenant) for _ in range(SENDERS)]

    def work(seed: int) -> None:
        for batch in shuffled_batches(seed):
            senders[seed].send(batch)

    with running(fold_often), ThreadPoolExecutor(SENDERS) as pool:
        list(pool.map(work, range(SENDERS)))
    answers = [answer for sender in senders for answer in sender.answers]
    assert [sender.failures for sender in senders] == [[]] * SENDERS
    assert sum(answer["accepted"] for answer in answers) == RECORDS
    assert sum(answer["duplicates"] for answer in answers) == SENDERS * (RECORDS + RECORDS // 4) - RECORDS
    assert "deadlock" not in server.log
    numbers = range(RECORDS)
    for _ in range(2):
        body = usage_of(server, tenant)
        assert body["requests"]["total"] == RECORDS
        assert body["tokens"]["total"] == sum(number % 97 + 3 for number in numbers)
        assert body["pages"] == sum(number % 5 for number in numbers)
        while fold_pending():
            pass
    assert list(verify(tenant.organization)) == []


def test_a_reader_never_sees_a_total_that_is_not_a_sum_of_whole_batches(
    make_server: Callable[..., Server],
) -> None:
    tenant = make_tenant("Acme")
    server = make_server(workers=2, threads=4)
    senders = [Sender(server, tenant) for _ in range(3)]
    seen: list[tuple[int, int, int]] = []

    def batch(sender: int, number: int) -> Batch:
        # Ten records of a hundred tokens and one page each, over several hours and credentials.
        return [
            record(
                f"{sender}-{number}-{place}", tokens={"prompt": 60, "completion": 40}, quantities={"pages": 1}
            )
            for place in range(10)
        ]

    def send(sender: int) -> None:
        for number in range(150):
            senders[sender].send(batch(sender, number))

    def read_by_http() -> None:
        body = usage_of(server, tenant)
        seen.append((body["requests"]["total"], body["tokens"]["total"], body["pages"]))

    def read_by_sql() -> None:
        now = clock.now()
        period = Period(now.replace(day=1, hour=0, minute=7, second=11), now + reading.LATEST)
        with tenant_scope(tenant.id):
            found = totals(Subject(tenant.id, "UTC"), period, now)
        seen.append((found.requests, found.total_tokens, int(found.meter("pages"))))

    with running(fold_often, read_by_http, read_by_sql), ThreadPoolExecutor(3) as pool:
        list(pool.map(send, range(3)))
    assert len(seen) > 50
    assert [
        (requests % 10, tokens - requests * 100, pages - requests) for requests, tokens, pages in seen
    ] == [(0, 0, 0)] * len(seen)
    # An answer after the acknowledgement has everything, at once.
    body = usage_of(server, tenant)
    assert (body["requests"]["total"], body["tokens"]["total"], body["pages"]) == (4500, 450_000, 4500)


def test_the_totals_hold_a_batch_as_soon_as_it_is_acknowledged(server: Server) -> None:
    tenant = make_tenant("Acme")
    sender = Sender(server, tenant)
    with running(fold_often):
        for number in range(1, 41):
            sender.send([record(f"{number}-{place}") for place in range(7)])
            assert usage_of(server, tenant)["requests"]["total"] == 7 * number
