"""Every figure of every page is the API's for the same filter; one that nothing claims fails."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import pytest
import time_machine
from django.http import HttpResponse

from portal import pages, registry
from tests.contracts.figures import (
    of_billing,
    of_costs,
    of_limits,
    of_models,
    of_others,
    of_overview,
    of_records,
    of_use,
)
from tests.contracts.figures.asking import Api
from tests.contracts.figures.claims import MONEY, Claims, Is, faults
from tests.contracts.figures.reading import Page
from tests.contracts.figures.world import World, build
from tests.usage.factories import NOW
from usage import partitions

pytestmark = pytest.mark.django_db

assert pages.__all__

Query = Mapping[str, str]
Claiming = Callable[[Page, Api, Query], Claims]

FILTERS: Final[tuple[dict[str, str], ...]] = (
    {},
    {"range": "7d", "clientId": "the first"},
    {"range": "day"},
    {"range": "month", "capability": "chat"},
    {"range": "90d", "model": "gpt-4o"},
    {"range": "custom", "from": "2026-06-01", "to": "2026-06-30"},
    {"range": "7d", "model": "o3-unpriced"},
)
VIEWS: Final = ("requests", "tokens", "cost")
USE: Final = (*VIEWS, "errors", "latency", "quota", "credits")
HOUR: Final = {"weekday": "fri", "hour": "14", "view": "latency"}


def filtered(*more: dict[str, str]) -> list[dict[str, str]]:
    """Return every filter, and every way of looking at it in turn."""
    ways = more or ({},)
    return [{**chosen, **ways[place % len(ways)]} for place, chosen in enumerate(FILTERS)] + [*ways[1:]]


WALK: Final[dict[str, tuple[str, Claiming, list[dict[str, str]]]]] = {
    "overview": ("/", of_overview.overview, [{"measure": view} for view in VIEWS]),
    "usage": ("/usage/", of_use.usage, filtered(*({"view": view} for view in USE), HOUR)),
    "models": ("/models/", of_models.models, filtered(*({"view": view} for view in VIEWS))),
    "what-if": ("/models/what-if/", of_records.what_if, filtered({"others": "openai/gpt-4o-mini"})),
    "keys": ("/keys/", of_records.keys, [{"timeframe": one} for one in ("24h", "7d", "30d", "90d", "all")]),
    "key": ("/keys/{key}/", of_records.key, [{"timeframe": one} for one in ("24h", "30d", "1y")]),
    "logs": ("/logs/", of_records.logs, filtered({}, {"status": "error"}, {"order": "asc"})),
    "record": ("/logs/{record}/", of_records.record, [{"record": one} for one in ("a-5", "a-6", "a-17")]),
    "costs": ("/costs/", of_costs.costs, filtered({}, {"by": "capability"}, {"by": "clientId"})),
    "costs-forecast": ("/costs/forecast/", of_costs.forecast, [{}, {"clientId": "the first"}]),
    "costs-repricing": ("/costs/repricing/", of_costs.repricing, [{}]),
    "limits": ("/limits/", of_limits.limits, [{}]),
    "limit-history": ("/limits/history/", of_limits.history, [{}, {"order": "asc"}]),
    "limit-trial": ("/limits/trial/", of_limits.trial, [{"limit": "0.5"}, {"limit": "3"}]),
    "billing": ("/billing/", of_billing.billing, [{}]),
    "credits": ("/credits/", of_billing.allowances, [{}, {"transactions": "asc"}]),
    "invoices": ("/invoices/", of_billing.invoices, [{}]),
    "invoice": ("/invoices/{invoice}/", of_billing.invoice, [{}]),
    "prices": ("/prices/", of_billing.prices, [{}, {"search": "gpt"}]),
    "alerts": ("/alerts/", of_others.events, [{}]),
    "alert": ("/alerts/events/{event}/", of_others.event, [{}]),
    "rules": ("/alerts/rules/", of_others.rules, [{}]),
    "rule": ("/alerts/rules/{rule}/", of_others.rule, [{}]),
    "deliveries": ("/alerts/deliveries/", of_others.deliveries, [{}]),
    "exports": ("/exports/", of_others.exports, [{}]),
    "organizations": ("/organizations/", of_others.organizations, [{}]),
}
"""Each page with figures: where it is, what claims them, and what is asked of it."""

WITHOUT: Final = frozenset(
    {
        "audit",
        "channel",
        "channel-new",
        "channels",
        "delivery",
        "import",
        "imports",
        "key-new",
        "limit-set",
        "members",
        "reference",
        "report",
        "report-new",
        "rule-new",
        "settings",
        "webhooks",
    }
)
"""Pages to fill in, to read a secret, to look something up or to follow work: none tells use or money."""


@pytest.fixture(autouse=True)
def _quiet(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    partitions.forget()
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    monkeypatch.setattr("alerts.deliveries.writing.tell", lambda *args, **options: True)
    # On another connection, which sees nothing of a test that is one transaction.
    monkeypatch.setattr("billing.repricings.run.EVERY_SECONDS", 3600.0)
    monkeypatch.setattr("billing.repricings.sweep.enqueue", lambda repricing_id: True)


@pytest.fixture(params=["Asia/Kolkata", "America/New_York"])
def world(db: None, request: pytest.FixtureRequest) -> Iterator[World]:
    """An organization far from UTC, on either side."""
    with time_machine.travel(NOW, tick=False):
        yield build(request.param)


def test_every_page_is_walked_or_has_no_figures() -> None:
    names = {pattern.name or "" for pattern in registry.patterns()}
    read = {name for name in names if "GET" in registry.methods_of(name)}
    files = {name for name in read if name.endswith(("-file", "-refused"))}
    assert read - files == WALK.keys() | WITHOUT


def test_every_figure_is_the_apis(world: World) -> None:
    wrong = []
    for pattern, claim, queries in WALK.values():
        for query in queries:
            path, chosen = asked(world, pattern, query)
            page = Page(world.reader.get(path, chosen), world.names)
            # A page whose figures are not found would pass for one that has none.
            assert page.figures, path
            wrong += [f"{path} {chosen}: {fault}" for fault in faults(page, claim(page, Api(world), chosen))]
    assert not wrong, "\n".join(wrong)


def asked(world: World, pattern: str, query: Query) -> tuple[str, dict[str, str]]:
    """Return the address of a page in the world, and its parameters."""
    chosen = {**query} | ({"clientId": world.tenant.client_id} if "clientId" in query else {})
    record = chosen.pop("record", "")
    key = world.tenant.client_id
    path = pattern.format(key=key, invoice=world.invoice, event=world.event, rule=world.rule, record=record)
    return path, chosen


SHOWN: Final = """
<main id="content"><section aria-labelledby="sums-title">
<h2 id="sums-title">4 calls since 3 July 2026, 09:30</h2>
<table id="sums"><thead><tr><th>Model</th><th>Cost, EUR</th></tr></thead>
<tbody><tr><th>gpt-4o</th><td data-value="1.23456" title="1.23456 EUR">1.23</td></tr></tbody></table>
</section>
<script id="sums-data" type="application/json">{"datasets": {"marks": [{"value": 1.23456}]}}</script></main>
"""


def claimed() -> Claims:
    """Claim all that `SHOWN` shows."""
    claims = Claims()
    claims.tells("sums-title h2", 4)
    claims.rows("sums", [("gpt-4o", {"Cost, EUR": Is(MONEY, "1.234560000")})])
    claims.drawn["sums marks value"] = ["1.234560000"]
    return claims


def found_wrong(html: str) -> list[str]:
    """Return the places where a page is otherwise than `SHOWN`."""
    page = Page(HttpResponse(html), {"gpt-4o"})
    return [fault.partition(" is ")[0] for fault in faults(page, claimed())]


def test_a_page_as_claimed_has_no_fault() -> None:
    assert found_wrong(SHOWN) == []


@pytest.mark.parametrize(
    ("shown", "instead", "fault"),
    [
        ("4 calls", "5 calls", "sums-title h2"),
        (">1.23<", ">1.24<", "sums / gpt-4o / Cost, EUR"),
        ('data-value="1.23456"', 'data-value="1.23457"', "sums / gpt-4o / Cost, EUR"),
        ('title="1.23456 EUR"', 'title="1.23 EUR"', "sums / gpt-4o / Cost, EUR"),
        ('"value": 1.23456', '"value": 1.23', "sums marks value"),
    ],
)
def test_a_figure_that_is_otherwise_is_found(shown: str, instead: str, fault: str) -> None:
    assert found_wrong(SHOWN.replace(shown, instead)) == [fault]


@pytest.mark.parametrize(
    ("where", "more"),
    [
        ("</section>", "<p>12% more</p></section>"),
        ("</tbody>", "<tr><th>other</th><td>0.50</td></tr></tbody>"),
        ("</section>", '<svg role="img" aria-label="7% of it"><rect width="7%"/></svg></section>'),
        ("</section>", "<dl><div><dt>Left</dt><dd>3</dd></div></dl></section>"),
        ('{"value": 1.23456}', '{"value": 1.23456, "high": 2}'),
    ],
)
def test_a_figure_that_nothing_claims_is_found(where: str, more: str) -> None:
    [fault] = found_wrong(SHOWN.replace(where, more))
    assert fault.startswith("nobody claims")


def test_a_figure_that_is_not_there_is_found() -> None:
    without = SHOWN.replace(">1.23<", ">–<").replace(' data-value="1.23456" title="1.23456 EUR"', "")
    [fault] = found_wrong(without)
    assert fault.startswith("sums / gpt-4o / Cost, EUR")
