"""Records, the costs API, invoices and the FOCUS file say the same, to the nano, of the same use."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import time_machine

from billing import book
from billing.book.services import add_discount
from billing.invoices import services
from billing.models import Invoice
from billing.rating import Rate
from billing.repricing import reprice
from core.money import parse_money
from core.periods import Period
from organizations.tenancy import tenant_scope
from tests.billing.focus.reading import focus
from tests.billing.invoices.months_of_use import read
from tests.billing.pricing import price
from tests.usage.factories import Tenant, at, make_tenant, record
from usage.rollups.fold import fold_pending

pytestmark = pytest.mark.django_db

Costs = Counter[tuple[str, str]]
"""Nanos by month and model."""

BEGIN = datetime(2026, 5, 1, tzinfo=UTC)
MODELS = ("tiered", "cached", "own", "odd", "unpriced", None)
MONTHS = ("2026-05", "2026-06", "2026-07")
# Berlin is two hours ahead all through these months.
EDGES = [datetime(2026, month, 1, tzinfo=UTC) - timedelta(hours=2) for month in (5, 6, 7, 8)]


@pytest.fixture(autouse=True)
def _files(tmp_path: Path, settings: Any) -> None:
    settings.EXPORT_DIR = tmp_path
    settings.EXPORT_WORK_DIR = tmp_path / "unfinished"
    storage = settings.STORAGES["exports"]
    options = {**storage["OPTIONS"], "location": tmp_path}
    settings.STORAGES = {**settings.STORAGES, "exports": {**storage, "OPTIONS": options}}


def prices(tenant: Tenant) -> None:
    """Put prices into the book: with thresholds, caches, odd units, the tenant's own, and two versions."""
    terms: dict[str, Any] = {"provider": "us", "currency": "EUR"}
    price(
        **terms,
        model="tiered",
        rates=(
            Rate("prompt", 1_250_000_000, 10**6),
            Rate("prompt", 2_500_000_000, 10**6, above=500),
            Rate("cachedPrompt", 310_000_000, 10**6),
            Rate("cachedPrompt", 625_000_001, 10**6, above=500),
            Rate("completion", 10_000_000_000, 10**6),
            Rate("completion", 15_000_000_000, 10**6, above=500),
        ),
    )
    for moment, amount in ((None, 3), (EDGES[1] + timedelta(days=11, hours=5), 7)):
        versions: dict[str, Any] = {} if moment is None else {"effective_from": moment}
        price(
            **terms,
            **versions,
            model="cached",
            rates=(
                Rate("prompt", amount * 10**9, 10**6),
                Rate("cacheWrite", amount * 1_250_000_007, 10**6),
                Rate("cacheWrite1h", amount * 2 * 10**9, 10**6),
                Rate("completion", 15 * 10**9, 10**6),
                Rate("reasoning", 16 * 10**9 + 1, 10**6),
                Rate("requests", 33, 1),
            ),
        )
    price(**terms, model="own", rates=(Rate("prompt", 999, 7), Rate("pages", 10**7, 3)))
    price(tenant.id, **terms, model="own", rates=(Rate("prompt", 333, 7), Rate("pages", 10**7, 9)))
    price(**terms, model="odd", rates=(Rate("seconds", 123_456_789, 60), Rate("completion", 1, 3)))
    book.forget()


