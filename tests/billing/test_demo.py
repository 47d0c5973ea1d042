"""The demo's money, granted, limited and invoiced from its records; and what it was told of."""

from __future__ import annotations

import io
import json
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.core.management import call_command
from django.test import Client

from tests.usage.factories import NOW
from usage import partitions


@pytest.fixture
def api(db: None) -> Any:
    """What the demo's key is answered, by path."""
    partitions.forget()
    with time_machine.travel(NOW, tick=False):
        call_command("import_prices", stdout=io.StringIO())
        out = io.StringIO()
        call_command("load_demo", days=32, json=True, stdout=out, stderr=io.StringIO())
        client = Client(headers={"authorization": f"Bearer {json.loads(out.getvalue())['apiKey']}"})
        yield lambda path, **query: client.get(f"/api/v1{path}", query).json()
    partitions.forget()


def test_its_money_and_its_alerts_are_as_if_it_had_been_there(api: Any) -> None:
    check_money(api)
    check_alerts(api)


def check_money(api: Any) -> None:
    """The last week nearly reached the limit, and the months before are invoiced."""
    limit = api("/spend-limit")
    assert limit.get("state") == "open", limit
    assert Decimal("0.8") < Decimal(limit["spent"]) / Decimal(limit["limit"]) < Decimal("0.96")
    decisions = api("/spend-limit/decisions")["items"]
    kinds = [one["kind"] for one in decisions]
    assert kinds.count("limitSet") >= 4
    assert "paused" not in kinds
    assert kinds.count("warned") >= 5
    moments = {one["decidedAt"] for one in decisions}
    assert len(moments) >= 6
    assert max(moments) > "2026-07-04" > "2026-06-30" > min(moments)

    invoices = api("/invoices")["invoices"]
    assert [(one["state"], one["period"]["to"], one["issuedAt"]) for one in invoices] == [
        ("issued", "2026-06-30T22:00:00Z", "2026-07-03T04:00:00Z")
    ]
    june = api("/usage", **{"from": "2026-06-01T00:00:00Z", "to": "2026-06-30T22:00:00Z"})
    rounded = Decimal(june["cost"]).quantize(Decimal("0.01"))
    assert abs(Decimal(invoices[0]["total"]) - rounded) <= Decimal("0.01")

    credits_ = api("/credits")
    standing = {one: credits_[one] for one in ("credits", "quota")}
    for one in standing.values():
        assert 0 < Decimal(str(one["consumed"])) < Decimal(str(one["granted"]))
        assert Decimal(str(one["uncovered"])) == 0


def check_alerts(api: Any) -> None:
    """Alerts were told when they fired, and one had to be sent again."""
    events = api("/alerts/events", take="100")["items"]
    assert len({one["firedAt"] for one in events}) > 10
    rules = api("/alerts/rules", limit="100")["items"]
    assert max(one["createdAt"] for one in rules) < min(one["firedAt"] for one in events)
    assert not [one for one in events if "from 1." in one["message"]]
    assert {"critical", "warning"} == {one["severity"] for one in events}
    deliveries = api("/alerts/deliveries", take="1000")["items"]
    assert {one["state"] for one in deliveries} == {"delivered"}
    again = [one for one in deliveries if len(one["attempts"]) > 1]
    assert [[try_["status"] for try_ in one["attempts"]] for one in again] == [[503, 503, 200]]
    assert "report" in {one["notice"] for one in deliveries}
    hook = next(one for one in api("/alerts/channels")["items"] if one["kind"] == "webhook")
    assert (hook["enabled"], hook["disabledBecause"]) == (False, "byHand")
    (report,) = api("/alerts/reports")["items"]
    assert (report["name"], report["enabled"]) == ("Weekly usage", True)
