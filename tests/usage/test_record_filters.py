"""Filters of GET /records: each alone, together, and on values rare and frequent."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import DatabaseError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from organizations.tenancy import system_scope
from tests.usage.factories import NOW, Api, Tenant, at, make_tenant, record
from usage.complete import record_key
from usage.links import LINKS
from usage.queries.records import RecordQuery, find_records

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _clock(stopped_clock: Any) -> None:
    """Everything here happens at `NOW`."""


@pytest.mark.parametrize("name", ["type", "endpoint", "capability", "model", "provider", *LINKS])
def test_each_field_filters_by_its_exact_value(api: Api, name: str) -> None:
    others = {other: "x" for other in ("endpoint", "model", "botId", "taskId") if other != name}
    api.keep(
        {**record("match"), name: "x:y, z"},
        {**record("other"), **others, name: "x"},
        {**record("case"), name: "X:Y, Z"},
        record("none"),
    )
    assert api.get("/records", **{name: "x:y, z"}).ids == ["match"]
    assert api.get("/records", **{name: "x:y"}).ids == []


def test_a_value_of_one_field_is_not_that_of_another(api: Api) -> None:
    api.keep(
        record("a", model="x"), record("b", endpoint="x"), record("c", botId="x"), record("d", taskId="x")
    )
    assert api.get("/records", model="x").ids == ["a"]
    assert api.get("/records", endpoint="x").ids == ["b"]
    assert api.get("/records", botId="x").ids == ["c"]


def test_status_filters_by_outcome(api: Api) -> None:
    api.keep(record("good"), record("bad", status="error"))
    assert api.get("/records", status="success").ids == ["good"]
    assert api.get("/records", status="error").ids == ["bad"]


def test_how_a_call_failed_filters(api: Api) -> None:
    api.keep(
        record("good", statusCode=200),
        record("limited", status="error", statusCode=429, errorType="rate_limit"),
        record("slow", status="error", statusCode=504, errorType="timeout"),
        record("warned", statusCode=200, errorType="timeout"),
        record("silent", status="error"),
    )
    assert api.get("/records", statusCode="429").ids == ["limited"]
    assert sorted(api.get("/records", statusCode="200").ids) == ["good", "warned"]
    assert sorted(api.get("/records", errorType="timeout").ids) == ["slow", "warned"]
    assert api.get("/records", errorType="timeout", status="error").ids == ["slow"]
    assert api.get("/records", errorType="timeout", statusCode="429").ids == []
    assert api.get("/records", errorType="Timeout").ids == []


def test_what_records_leave_unsaid_filters(api: Api) -> None:
    full = {
        "endpoint": "e",
        "capability": "c",
        "model": "m",
        "provider": "p",
        "statusCode": 500,
        "errorType": "t",
        "status": "error",
    }
    names = [name for name in full if name != "status"]
    api.keep(
        record("full", **full),
        *(record(name, **{**full, name: None}) for name in names),
        record("neither", **{**full, "model": None, "provider": None}),
    )
    for name in names:
        also = ["neither"] if name in ("model", "provider") else []
        assert sorted(api.get("/records", missing=name).ids) == sorted([name, *also])
    assert api.get("/records", missing="provider,model").ids == ["neither"]
    assert sorted(api.get("/records", missing="model", provider="p").ids) == ["model"]
    refused = api.get("/records", missing="model,type")
    assert refused.status == 400
    assert "accepted: endpoint, capability, model, provider, statusCode, errorType" in refused.body["detail"]


def test_when_it_was_stored_filters(transactional_db: None) -> None:
    acme = make_tenant("Acme")
    acme.api.keep(record("first"), record("with it"))
    acme.api.keep(record("later"))
    stored = {item["id"]: item["createdAt"] for item in acme.api.get("/records").items}
    assert sorted(acme.api.get("/records", createdAt=stored["first"]).ids) == ["first", "with it"]
    assert acme.api.get("/records", createdAt=stored["later"]).ids == ["later"]
    assert acme.api.get("/records", createdAt=stored["later"].replace("Z", "-01:00")).ids == []
    refused = acme.api.get("/records", createdAt="yesterday")
    assert (refused.status, refused.errors[0]["pointer"]) == (400, "/createdAt")


@pytest.mark.parametrize("code", ["99", "600", "4xx", "200.0", ""])
def test_a_status_code_is_one_of_http(api: Api, code: str) -> None:
    answer = api.get("/records", statusCode=code)
    assert answer.status == 400
    assert answer.body["errors"][0]["pointer"] == "/statusCode"


def test_a_client_filters_its_own_records(acme: Tenant) -> None:
    other = acme.another_credential()
    acme.api.keep(record("own"))
    other.api.keep(record("theirs"))
    assert acme.api.get("/records", clientId=acme.client_id).ids == ["own"]
    assert acme.api.get("/records", clientId=other.client_id).ids == ["theirs"]


def test_a_client_of_another_organization_is_a_404(acme: Tenant, globex: Tenant) -> None:
    for client_id in (globex.client_id, "cl_00000000000000000000"):
        answer = acme.api.get("/records", clientId=client_id)
        assert (answer.status, answer.body["code"]) == (404, "not_found")


@pytest.mark.parametrize(
    ("stored", "asked"),
    [
        ("text", "text"),
        ("ünï 🙂", "ünï 🙂"),
        ("", ""),
        ("5", "5"),
        (5, "5"),
        (5, "5.0"),
        (5.0, "5"),
        (0.1, "0.1"),
        (-7, "-7"),
        (1e21, "1e21"),
        (12345678901234567890123456789, "12345678901234567890123456789"),
        (True, "true"),
        ("true", "true"),
        (False, "false"),
        (None, "null"),
        ("null", "null"),
        ('"5"', '"5"'),
        ("[1]", "[1]"),
        ("{}", "{}"),
        ("%", "%"),
    ],
)
def test_metadata_filters_by_text_number_and_boolean(api: Api, stored: Any, asked: str) -> None:
    api.keep(
        record("match", meta={"k": stored, "more": 1}), record("key", meta={"other": stored}), record("none")
    )
    assert api.get("/records", **{"meta[k]": asked}).ids == ["match"]


@pytest.mark.parametrize(
    ("stored", "asked"), [("5", "6"), (5, "05"), (True, "1"), (1, "true"), ("Text", "text"), ("text", "tex")]
)
def test_metadata_that_differs_is_not_found(api: Api, stored: Any, asked: str) -> None:
    api.keep(record("a", meta={"k": stored}))
    assert api.get("/records", **{"meta[k]": asked}).ids == []


def test_a_number_and_the_text_that_looks_like_it_are_both_found(api: Api) -> None:
    api.keep(
        record("text", meta={"k": "5"}), record("number", meta={"k": 5}), record("other", meta={"k": 55})
    )
    assert sorted(api.get("/records", **{"meta[k]": "5"}).ids) == ["number", "text"]


def test_filters_combine(acme: Tenant) -> None:
    whole = {
        "model": "m",
        "endpoint": "e",
        "botId": "b",
        "taskId": "t",
        "status": "error",
        "statusCode": 500,
        "errorType": "timeout",
        "meta": {"k": 5, "z": "z"},
        "timestamp": at(NOW - timedelta(hours=1)),
    }
    less = [{**whole, name: other} for name, other in (
        ("model", "n"), ("endpoint", "f"), ("botId", "c"), ("taskId", "u"), ("status", "success"),
        ("statusCode", 429), ("errorType", "overloaded"),
        ("meta", {"k": 5}), ("meta", {"k": 6, "z": "z"}), ("timestamp", at(NOW)),
    )]  # fmt: skip
    acme.api.keep(
        record("all", **whole), *(record(f"less{number}", **each) for number, each in enumerate(less))
    )
    query = {
        "type": "conversation.completion",
        "model": "m",
        "endpoint": "e",
        "botId": "b",
        "taskId": "t",
        "status": "error",
        "statusCode": "500",
        "errorType": "timeout",
        "clientId": acme.client_id,
        "meta[k]": "5",
        "meta[z]": "z",
        "to": at(NOW),
    }
    assert acme.api.get("/records", **query).ids == ["all"]
    assert len(acme.api.get("/records").ids) == 11


def test_no_parameter_reaches_the_database_as_anything_but_a_value(api: Api) -> None:
    api.keep(record("a", model="m"))
    for evil in ("' OR true --", "m'; DROP TABLE usage_record; --", '{"a":1}', "%s", "$1", "{m}"):
        assert api.get("/records", model=evil).ids == []
        assert api.get("/records", botId=evil).ids == []
        assert api.get("/records", **{f"meta[{evil.replace('[', '')}]": evil}).ids == []


def test_the_finder_refuses_to_run_without_an_organization(acme: Tenant) -> None:
    query = RecordQuery(NOW - timedelta(days=1), NOW, 10)
    with pytest.raises(DatabaseError, match="no organization is set"), system_scope():
        find_records(query)


# A year of records with one rare value, in bursts and with gaps, to page through in every way.


@dataclass(frozen=True)
class Stored:
    """A record of the year, as the plain scan below sees it."""

    occurred_at: datetime
    model: str
    bot: str
    team: str
    succeeded: bool
    code: int
    error: str | None


def a_year() -> list[Stored]:
    moments = [NOW - timedelta(days=number / 10) for number in range(1500)]
    moments += [NOW - timedelta(days=40, microseconds=number) for number in range(1200)]
    moments += [NOW - timedelta(days=300)] * 300
    return [
        Stored(
            occurred_at=moment,
            model="rare" if number % 700 == 3 else "frequent",
            bot=f"b{number % 40}",
            team="blue" if number % 900 == 5 else "red",
            succeeded=number % 10 != 0,
            code=_code(number),
            error="timeout" if number % 800 == 10 else None,
        )
        for number, moment in enumerate(moments)
    ]


def _code(number: int) -> int:
    if number % 10:
        return 204 if number % 600 == 7 else 200
    return 429 if number % 400 == 0 else 500


class Year(list[tuple[datetime, str, Stored]]):
    """What is stored, rising by (moment, key); too long to be shown."""

    def __repr__(self) -> str:
        return f"<{len(self)} records>"


@pytest.fixture
def year(acme: Tenant) -> Year:
    """The year, stored: the records with their moments and ids, in the order of pages."""
    stored = a_year()
    acme.api.keep(
        *(
            record(
                f"r{number}",
                timestamp=at(each.occurred_at),
                model=each.model,
                botId=each.bot,
                meta={"team": each.team},
                status="success" if each.succeeded else "error",
                statusCode=each.code,
                **({} if each.error is None else {"errorType": each.error}),
            )
            for number, each in enumerate(stored)
        )
    )

    def key(place: tuple[datetime, str, Stored]) -> tuple[datetime, str]:
        return place[0], record_key(acme.id, place[1])

    return Year(sorted(((each.occurred_at, f"r{n}", each) for n, each in enumerate(stored)), key=key))


FILTERS: dict[str, tuple[dict[str, str], Callable[[Stored], bool]]] = {
    "nothing": ({}, lambda r: True),
    "frequent": ({"model": "frequent"}, lambda r: r.model == "frequent"),
    "rare": ({"model": "rare"}, lambda r: r.model == "rare"),
    "absent": ({"model": "none"}, lambda r: False),
    "link": ({"botId": "b7"}, lambda r: r.bot == "b7"),
    "rare meta": ({"meta[team]": "blue"}, lambda r: r.team == "blue"),
    "rare failure": ({"statusCode": "429"}, lambda r: r.code == 429),
    "frequent failure": ({"statusCode": "500", "status": "error"}, lambda r: r.code == 500),
    "frequent code": ({"statusCode": "200"}, lambda r: r.code == 200),
    "rare code": ({"statusCode": "204"}, lambda r: r.code == 204),
    "rare error": ({"errorType": "timeout"}, lambda r: r.error == "timeout"),
    "error of a model": (
        {"errorType": "timeout", "statusCode": "500", "model": "frequent"},
        lambda r: r.error == "timeout" and r.code == 500 and r.model == "frequent",
    ),
    "several": (
        {"model": "frequent", "status": "error", "botId": "b30", "meta[team]": "red"},
        lambda r: r.model == "frequent" and not r.succeeded and r.bot == "b30" and r.team == "red",
    ),
}
moments = st.integers(0, 360 * 24 * 60).map(lambda number: NOW - timedelta(minutes=number))
windows = st.tuples(moments, moments).map(sorted) | st.just(
    [NOW - timedelta(days=500), NOW + timedelta(days=1)]
)


@settings(max_examples=90, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    chosen=st.sampled_from(sorted(FILTERS)),
    window=windows,
    take=st.sampled_from([1, 7, 100, 999, 1000]),
    order=st.sampled_from(["asc", "desc"]),
)
def test_pages_are_what_a_plain_scan_finds(
    api: Api, year: Year, chosen: str, window: list[datetime], take: int, order: str
) -> None:
    filters, matches = FILTERS[chosen]
    start, end = window[0], window[1] + timedelta(microseconds=1)
    wanted = [name for moment, name, each in year if start <= moment < end and matches(each)]
    if order == "desc":
        wanted.reverse()
    query = {**filters, "from": at(start), "to": at(end), "take": str(take), "order": order}
    found: list[str] = []
    for _ in range(3):
        page = api.get("/records", **query)
        found += page.ids
        if page.body["cursor"] is None:
            break
        query["cursor"] = page.body["cursor"]
    assert found == wanted[: 3 * take]