def use(dice: random.Random, name: str, earliest: datetime, latest: datetime) -> dict[str, Any]:
    """Return a record of anything."""
    prompt, completion = dice.randrange(1, 1000), dice.randrange(200)
    cached, written = dice.randrange(prompt // 2 + 1), dice.randrange(prompt // 2 + 1)
    model = dice.choice(MODELS)
    fields: dict[str, Any] = {
        "timestamp": at(earliest + (latest - earliest) * dice.random()),
        "status": dice.choice(["success", "success", "error"]),
        "tokens": {
            "prompt": prompt,
            "completion": completion,
            "cachedPrompt": cached,
            "cacheWrite": written,
            "reasoning": dice.randrange(completion + 1),
        },
        "quantities": {
            "seconds": str(Decimal(dice.randrange(1, 10**6)) / 1000),
            "pages": dice.randrange(5),
            "cacheWrite1hTokens": dice.randrange(written + 1),
        },
    }
    if model is not None:
        fields |= {"model": model, "provider": "us"}
    if model is None or dice.random() < 0.1:
        fields["cost"] = f"0.{dice.randrange(10**9):09d}"
    return record(name, **fields)


def send(tenant: Tenant, dice: random.Random, name: str, number: int, until: datetime) -> None:
    keys = [tenant, tenant.another_credential(f"Key {name}")]
    for place in range(number):
        keys[place % 2].api.keep(use(dice, f"{name}-{place}", EDGES[0], until))
        if place % 40 == 7:
            fold_pending()


def of_records(tenant: Tenant) -> Costs:
    """Add up the records as the API lists them."""
    found: Costs = Counter()
    cursor: dict[str, str] = {}
    while True:
        page = tenant.api.get("/records", take=1000, **cursor).body
        for item in page["items"]:
            if item["cost"] is not None:
                local = datetime.fromisoformat(item["timestamp"]) + timedelta(hours=2)
                found[f"{local:%Y-%m}", item["model"] or ""] += parse_money(item["cost"])
        if page["cursor"] is None:
            return found
        cursor = {"cursor": page["cursor"]}


def of_costs(tenant: Tenant) -> Costs:
    """Read the costs API, a month at a time."""
    found: Costs = Counter()
    for month, start, end in zip(MONTHS, EDGES, EDGES[1:], strict=False):
        body = tenant.api.get("/costs", from_=at(start), to=at(end)).body
        for row in body["byModel"]:
            found[month, row["model"] or ""] += parse_money(row["cost"])
        assert sum(parse_money(day["cost"]) for day in body["daily"]) == parse_money(body["cost"])
        assert sum(found[month, model] for model in _models(found)) == parse_money(body["cost"])
    return found


def of_file(tenant: Tenant) -> Costs:
    """Add up the FOCUS file."""
    found: Costs = Counter()
    for row in focus(tenant)[1]:
        start = datetime.fromisoformat(row["BillingPeriodStart"]) + timedelta(hours=2)
        model = "" if row["ServiceName"] == "Unnamed model" else row["ServiceName"]
        found[f"{start:%Y-%m}", model] += parse_money(row["BilledCost"])
    return found


def of_invoices(tenant: Tenant) -> Costs:
    """Add up the lines of everything that was issued, credit notes and what was made up for included."""
    found: Costs = Counter()
    with tenant_scope(tenant.id):
        numbers = list(Invoice.objects.filter(state="issued").values_list("number", flat=True))
    for number in numbers:
        document = read(tenant, str(number))
        assert document.invoice.lines_nanos == sum(line.cost_nanos for line in document.lines)
        for line in document.lines:
            start = line.period_start + timedelta(hours=2)
            found[f"{start:%Y-%m}", line.model] += line.cost_nanos
    return found


def _models(costs: Iterable[tuple[str, str]]) -> set[str]:
    return {model for _, model in costs}


def some(costs: Costs) -> Costs:
    """Leave out what costs nothing."""
    return Counter({key: nanos for key, nanos in costs.items() if nanos})


@pytest.mark.parametrize("seed", range(3))
def test_records_costs_invoices_and_the_focus_file_agree_to_the_nano(seed: int) -> None:
    dice = random.Random(seed)
    with time_machine.travel(BEGIN, tick=False) as clock:
        acme = make_tenant("Acme", timezone="Europe/Berlin", currency="EUR")
        prices(acme)
        add_discount(organization_id=acme.id, basis_points=875, effective_from=EDGES[0] + timedelta(days=20))
        add_discount(organization_id=acme.id, basis_points=1, model="odd")
        clock.move_to(EDGES[1])
        send(acme, dice, "may", 60, EDGES[1])
        bill(EDGES[1], clock)
        clock.move_to(EDGES[2])
        send(acme, dice, "june", 60, EDGES[2])
        price(provider="us", model="unpriced", currency="EUR", rates=(Rate("prompt", 12_345, 11),))
        book.forget()
        reprice(acme.organization, Period(EDGES[0], EDGES[3]))
        first = the_first(acme)
        services.credit(organization_id=acme.id, invoice_id=first.pk, reason="To be made again.")
        services.redraft(organization_id=acme.id, invoice_id=first.pk)
        bill(EDGES[2], clock)
        clock.move_to(EDGES[3])
        send(acme, dice, "july", 60, EDGES[3])
        bill(EDGES[3], clock)
        records = some(of_records(acme))
        assert len(records) == len(MODELS) * len(MONTHS)
        assert some(of_costs(acme)) == records
        assert some(of_file(acme)) == records
        assert some(of_invoices(acme)) == records


def bill(ended: datetime, clock: time_machine.Traveller) -> None:
    """Draft at the month's end, and issue when the grace is over."""
    clock.move_to(ended)
    services.draft_due(ended)
    clock.move_to(ended + timedelta(days=3))
    assert services.issue_due(ended + timedelta(days=3)) > 0


def the_first(tenant: Tenant) -> Invoice:
    with tenant_scope(tenant.id):
        return Invoice.objects.get(sequence=1)
