"""GET /costs against the oracle of usage, in every zone, and against the spend limits' window."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing.models import SpendLimit
from billing.outlook import CostOutlook, Estimate
from organizations.tenancy import tenant_scope
from tests.billing.spending import limit_to
from tests.usage.factories import NOW as STOPPED
from tests.usage.factories import at, make_tenant, record
from tests.usage.queries.calendars import ZONES, all_starts
from tests.usage.queries.dataset import NOW
from tests.usage.queries.oracle import Tally, Use, moment, money, quotient, tally, within
from tests.usage.queries.world import HOME, SPANS, World
from usage.queries.totals import Subject

SOON = timedelta(minutes=30)
FORESEEN = {
    "method": "runRate",
    "historyDays": 3,
    "confidence": 0.8,
    "billingPeriod": {"expected": "5.000000000", "low": "3.000000000", "high": "8.000000001"},
    "next30Days": None,
}


def foresee(subject: Subject, now: datetime, tz: ZoneInfo, since: datetime) -> CostOutlook:
    """Know the future."""
    return CostOutlook("runRate", 3, Estimate(5 * 10**9, 3 * 10**9, 8 * 10**9 + 1))


def figures(group: Tally) -> dict[str, Any]:
    return {
        "cost": money(group.sums["cost_nanos"]),
        "requests": group.sums["requests"],
        "tokens": group.sums["total_tokens"],
        "unpricedRecords": group.sums["unpriced"],
    }


def daily(uses: Sequence[Use], zone: str, start: datetime, end: datetime) -> list[dict[str, Any]]:
    """Return every day that has begun, by the clock on the wall."""
    starts, tz = all_starts(zone, "day"), ZoneInfo(zone)
    first, last = bisect_right(starts, start) - 1, bisect_right(starts, min(end, NOW + SOON))
    days = []
    for place in range(first, last):
        bounds = max(starts[place], start), min(starts[place + 1], end)
        group = tally(within(uses, *bounds))
        if starts[place] <= NOW or group.sums["requests"]:
            days.append({"date": starts[place].astimezone(tz).date().isoformat(), **figures(group)})
    return days


def causes(uses: Iterable[Use], *facets: str) -> list[dict[str, Any]]:
    """Return the figures by the values of facets, dearest first, then by value."""
    groups: dict[tuple[str, ...], Tally] = {}
    for use in uses:
        groups.setdefault(tuple(str(use.facets[name] or "") for name in facets), Tally()).add(use)
    total = sum(group.sums["cost_nanos"] for group in groups.values())
    ranked = sorted(groups.items(), key=lambda item: (-item[1].sums["cost_nanos"], item[0]))
    return [
        {
            **{name: value or None for name, value in zip(facets, key, strict=True)},
            **figures(group),
            "share": quotient(group.sums["cost_nanos"], total, 6),
        }
        for key, group in ranked
    ]


def by_client(world: World, uses: Iterable[Use]) -> list[dict[str, Any]]:
    names = {key.client_id: key.name for key in world.keys}
    return [{**cause, "name": names[cause["clientId"]]} for cause in causes(uses, "clientId")]


def unpriced(uses: Iterable[Use]) -> dict[str, Any]:
    open_ones = [cause for cause in causes(uses, "model", "provider") if cause["unpricedRecords"]]
    ranked = sorted(open_ones, key=lambda cause: -cause["unpricedRecords"])
    return {
        "records": sum(cause["unpricedRecords"] for cause in ranked),
        "models": [
            {"model": each["model"], "provider": each["provider"], "records": each["unpricedRecords"]}
            for each in ranked
        ],
    }


def spent(uses: Sequence[Use], start: datetime, end: datetime) -> str:
    return money(tally(within(uses, start, end)).sums["cost_nanos"])


def spans(zone: str) -> dict[str, tuple[datetime, datetime]]:
    """Return the named windows: seven days before the quarter-hour began, and the month by the wall."""
    quarter = NOW.replace(minute=NOW.minute // 15 * 15, second=0, microsecond=0)
    months = all_starts(zone, "month")
    place = bisect_right(months, NOW)
    return {
        "rolling7Days": (quarter - timedelta(days=7), quarter + SOON),
        "monthToDate": (months[place - 1], NOW),
        "billingPeriod": (months[place - 1], months[place]),
    }


def expected(
    world: World, zone: str, start: datetime, end: datetime, client: str | None = None
) -> dict[str, Any]:
    uses = [use for use in world.uses if client in (None, use.client)]
    inside = within(uses, start, end)
    windows = spans(zone)
    return {
        "period": {"from": moment(start), "to": moment(end)},
        "timezone": zone,
        "currency": "USD",
        "cost": spent(uses, start, end),
        "daily": daily(uses, zone, start, end),
        **{name: spent(uses, *bounds) for name, bounds in windows.items()},
        "periods": {
            name: {"from": moment(first), "to": moment(last)} for name, (first, last) in windows.items()
        },
        "byModel": causes(inside, "model", "provider"),
        "byCapability": causes(inside, "capability"),
        "unpriced": unpriced(inside),
        "forecast": FORESEEN,
        "historyFrom": moment(world.history_from),
    }


def compare(world: World, found: dict[str, Any], wanted: dict[str, Any], uses: Sequence[Use]) -> None:
    # Credentials that cost the same come in order of their making.
    clients = found.pop("byCredential")
    assert sorted(clients, key=lambda each: each["clientId"]) == sorted(
        by_client(world, uses), key=lambda each: each["clientId"]
    )
    costs = [float(each["cost"]) for each in clients]
    assert costs == sorted(costs, reverse=True)
    assert found == wanted


@pytest.mark.parametrize("zone", ZONES)
def test_the_billing_period_of_every_zone(world: World, zone: str) -> None:
    start, end = spans(zone)["billingPeriod"]
    compare(
        world,
        world.ask("/costs", {"timezone": zone}),
        expected(world, zone, start, end),
        within(world.uses, start, end),
    )


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("used_by", [None, 0, 2, 5])
def test_a_year_of_days_over_every_change_of_the_clock(world: World, zone: str, used_by: int | None) -> None:
    start, end = NOW - SPANS["1y"], NOW + timedelta(minutes=5)
    client = None if used_by is None else world.keys[used_by].client_id
    query = {"from": moment(start), "to": moment(end), "timezone": zone}
    query |= {} if client is None else {"clientId": client}
    uses = [use for use in within(world.uses, start, end) if client in (None, use.client)]
    found = world.ask("/costs", query)
    assert sum(day["requests"] for day in found["daily"]) == len(uses)
    compare(world, found, expected(world, zone, start, end, client), uses)


def test_without_a_zone_the_days_are_the_organizations(world: World) -> None:
    found = world.ask("/costs")
    assert found == world.ask("/costs", {"timezone": HOME})
    assert found["daily"][-1]["date"] == "2012-04-12"


@pytest.mark.parametrize("window", [("0", "1"), ("2030-01-01T00:00:00Z", "2999-01-01T00:00:00Z")])
def test_a_window_without_use_costs_nothing_and_has_no_shares(world: World, window: tuple[str, str]) -> None:
    found = world.ask("/costs", {"from": window[0], "to": window[1]})
    assert (found["cost"], found["byModel"], found["byCredential"]) == ("0.000000000", [], [])
    assert found["unpriced"] == {"records": 0, "models": []}
    assert found["rolling7Days"] == spent(world.uses, *spans(HOME)["rolling7Days"])
    assert found["daily"] == []


def test_everything_is_read_in_a_bounded_number_of_statements(world: World) -> None:
    """One each for the door, the scope, the credential and the names, and seven that add up."""
    with CaptureQueriesContext(
        connection,
    ) as short:
        world.ask("/costs", {"clientId": world.keys[0].client_id})
    with CaptureQueriesContext(connection) as long:
        world.ask("/costs", {"clientId": world.keys[0].client_id, "from": moment(NOW - SPANS["1y"])})
    sums = [query for query in long.captured_queries if "usage_rollup" in query["sql"]]
    assert len(sums) == 7
    assert len(short) == len(long) <= 14


@pytest.mark.django_db
def test_seven_days_are_what_a_rolling_limit_has_spent_to_the_quarter_hour(
    stopped_clock: time_machine.Traveller,
) -> None:
    acme = make_tenant("Acme", timezone="Asia/Kathmandu")
    first = datetime(2026, 7, 8, 12, 30, tzinfo=UTC)
    for place, moment_ in enumerate(
        (
            first - timedelta(microseconds=1),
            first,
            STOPPED - timedelta(days=7),
            STOPPED + timedelta(minutes=4),
        )
    ):
        acme.api.keep(record(f"r{place}", timestamp=at(moment_), cost=f"{10**place}"))
    limit_to(acme, 5000)
    with tenant_scope(acme.id):
        limit = SpendLimit.objects.get()
    found = acme.api.get("/costs").body
    assert found["rolling7Days"] == money(int(limit.spent_nanos)) == "1110.000000000"
    assert found["periods"]["rolling7Days"]["from"] == moment(limit.window_start) == moment(first)
    # A quarter of an hour later both have moved on.
    stopped_clock.shift(timedelta(minutes=15))
    assert acme.api.get("/costs").body["rolling7Days"] == "1000.000000000"


@pytest.mark.django_db
def test_what_has_no_price_is_counted_and_is_never_zero(stopped_clock: None) -> None:
    acme = make_tenant("Acme")
    acme.api.keep(
        record("free", timestamp=at(STOPPED), model="m", cost="0"),
        record("a", timestamp=at(STOPPED), model="house-model"),
        record("b", timestamp=at(STOPPED), model="house-model", provider="us"),
        record("c", timestamp=at(STOPPED), model="house-model", provider="us"),
        record("d", timestamp=at(STOPPED)),
    )
    found = acme.api.get("/costs").body
    assert (found["cost"], found["unpriced"]["records"]) == ("0.000000000", 4)
    assert found["unpriced"]["models"] == [
        {"model": "house-model", "provider": "us", "records": 2},
        {"model": None, "provider": None, "records": 1},
        {"model": "house-model", "provider": None, "records": 1},
    ]
    assert [cause["share"] for cause in found["byModel"]] == [None] * 4


@pytest.mark.django_db
@pytest.mark.parametrize("scope", ["usage:read", "billing:write"])
def test_costs_and_plan_take_the_scope_to_read_billing(scope: str) -> None:
    other = make_tenant("Acme").another_credential(scopes=[scope])
    for path in ("/costs", "/plan"):
        answer = other.api.get(path)
        assert (answer.status, answer.body["code"]) == (403, "scope_required"), answer.body


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("slug", "days", "history"),
    [("free", 30, "2026-06-15T00:00:00Z"), ("enterprise", None, "2016-07-07T00:00:00Z")],
)
def test_a_plan_says_what_the_organization_is_entitled_to(
    stopped_clock: None, slug: str, days: int | None, history: str
) -> None:
    found = make_tenant("Acme", plan=slug, currency="EUR").api.get("/plan").body
    is_large = slug == "enterprise"
    assert found == {
        "slug": slug,
        "name": slug.title(),
        "currency": "EUR",
        "timezone": "UTC",
        "billingPeriod": {"from": "2026-07-01T00:00:00Z", "to": "2026-08-01T00:00:00Z"},
        "historyDays": days,
        "historyFrom": history,
        "requestsPerMinute": 60_000 if is_large else 60,
        "apiAccess": is_large,
        "exports": is_large,
        "spendLimit": found["spendLimit"],
        "invoices": is_large,
        "overage": found["overage"],
    }
