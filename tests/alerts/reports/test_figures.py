"""What a report says is what the API answers for the same windows."""

from __future__ import annotations

from typing import Any

import pytest
import time_machine

from alerts.reports.writing import write_due
from core.money import parse_money
from tests.alerts.reports.reporting import MONDAY, make_report, use
from tests.alerts.telling import deliveries
from tests.billing.spending import limit_to
from tests.usage.factories import Tenant, make_tenant
from usage import partitions

pytestmark = pytest.mark.django_db


@pytest.fixture
def monday() -> Any:
    """A clock that stands at eight on a Monday in Berlin."""
    with time_machine.travel(MONDAY, tick=False) as clock:
        yield clock


@pytest.fixture
def acme(db: None, monday: time_machine.Traveller) -> Tenant:
    partitions.forget()
    return make_tenant("Acme", timezone="Europe/Berlin", currency="EUR")


def told(tenant: Tenant) -> dict[str, Any]:
    (delivery,) = deliveries(tenant, notice="report")
    data: dict[str, Any] = delivery.payload["data"]
    return data


def report_of(tenant: Tenant, clock: time_machine.Traveller, cadence: str = "weekly") -> dict[str, Any]:
    """Return what is told at the first moment at which it can be."""
    clock.move_to(MONDAY.replace(day=1, hour=0) if cadence == "weekly" else MONDAY.replace(month=6, day=2))
    make_report(tenant, cadence=cadence)
    clock.move_to(MONDAY if cadence == "weekly" else MONDAY.replace(day=1))
    assert write_due() == 1
    return told(tenant)


@pytest.mark.parametrize("cadence", ["weekly", "monthly"])
def test_every_figure_is_the_apis_for_the_same_window(
    cadence: str, acme: Tenant, monday: time_machine.Traveller
) -> None:
    use(acme, 60, other=acme.another_credential("Batch"))
    limit_to(acme, 100)
    data = report_of(acme, monday, cadence)
    days = {
        "weekly": ("2026-07-05T22:00:00Z", "2026-07-12T22:00:00Z"),
        "monthly": ("2026-05-31T22:00:00Z", "2026-06-30T22:00:00Z"),
    }
    assert (data["period"]["from"], data["period"]["to"]) == days[cadence]
    for side, window in (("value", data["period"]), ("before", data["comparedWith"])):
        query = {"from_": window["from"], "to": window["to"]}
        usage = acme.api.get("/usage", **query).body
        costs = acme.api.get("/costs", **query).body
        expected = {
            "requests": usage["requests"]["total"],
            "errors": usage["requests"]["failed"],
            "tokens": usage["tokens"]["total"],
            "cost": usage["cost"],
            "activeKeys": sum(1 for one in costs["byCredential"] if one["requests"]),
            "errorRate": round(usage["requests"]["failed"] / usage["requests"]["total"], 6),
        }
        assert expected["requests"] > 10
        assert {name: figure[side] for name, figure in data["figures"].items()} == expected
        listed = data["daily"] if side == "value" else data["dailyBefore"]
        assert [(one["date"], one["cost"], one["requests"], one["tokens"]) for one in listed] == [
            (one["date"], one["cost"], one["requests"], one["tokens"]) for one in costs["daily"]
        ]
        for kind, naming, listing in (
            ("keys", "clientId", costs["byCredential"]),
            ("models", "model", costs["byModel"]),
            ("capabilities", "capability", costs["byCapability"]),
        ):
            known = {one[naming]: one["cost"] for one in listing}
            for mover in (*data["movers"][kind]["up"], *data["movers"][kind]["down"]):
                assert mover[side] == known.get(mover[naming], "0.000000000")
    forecast = acme.api.get(
        "/usage/forecast",
        metrics="cost,requests",
        from_=data["period"]["to"],
        to=data["forecast"][0]["period"]["to"],
    ).body["forecasts"]
    assert [(one["metric"], one["method"], one["period"]) for one in data["forecast"]] == [
        (one["metric"], one["method"], one["period"]) for one in forecast
    ]
    assert data["forecast"][0]["period"]["expected"] is not None
    assert data["spendLimit"] == acme.api.get("/spend-limit").body


def test_changes_are_shares_of_what_was_before(acme: Tenant, monday: time_machine.Traveller) -> None:
    use(acme, 14)
    figures = report_of(acme, monday)["figures"]
    assert figures["requests"] == {"value": 21, "before": 14, "change": 0.5}
    assert figures["errors"] == {"value": 4, "before": 0, "change": None}
    assert figures["cost"] == {"value": "10.500000084", "before": "7.000000154", "change": 0.5}


def test_what_moved_the_most_comes_first_and_says_which_way(
    acme: Tenant, monday: time_machine.Traveller
) -> None:
    use(acme, 14, other=acme.another_credential("Batch"))
    movers = report_of(acme, monday)["movers"]
    assert movers["by"] == "cost"
    assert [(one["name"], one["difference"]) for one in movers["keys"]["up"]] == [
        ("Batch", "7.000000000"),
        ("First key", "3.499999930"),
    ]
    assert [(one["model"], one["provider"]) for one in movers["models"]["up"]] == [("gpt-4o", "openai")]
    assert [one["model"] for one in movers["models"]["down"]] == ["claude-sonnet-4"]
    assert parse_money(movers["models"]["down"][0]["difference"]) < 0


def test_use_without_a_price_is_told_and_is_in_no_sum(acme: Tenant, monday: time_machine.Traveller) -> None:
    from tests.alerts.reports.reporting import DAY, MIDNIGHT
    from tests.usage.factories import at, record

    acme.api.keep(
        record("odd", timestamp=at(MIDNIGHT - DAY), model="nobody-knows", provider="x", tokens={"prompt": 5})
    )
    data = report_of(acme, monday)
    assert data["unpriced"] == {
        "records": 1,
        "models": [{"model": "nobody-knows", "provider": "x", "records": 1}],
    }
    assert data["figures"]["cost"]["value"] == "0.000000000"
    assert data["movers"]["by"] == "requests"


def test_where_the_history_begins_later_there_is_no_comparison(
    monday: time_machine.Traveller, db: None
) -> None:
    partitions.forget()
    acme = make_tenant("Acme", plan="free", timezone="Europe/Berlin")
    days = acme.caller().plan.history_days
    assert days is not None
    assert days < 60
    data = report_of(acme, monday, "monthly")
    assert (data["comparedWith"], data["dailyBefore"]) == (None, [])
    assert data["figures"]["requests"] == {"value": 0, "before": None, "change": None}
    usage = acme.api.get("/usage", from_="2026-05-31T22:00:00Z", to="2026-06-30T22:00:00Z").body
    assert data["period"] == usage["period"]
