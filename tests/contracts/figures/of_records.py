"""The figures of keys and of records."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final
from urllib.parse import parse_qs

from portal import numbers
from tests.contracts.figures import charts
from tests.contracts.figures.asking import Api, called
from tests.contracts.figures.claims import COUNT, MILLISECONDS, MONEY, PERCENT, Claims, Is, Tells, nanos
from tests.contracts.figures.reading import Page

_LENGTHS: Final = {"24h": ("24",), "7d": ("7",), "30d": ("30",), "90d": ("90",), "all": ()}
_LATENCIES: Final = ("average", "p50", "p95", "p99")


def keys(page: Page, api: Api, chosen: Mapping[str, str]) -> Claims:
    """Claim the page of all keys, by the answer for its timeframe."""
    claims, answer = Claims(), api.of(page, "keys")
    lacks = _unpriced(api, answer, "clientId")
    claims.rows("keys", ((one["keyId"], _key(one, lacks[one["keyId"]])) for one in answer["usage"]["keys"]))
    claims.tells("keys caption", *_LENGTHS[chosen["timeframe"]])
    _advice(claims, answer)
    return claims


def _unpriced(api: Api, answer: Mapping[str, Any], by: str, **chosen: str) -> Counter[str]:
    """Return how many requests of the timeframe have no price."""
    rows = api.rows({**_window(answer), **chosen}, ("unpriced",), by=by)
    return Counter({called(one[by]): one["unpriced"] for one in rows})


def _window(answer: Mapping[str, Any]) -> dict[str, str]:
    return {name: answer["period"][name] for name in ("from", "to")}


def _cost(amount: str, lacks: int) -> dict[str, Is | Tells]:
    """Claim a cost, which says how many requests it lacks; one that lacks all is not shown."""
    is_unknown = lacks and not Decimal(amount)
    note = {"Cost, EUR note": Tells((f"{lacks:,}",))} if lacks else {}
    return {"Cost, EUR": Is(MONEY, None if is_unknown else amount), **note}


def _key(key: Mapping[str, Any], lacks: int) -> dict[str, Is | Tells]:
    return {
        "Requests": Is(COUNT, key["requests"]),
        "Error rate": Is(PERCENT, key["errorRate"]),
        "Average latency": Is(MILLISECONDS, key["latency"]["average"]),
        "p95": Is(MILLISECONDS, key["latency"]["p95"]),
        "Peak RPM": Is(COUNT, key["peakRpm"]),
        **_cost(key["cost"], lacks),
    }


def _advice(claims: Claims, answer: Mapping[str, Any]) -> None:
    for number, one in enumerate(answer["alerts"], start=1):
        place = "live p" if number == 1 else f"live p {number}"
        claims.sentence(place, f"{one['message']} {one['recommendation']}")


def key(page: Page, api: Api, chosen: Mapping[str, str]) -> Claims:
    """Claim the page of one key."""
    claims, answer = Claims(), api.of(page, "key")
    use, [limit] = answer["usage"], answer["rateLimits"]
    mine = {"clientId": api.world.tenant.client_id}
    lacks = _unpriced(api, answer, "clientId", **mine).total()
    if lacks:
        claims.tells("card cost note", f"{lacks:,}")
    for name, kind, value in (
        ("requests", COUNT, use["requests"]),
        ("errors", COUNT, use["errors"]),
        ("error-rate", PERCENT, use["errorRate"]),
        ("tokens", COUNT, use["tokens"]),
        ("cost", MONEY, _cost(use["cost"], lacks)["Cost, EUR"].value),
        *((f"latency-{name}", MILLISECONDS, use["latency"][name]) for name in _LATENCIES),
    ):
        claims.card(name, kind, value)
    points = answer["timeSeries"]
    granularity = parse_qs(page.api("key").partition("?")[2])["granularity"][0]
    buckets = api.rows({**_window(answer), **mine}, ("unpriced",), granularity) if points else []
    then = {one["timestamp"]: one["unpriced"] for one in buckets}
    claims.rows(
        "over-time-table",
        ((one["timestamp"], _point(one, then[one["timestamp"]])) for one in reversed(points)),
    )
    if points:
        failed = [point["errors"] for point in points]
        good = [point["requests"] - point["errors"] for point in points]
        charts.series(claims, "over-time", [good, failed], "requests", "")
        claims.tells("over-time drawn", numbers.exact(use["requests"]), numbers.exact(use["errors"]))
    at = _unpriced(api, answer, "endpoint", **mine)
    claims.rows(
        "endpoints",
        (
            (called(one["endpoint"]), _endpoint(one, at[called(one["endpoint"])]))
            for one in answer["endpoints"]
        ),
    )
    for table, found in (("codes", "byStatusCode"), ("kinds", "byType")):
        counts = answer["errors"][found]
        claims.rows(table, ((name, {"Errors": Is(COUNT, count)}) for name, count in counts.items()))
    most = f"{limit['limit']:,}"
    claims.tells("limit p", limit["used"], most)
    claims.tells("limit-used progress", limit["used"], title=[limit["limit"]])
    claims.tells("limit / Peak toward the limit", f"{limit['peakPerMinute']:,}")
    busiest = use["keys"][0]["peakRpm"]
    claims.tells("limit / Peak RPM", *([] if busiest is None else [numbers.exact(busiest)]))
    hint = api.get(f"/keys/{api.world.tenant.client_id}")["keyHint"]
    claims.says("about / Secret", f"ends in {hint}")
    _advice(claims, answer)
    return claims


def _point(point: Mapping[str, Any], lacks: int) -> dict[str, Is | Tells]:
    return {
        "Requests": Is(COUNT, point["requests"]),
        "Errors": Is(COUNT, point["errors"]),
        "Tokens": Is(COUNT, point["tokens"]),
        **_cost(point["cost"], lacks),
        "Average latency": Is(MILLISECONDS, point["averageLatencyMs"]),
    }


def _endpoint(one: Mapping[str, Any], lacks: int) -> dict[str, Is | Tells]:
    latencies = zip(("Average", "p50", "p95", "p99"), _LATENCIES, strict=True)
    return {
        "Requests": Is(COUNT, one["requests"]),
        "Error rate": Is(PERCENT, one["errorRate"]),
        **{label: Is(MILLISECONDS, one[f"{name}LatencyMs"]) for label, name in latencies},
        **_cost(one["cost"], lacks),
    }


def logs(page: Page, api: Api, chosen: Mapping[str, str]) -> Claims:
    """Claim a page of records: each in its order, with its own figures."""
    claims, items = Claims(), api.of(page, "records")["items"]
    claims.rows("records", ((item["timestamp"], _item(item)) for item in items))
    return claims


def _item(item: Mapping[str, Any]) -> dict[str, Is | Tells]:
    status = () if item["statusCode"] is None else (item["statusCode"],)
    return {
        "Status": Tells(tuple(map(str, status))),
        "Tokens": Is(COUNT, (item["tokens"] or {}).get("total")),
        "Latency": Is(MILLISECONDS, item["latencyMs"]),
        "Cost, EUR": Is(MONEY, item["cost"]),
    }


_TOKENS: Final = {
    "prompt": "Prompt tokens",
    "completion": "Completion tokens",
    "total": "Total tokens",
    "cachedPrompt": "Cached prompt tokens",
    "cacheWrite": "Cache write tokens",
    "reasoning": "Reasoning tokens",
}


def record(page: Page, api: Api, chosen: Mapping[str, str]) -> Claims:
    """Claim the page of one record, with how its cost came about."""
    claims, item = Claims(), api.of(page, "record")
    claims.says("page h1", f"Record {item['id']}")
    claims.says("raw p", f"/api/v1/records/{item['id']}")
    claims.tells("happened / Status code", *[item["statusCode"]])
    claims.says("happened / Endpoint", item["endpoint"])
    claims.is_("happened / Latency", MILLISECONDS, item["latencyMs"])
    claims.is_("took / Count", COUNT, item["count"])
    for name, label in _TOKENS.items():
        claims.is_(f"took / {label}", COUNT, item["tokens"][name])
    for meter, amount in item["quantities"].items():
        claims.is_(f"took / {meter}", COUNT, amount)
    claims.is_("cost / Cost", MONEY, item["cost"])
    why = api.of(page, "record-cost")
    if why["price"] is not None:
        claims.tells("cost / Version", why["price"]["id"])
    claims.rows("cost-lines", ((one["meter"], _line(one)) for one in why["lines"]))
    return claims


def _line(one: Mapping[str, Any]) -> dict[str, Is | Tells]:
    rate = charts.exact("cost", Decimal(one["amount"]) * 1_000_000 / one["per"])
    return {
        "Quantity": Is(COUNT, one["quantity"]),
        "Rate, EUR": Tells((rate, "1,000,000")),
        "Cost, EUR": Is(MONEY, one["cost"]),
    }


def what_if(page: Page, api: Api, chosen: Mapping[str, str]) -> Claims:
    """Claim the comparison with another model."""
    claims = Claims()
    [address] = [node.get("href") for node in page.root.nodes() if "/costs/compare" in node.get("href")]
    answer = api.get(address)
    [other] = chosen["others"].split(",")
    paid, would = (Decimal(answer[name]) for name in ("cost", "otherCost"))
    moved = would - paid
    said = [numbers.short_money(nanos(abs(moved)))] if answer["records"] else []
    claims.tells("what-if-title h2", *said)
    claims.tells("what-if caption", numbers.exact(answer["records"]))
    unpriced = answer["unpriced"]["records"]
    claims.tells("what-if p", *([numbers.exact(unpriced)] if unpriced > 1 else []))
    claims.rows(
        "what-if",
        [
            ("Actual", {"Cost, EUR": Is(MONEY, paid), "Ratio": Is(COUNT, 1)}),
            (
                other,
                {
                    "Cost, EUR": Is(MONEY, would),
                    "Difference": Is(MONEY, moved),
                    "Ratio": Is(COUNT, round(would / paid, 6) if paid else None),
                },
            ),
        ],
    )
    model = other.partition("/")[2]
    claims.rows(
        "what-if-models",
        (
            (
                called(one["model"]),
                {
                    "Requests": Is(COUNT, one["records"]),
                    "Cost, EUR": Is(MONEY, one["cost"]),
                    f"On {model}": Is(MONEY, one["otherCost"]),
                },
            )
            for one in answer["byModel"]
        ),
    )
    return claims
