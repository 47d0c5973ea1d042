"""GET /costs/compare against rating of every record by itself."""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta
from typing import Any

import pytest

from billing import book
from billing.api import comparison as api
from billing.rating import Rate, Sheet, Usage, cost
from tests.billing.pricing import price
from tests.usage.factories import NOW as STOPPED
from tests.usage.factories import Tenant, at, make_tenant, record
from tests.usage.queries.dataset import NOW
from tests.usage.queries.oracle import Use, moment, money, quotient, within
from tests.usage.queries.world import SPANS, World

RATES = (
    Rate("prompt", 2_500_000_001, 10**6),
    Rate("cachedPrompt", 1_250_000_000, 10**6),
    Rate("completion", 10_000_000_007, 10**6),
    Rate("prompt", 5_000_000_003, 10**6, 100_000),
    Rate("pages", 7, 3),
    Rate("requests", 11, 2),
)
SHEET = Sheet(1, RATES)


@pytest.fixture
def other(world: World) -> int:
    """The price of another model, for those who ask about the oracle's world."""
    made = int(price(provider="house", model="other-1", rates=RATES).pk)
    book.forget()
    return made


def rated(use: Use) -> int:
    tokens = use.sent["tokens"]
    return cost(
        Usage(
            tokens["prompt"],
            tokens["completion"],
            tokens.get("cachedPrompt"),
            tokens.get("cacheWrite"),
            tokens.get("reasoning"),
            use.sent.get("quantities"),
            succeeded=use.facets["status"] == "success",
        ),
        SHEET,
    )


def difference(uses: list[Use]) -> dict[str, Any]:
    paid, other = sum(use.sums["cost_nanos"] for use in uses), sum(map(rated, uses))
    sign = "-" if other < paid else ""
    return {
        "records": len(uses),
        "cost": money(paid),
        "otherCost": money(other),
        "difference": f"{sign}{money(abs(other - paid))}",
        "ratio": quotient(other, paid, 6),
    }


@pytest.mark.parametrize(
    ("query", "facets"),
    [
        ({}, {}),
        ({"ofModel": "gpt-4o"}, {"model": "gpt-4o"}),
        ({"ofProvider": "azure", "ofCapability": "chat"}, {"provider": "azure", "capability": "chat"}),
        ({"ofType": "x", "ofEndpoint": "/v1/chat"}, {"type": "x", "endpoint": "/v1/chat"}),
    ],
)
@pytest.mark.parametrize("span", ["1h", "7d", "1y"])
def test_every_record_is_rated_by_itself(
    world: World, other: int, query: dict[str, str], facets: dict[str, str | int | None], span: str
) -> None:
    start, end = NOW - SPANS[span], NOW + timedelta(minutes=5)
    asked = {"model": "other-1", "provider": "house", "from": moment(start), "to": moment(end), **query}
    found = world.ask("/costs/compare", asked)
    uses = [use for use in within(world.uses, start, end, facets) if "tokens" in use.sent]
    priced = [use for use in uses if "cost" in use.sent]
    open_ones = [use for use in uses if "cost" not in use.sent]
    groups: dict[tuple[Any, Any], list[Use]] = defaultdict(list)
    for use in priced:
        groups[use.facets["model"], use.facets["provider"]].append(use)
    rows = found.pop("byModel")
    costs = [float(row["cost"]) for row in rows]
    assert costs == sorted(costs, reverse=True)
    assert {(row["model"], row["provider"]): row for row in rows} == {
        (model, provider): {"model": model, "provider": provider, **difference(each)}
        for (model, provider), each in groups.items()
    }
    assert found == {
        "period": {"from": moment(start), "to": moment(end)},
        "currency": "USD",
        "other": {"model": "other-1", "provider": "house", "serviceTier": "standard", "priceId": other},
        **difference(priced),
        "unpriced": {"records": len(open_ones), "otherCost": money(sum(map(rated, open_ones)))},
        "historyFrom": moment(world.history_from),
    }


def test_only_one_credential_is_compared_when_it_is_named(world: World, other: int) -> None:
    client = world.keys[1].client_id
    start, end = NOW - SPANS["90d"], NOW
    asked = {
        "model": "other-1",
        "provider": "house",
        "from": moment(start),
        "to": moment(end),
        "clientId": client,
    }
    uses = [
        use
        for use in within(world.uses, start, end, {"clientId": client})
        if "tokens" in use.sent and "cost" in use.sent
    ]
    found = world.ask("/costs/compare", asked)
    assert {name: found[name] for name in difference(uses)} == difference(uses)


@pytest.mark.django_db
@pytest.mark.usefixtures("stopped_clock")
def test_a_model_without_a_price_and_a_missing_name_are_refused(acme: Tenant) -> None:
    for query, detail in (
        ({}, "The parameter model is required."),
        ({"model": "nothing-9"}, "There is no price for 'nothing-9' now"),
    ):
        answer = acme.api.call("GET", "/costs/compare", query=query)
        assert (answer.status, answer.errors[0]["pointer"]) == (400, "/model")
        assert answer.body["detail"].startswith(detail)


@pytest.mark.django_db
@pytest.mark.usefixtures("stopped_clock")
def test_the_price_is_the_one_of_now_in_the_tier_asked_for(acme: Tenant) -> None:
    acme.api.keep(
        record("a", timestamp=at(STOPPED - timedelta(days=3)), tokens={"prompt": 100}, cost="0.000000050")
    )
    price(provider="", model="other-1", prompt=1)
    price(provider="", model="other-1", prompt=3, effective_from=STOPPED)
    price(provider="", model="other-1", prompt=2, tier="batch")
    book.forget()
    found = {
        tier: acme.api.get("/costs/compare", model="other-1", serviceTier=tier).body
        for tier in ("standard", "batch")
    }
    assert found["standard"]["otherCost"] == "0.000000300"
    assert (found["batch"]["otherCost"], found["batch"]["difference"]) == ("0.000000200", "0.000000150")
    assert (found["batch"]["ratio"], found["batch"]["records"]) == (4.0, 1)


@pytest.mark.django_db
def test_a_window_with_too_many_records_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    acme = make_tenant("Acme")
    price(provider="", model="other-1")
    monkeypatch.setattr(api, "MAX_RECORDS", 1)
    acme.api.keep(record("a"))
    assert acme.api.get("/costs/compare", model="other-1").status == 200
    acme.api.keep(record("b"))
    answer = acme.api.get("/costs/compare", model="other-1")
    assert (answer.status, answer.body["code"]) == (400, "too_many_rows")
