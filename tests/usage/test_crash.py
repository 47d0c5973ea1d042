"""A server that is killed at work loses nothing it acknowledged, and doubles nothing on retry."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from tests.serving import Server
from tests.usage.factories import Tenant, make_tenant, record
from tests.usage.senders import Batch, Sender, fold_often, running
from usage.rollups.fold import fold_pending
from usage.rollups.verify import verify

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(400), pytest.mark.long]

KILLS = 50
SENDERS = 3


def batches(sender: int) -> Iterator[Batch]:
    """Yield batches of one to forty records for ever, no id twice."""
    sizes = random.Random(sender)
    number = 0
    while True:
        size = sizes.randint(1, 40)
        yield [
            record(f"{sender}-{number + place}", tokens={"prompt": place, "completion": 1})
            for place in range(size)
        ]
        number += size


def test_fifty_kills_at_random_moments_lose_and_double_nothing(make_server: Callable[..., Server]) -> None:
    tenant = make_tenant("Acme")
    server = make_server(workers=1, threads=4)
    senders = [Sender(server, tenant) for _ in range(SENDERS)]
    sent: list[list[Batch]] = [[] for _ in range(SENDERS)]
    sources = [batches(place) for place in range(SENDERS)]

    def work(place: int) -> Callable[[], None]:
        def send() -> None:
            batch = next(sources[place])
            answer = senders[place].send(batch)
            # What a killed server had committed without an answer comes back as duplicates, whole.
            assert (answer["accepted"], answer["duplicates"]) in ((len(batch), 0), (0, len(batch)))
            sent[place].append(batch)

        return send

    moments = random.Random(7)
    with running(fold_often, *(work(place) for place in range(SENDERS))):
        for _ in range(KILLS):
            time.sleep(moments.uniform(0.02, 0.3))
            server.kill()
            server.restart()
    acknowledged = [one for of_sender in sent for batch in of_sender for one in batch]
    assert len(acknowledged) > KILLS
    assert totals_of(server, tenant) == (len(acknowledged), sum(tokens(one) for one in acknowledged))
    assert stored_ids(server, tenant) == {one["id"] for one in acknowledged}
    while fold_pending():
        pass
    assert totals_of(server, tenant) == (len(acknowledged), sum(tokens(one) for one in acknowledged))
    assert list(verify(tenant.organization)) == []


def tokens(sent: dict[str, Any]) -> int:
    return int(sent["tokens"]["prompt"] + sent["tokens"]["completion"])


def totals_of(server: Server, tenant: Tenant) -> tuple[int, int]:
    body = get(server, tenant, "/api/v1/usage")
    return body["requests"]["total"], body["tokens"]["total"]


def stored_ids(server: Server, tenant: Tenant) -> set[str]:
    found: list[str] = []
    cursor = None
    while True:
        page = get(server, tenant, "/api/v1/records", take="1000", **({"cursor": cursor} if cursor else {}))
        found += [item["id"] for item in page["items"]]
        cursor = page["cursor"]
        if cursor is None:
            assert len(found) == len(set(found))
            return set(found)


def get(server: Server, tenant: Tenant, path: str, **query: str) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {tenant.api.key}"}
    response = httpx.get(f"{server.url}{path}", headers=headers, params=query, timeout=30)
    assert response.status_code == httpx.codes.OK, response.text
    body: dict[str, Any] = response.json()
    return body
