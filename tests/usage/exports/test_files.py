"""Exported files, written by a worker and read back: what is in them, and that it adds up to the totals."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.db import connections

from core.moments import parse_moment
from tests.usage.exports.support import Rows, export
from tests.usage.factories import NOW, Tenant, at, make_tenant, record
from usage.exports import stream
from usage.rollups.fold import fold_pending

pytestmark = pytest.mark.django_db(transaction=True)

MILLISECOND = timedelta(milliseconds=1)
FORMATS = ("csv", "ndjson", "parquet", "xlsx")
NIGHTMARE = "=cmd|' /C calc'!A0,\"quoted\"; ünï🙂\r\n日本語\t<r>&amp;"

FULL: dict[str, Any] = {
    "id": NIGHTMARE,
    "type": "processor.run",
    "timestamp": at(NOW - timedelta(hours=2)),
    "endpoint": "/v1/überprüfen",
    "capability": "@capability",
    "model": "-model",
    "provider": "+provider",
    "status": "error",
    "statusCode": 504,
    "errorType": "'timeout",
    "latencyMs": 812.25,
    "count": 7,
    "tokens": {"prompt": 100, "completion": 20, "cachedPrompt": 40, "cacheWrite": 10, "reasoning": 5},
    "quantities": {"pages": 3, "credits": "1.5"},
    "cost": "0.061200001",
    "botId": "bot-1",
    "reservationId": "rsv-1",
    "meta": {"team": "=search", "attempt": 2, "dry": False, "note": None},
}


@pytest.fixture(autouse=True)
def clock(stopped_clock: time_machine.Traveller) -> time_machine.Traveller:
    """Everything here happens at `NOW` unless the test moves the clock."""
    return stopped_clock


@pytest.fixture
def acme(transactional_db: None) -> Tenant:
    """An organization whose days are not those of UTC."""
    return make_tenant("Acme", timezone="Asia/Kathmandu", currency="EUR")


@pytest.fixture
def used(acme: Tenant) -> Tenant:
    """The organization with records of two credentials over three weeks, most of them folded."""
    other = acme.another_credential()
    acme.api.keep(FULL, *(_work(number) for number in range(120)))
    other.api.keep(*(_work(number) for number in range(120, 180)))
    make_tenant("Globex").api.keep(*(_work(number) for number in range(40)))
    fold_pending()
    acme.api.keep(*(_work(number) for number in range(180, 200)))
    return acme


def _work(number: int) -> dict[str, Any]:
    models = (None, "gpt-4o", "claude-sonnet-4")
    return record(
        f"call-{number}",
        timestamp=at(NOW - timedelta(hours=2.5 * number, microseconds=number)),
        model=models[number % 3],
        provider=None if number % 4 == 0 else "somebody",
        status="error" if number % 7 == 0 else "success",
        latencyMs=number / 8 if number % 5 else None,
        tokens={"prompt": number * 13, "completion": number * 7} if number % 6 else None,
        quantities={"pages": number % 9, "credits": "0.125"} if number % 2 else {},
        cost=None if number % 11 == 0 else f"0.{number:09d}",
    )


def _total(rows: Rows, name: str) -> Any:
    return sum(row[name] for row in rows if row[name] is not None)


def _window(done: dict[str, Any]) -> dict[str, str]:
    return {"from_": done["from"], "to": done["to"]}


@pytest.mark.parametrize("format_", FORMATS)
@pytest.mark.parametrize("dataset", ["records", "daily", "costs"])
@pytest.mark.parametrize("part", [False, True])
def test_a_file_adds_up_to_the_totals_of_its_window(
    used: Tenant, dataset: str, format_: str, part: bool
) -> None:
    bounds = (NOW - timedelta(days=15, minutes=7), NOW - timedelta(hours=30, seconds=11))
    window = {"from_": at(bounds[0]), "to": at(bounds[1])} if part else {}

    done, rows = export(used, dataset, format_, **window)

    totals = used.api.get("/usage", **_window(done)).body
    assert totals["requests"]["total"] == (132 if part else 201)
    requests = len(rows) if dataset == "records" else _total(rows, "requests")
    cost = _total(rows, "cost")
    assert (requests, f"{cost:.9f}") == (totals["requests"]["total"], totals["cost"])
    assert (done["sums"]["requests"], done["sums"]["cost"]) == (requests, totals["cost"])
    assert (done["rowsDone"], done["rowsTotal"]) == (len(rows), len(rows))
    if dataset != "costs":
        for column, total in {
            "promptTokens": "prompt",
            "completionTokens": "completion",
            "totalTokens": "total",
        }.items():
            assert _total(rows, column) == done["sums"][column] == totals["tokens"][total]
    if dataset != "records":
        assert _total(rows, "unpricedRecords") == totals["unpricedRecords"]
    assert {row["currency"] for row in rows} == {"EUR"}


@pytest.mark.parametrize("format_", FORMATS)
def test_a_record_is_read_back_as_the_api_has_it(used: Tenant, format_: str) -> None:
    _, rows = export(used, "records", format_)
    listed = {item["id"]: item for item in _all_records(used)}

    assert len(rows) == len(listed) == 201
    for row in rows:
        item = listed[row["id"]]
        tokens = item["tokens"] or {}
        written = {
            **{name: item[name] for name in row if name in item},
            **{f"{name}Tokens": tokens.get(name) for name in ("prompt", "completion", "total")},
            "cachedPromptTokens": tokens.get("cachedPrompt"),
            "cacheWriteTokens": tokens.get("cacheWrite"),
            "reasoningTokens": tokens.get("reasoning"),
            "cost": None if item["cost"] is None else Decimal(item["cost"]),
            "quantities": item["quantities"] or None,
            "meta": item["meta"] or None,
            "adjustedAt": None,
        }
        if format_ == "xlsx":
            for name in ("timestamp", "createdAt"):
                # A workbook's moments are numbers of days, read back to the millisecond.
                assert abs(parse_moment(row[name]) - parse_moment(written[name])) <= MILLISECOND
                written[name] = row[name]
        assert row == written


def _all_records(tenant: Tenant) -> list[dict[str, Any]]:
    answer = tenant.api.get("/records", take=1000)
    assert answer.body["cursor"] is None
    return answer.items


def test_records_are_in_order_of_their_moments_whatever_the_size_of_the_batches(
    used: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "ROWS", 7)
    done, rows = export(used, "records", "ndjson")
    assert [row["id"] for row in rows] == [item["id"] for item in reversed(_all_records(used))]
    assert done["sums"]["requests"] == 201


def test_days_are_those_of_the_organization(acme: Tenant) -> None:
    # Midnight in Kathmandu is 18:15 UTC.
    acme.api.keep(
        record("before", timestamp="2026-07-10T18:14:59.999999Z", model="m", latencyMs=10, cost="1"),
        record("after", timestamp="2026-07-10T18:15:00Z", model="m", latencyMs=20, quantities={"pages": 2}),
        record("later", timestamp="2026-07-11T18:00:00Z", model="m", status="error", latencyMs=30),
    )
    _, rows = export(acme, "daily", "ndjson")
    kept = ("date", "clientId", "model", "provider", "requests", "errors", "averageLatencyMs", "quantities")
    assert [tuple(row[name] for name in kept) for row in rows] == [
        ("2026-07-10", acme.client_id, "m", None, 1, 0, 10.0, None),
        ("2026-07-11", acme.client_id, "m", None, 2, 1, 25.0, {"pages": 2}),
    ]
    assert [(row["cost"], row["unpricedRecords"]) for row in rows] == [(Decimal(1), 0), (Decimal(0), 2)]


def test_a_window_that_cuts_days_has_only_its_part_of_them(acme: Tenant) -> None:
    acme.api.keep(*(record(f"r{hour}", timestamp=f"2026-07-11T{hour:02}:30:00Z") for hour in range(24)))
    _, rows = export(acme, "costs", "csv", from_="2026-07-11T03:00:00Z", to="2026-07-11T20:00:00Z")
    assert [(row["date"], row["requests"]) for row in rows] == [("2026-07-11", 15), ("2026-07-12", 2)]


@pytest.mark.parametrize("format_", FORMATS)
@pytest.mark.parametrize("dataset", ["records", "daily", "costs"])
def test_a_window_without_records_gives_a_file_with_columns_and_no_rows(
    used: Tenant, dataset: str, format_: str
) -> None:
    done, rows = export(used, dataset, format_, from_="2026-01-01T00:00:00Z", to="2026-01-02T00:00:00Z")
    assert rows == []
    assert (done["rowsDone"], done["sums"]["requests"], done["sums"]["cost"]) == (0, 0, "0.000000000")
    assert done["bytes"] > 0 or format_ == "ndjson"


def test_what_is_exported_is_one_moment_although_records_arrive_meanwhile(
    used: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    from usage.exports.formats import delimited

    monkeypatch.setattr(stream, "ROWS", 50)
    original = delimited.CsvWriter.write
    late = iter(range(1000, 2000))

    def write(self: delimited.CsvWriter, batch: Any) -> None:
        _from_elsewhere(used, next(late))
        original(self, batch)

    monkeypatch.setattr(delimited.CsvWriter, "write", write)
    before = used.api.get("/usage", from_="2026-06-01T00:00:00Z").body
    done, rows = export(used, "records", "csv")
    assert (len(rows), done["sums"]["requests"]) == (201, 201)
    assert f"{_total(rows, 'cost'):.9f}" == before["cost"]
    after = used.api.get("/usage", from_="2026-06-01T00:00:00Z").body
    assert after["requests"]["total"] == before["requests"]["total"] + 5


def _from_elsewhere(tenant: Tenant, number: int) -> None:
    def send() -> None:
        try:
            tenant.api.keep(record(f"late-{number}", cost="5"))
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        pool.submit(send).result()
