"""GET /records and GET /records/{id} against the oracle."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from itertools import groupby
from random import Random
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

import pytest

from tests.usage.queries import dataset
from tests.usage.queries.dataset import NOW
from tests.usage.queries.oracle import Use, moment, money, quantity
from tests.usage.queries.world import World

LINKS = (
    "conversationId", "messageId", "taskId", "contactId", "blueprintId", "botId", "datasetId", "skillsetId",
    "abilityId", "processorId", "documentId", "executionId",
)  # fmt: skip
DIMENSIONS = ("type", "endpoint", "capability", "model", "provider")
TOKENS = ("prompt", "completion", "total", "cachedPrompt", "cacheWrite", "reasoning")


def written(use: Use) -> dict[str, Any]:
    """Return a record as it is answered, but for when it came in."""
    sent, tokens = use.sent, use.sent.get("tokens")
    return {
        "id": sent["id"],
        "type": sent["type"],
        "timestamp": moment(use.at),
        "count": use.sums["count"],
        "clientId": use.client,
        **{name: sent.get(name) for name in ("endpoint", "capability", "model", "provider")},
        "serviceTier": "standard",
        "status": use.facets["status"],
        "statusCode": sent.get("statusCode"),
        "errorType": sent.get("errorType"),
        "latencyMs": None if use.latency_us is None else use.latency_us / 1000,
        "tokens": tokens and {**dict.fromkeys(TOKENS), **tokens, "total": use.sums["total_tokens"]},
        "quantities": {name: quantity(amount) for name, amount in use.meters.items()},
        "cost": None if "cost" not in sent else money(use.sums["cost_nanos"]),
        "currency": "USD",
        "priceId": None,
        "adjusted": sent.get("adjusted", False),
        **{name: sent.get(name) for name in LINKS},
        "reservationId": None,
        "meta": sent["meta"],
    }


def stripped(item: Mapping[str, Any]) -> dict[str, Any]:
    """Return a record that was answered without when it came in, which only the database knows."""
    adjustment = item["adjustment"]
    if adjustment is None:
        assert item["createdAt"] == item["updatedAt"]
    else:
        assert adjustment == {"cost": item["cost"], "priceId": None, "createdAt": item["updatedAt"]}
    fixed = {
        name: value for name, value in item.items() if name not in ("createdAt", "updatedAt", "adjustment")
    }
    return {**fixed, "adjusted": adjustment is not None}


def pages(world: World, query: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Follow the links from page to page and return all records."""
    items, asked = [], dict(query)
    while True:
        answer = world.api.call("GET", "/records", query=asked)
        assert answer.status == 200, answer.body
        assert len(answer.items) <= int(asked.get("take", 100))
        items += [stripped(item) for item in answer.items]
        if answer.body["cursor"] is None:
            assert "Link" not in answer.headers
            return items
        address = answer.headers["Link"].removeprefix("<").removesuffix('>; rel="next"')
        asked = dict(parse_qsl(urlsplit(address).query))
        assert asked == {
            **{name: str(value) for name, value in query.items()},
            "cursor": answer.body["cursor"],
        }


def compare(world: World, keep: Callable[[Use], bool], query: Mapping[str, Any]) -> None:
    """Compare all pages: the records, each once, in order of their moments; of one moment in any order."""
    found = pages(world, query)
    expected = sorted(filter(keep, world.uses), key=lambda use: use.at, reverse=query.get("order") != "asc")
    assert [item["timestamp"] for item in found] == [moment(use.at) for use in expected]
    by_id = {item["id"]: item for item in found}
    assert len(by_id) == len(found)
    assert by_id == {use.sent["id"]: written(use) for use in expected}


def any_filter(random: Random, world: World) -> tuple[dict[str, str], Callable[[Use], bool]]:
    """Return a filter that some records pass, and how to tell which."""
    kind = random.choice(("dimension", "link", "client", "status", "text", "number", "flag"))
    match kind:
        case "dimension":
            name = random.choice(DIMENSIONS)
            value = random.choice([use.sent[name] for use in world.uses if name in use.sent])
            return {name: value}, lambda use: use.sent.get(name) == value
        case "link":
            name = random.choice(dataset.LINKS)
            link = f"{name}-{random.randint(1, 41)}"
            return {name: link}, lambda use: use.sent.get(name) == link
        case "client":
            client = random.choice(world.keys).client_id
            return {"clientId": client}, lambda use: use.client == client
        case "status":
            status = random.choice(("success", "error"))
            return {"status": status}, lambda use: use.facets["status"] == status
        case "text":
            team = random.choice("abc")
            return {"meta[team]": team}, lambda use: use.sent["meta"]["team"] == team
        case "number":
            attempt = random.randint(1, 3)
            return {"meta[try]": str(attempt)}, lambda use: use.sent["meta"]["try"] == attempt
    return {"meta[dry]": "true"}, lambda use: use.sent["meta"]["dry"] is True


@pytest.mark.parametrize("order", ["asc", "desc"])
def test_the_pages_without_a_filter_are_all_records(world: World, order: str) -> None:
    compare(world, lambda use: True, {"order": order, "take": 1000})


@pytest.mark.parametrize("seed", range(60))
def test_any_filters_together(world: World, seed: int) -> None:
    random = Random(seed)
    chosen = [any_filter(random, world) for _ in range(random.randint(1, 3))]
    query: dict[str, Any] = {name: value for given, _ in chosen for name, value in given.items()}
    # Of two filters of one name the later one is sent.
    kept = {tuple(given): keep for given, keep in chosen}
    query |= {"order": random.choice(("asc", "desc")), "take": random.choice((20, 100, 1000))}
    compare(world, lambda use: all(keep(use) for keep in kept.values()), query)


@pytest.mark.parametrize("seed", range(15))
def test_any_window(world: World, seed: int) -> None:
    random = Random(seed)
    bounds = sorted(random.choice(world.uses).at for _ in range(2))
    start, end = bounds[0], bounds[1] + timedelta(microseconds=random.choice((1, 2)))
    given, keep = any_filter(random, world)
    query = {**given, "from": moment(start), "to": moment(end), "take": 300}
    compare(world, lambda use: keep(use) and start <= use.at < end, query)


def test_records_a_little_ahead_are_listed_by_default(world: World) -> None:
    newest = world.api.get("/records", take=20).items
    assert sum(item["timestamp"] > moment(NOW) for item in newest) == 20


def test_records_of_one_moment_stand_in_one_order_both_ways(world: World) -> None:
    rising = [item["id"] for item in pages(world, {"order": "asc", "take": 999})]
    falling = [item["id"] for item in pages(world, {"order": "desc", "take": 1000})]
    assert rising == falling[::-1]
    moments = sorted(use.at for use in world.uses)
    assert any(len(list(same)) > 1 for _, same in groupby(moments))


def test_each_record_can_be_read_by_its_id(world: World) -> None:
    for use in Random(1).sample(world.uses, 60):
        assert stripped(world.ask(f"/records/{quote(use.sent['id'])}")) == written(use)
