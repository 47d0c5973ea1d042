"""The write path as a client sees it: what is kept, what is not, and why."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db.backends.utils import CursorWrapper
from django.test import override_settings
from pytest_django import DjangoAssertNumQueries

from organizations.tenancy import system_scope, tenant_scope
from tests.usage.factories import NOW, Api, Tenant, at, make_tenant, record
from tests.usage.test_dialects import FULL
from usage.batch import Batch
from usage.models import Record
from usage.pipeline import Stage
from usage.rollups.fold import fold_pending

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _clock(stopped_clock: Any) -> None:
    """Everything here happens at `NOW`."""


def usage(api: Api, **query: str) -> Any:
    answer = api.get("/usage", **query)
    assert answer.status == 200, answer.body
    return answer.body


def test_a_record_comes_back_with_everything_it_said(acme: Tenant) -> None:
    sent = {**FULL, "clientId": acme.client_id}
    answer = acme.api.send(sent)
    assert (answer.status, answer.body) == (
        200,
        {"accepted": 1, "duplicates": 0, "rejected": 0, "errors": []},
    )
    kept = acme.api.get("/records/r-1")
    assert kept.status == 200
    assert datetime.fromisoformat(kept.body.pop("createdAt")) == datetime.fromisoformat(
        kept.body.pop("updatedAt")
    )
    assert kept.body == {
        **sent,
        "cost": "0.061200000",
        "currency": "USD",
        "priceId": None,
        "adjustment": None,
    }


def test_a_record_that_says_nothing_has_the_defaults(acme: Tenant) -> None:
    acme.api.keep({"type": "conversation.completion"})
    (item,) = acme.api.get("/records").items
    assert item["id"].startswith("rec_")
    del item["id"], item["createdAt"], item["updatedAt"]
    absent = {name: None for name in FULL if name.endswith("Id") and name != "clientId"}
    assert item == {
        **absent,
        "type": "conversation.completion",
        "timestamp": at(NOW),
        "count": 1,
        "clientId": acme.client_id,
        "endpoint": None,
        "capability": None,
        "model": None,
        "provider": None,
        "serviceTier": "standard",
        "status": "success",
        "statusCode": None,
        "errorType": None,
        "latencyMs": None,
        "tokens": None,
        "quantities": {},
        "cost": None,
        "currency": "USD",
        "priceId": None,
        "adjustment": None,
        "meta": {},
    }


def test_the_good_records_of_a_batch_are_kept_although_others_are_refused(api: Api) -> None:
    answer = api.send(
        [
            record("a"),
            {"id": "b"},
            record("c", colour="red"),
            record("d", clientId="cl_nobodys0000000000000"),
            record("e", timestamp="2027-01-01T00:00:00Z"),
            record("f", cost="1e3"),
            record("g"),
        ]
    )
    assert (answer.status, answer.headers["Content-Type"]) == (200, "application/json")
    assert {name: answer.body[name] for name in ("accepted", "duplicates", "rejected")} == {
        "accepted": 2,
        "duplicates": 0,
        "rejected": 5,
    }
    assert [(e["index"], e["id"], e["code"], e["pointer"]) for e in answer.errors] == [
        (1, "b", "missing_field", "/type"),
        (2, "c", "unknown_field", "/colour"),
        (3, "d", "unknown_client", "/clientId"),
        (4, "e", "timestamp_in_future", "/timestamp"),
        (5, "f", "invalid", "/cost"),
    ]
    assert all(error["detail"] for error in answer.errors)
    assert sorted(api.get("/records").ids) == ["a", "g"]
    assert usage(api)["requests"]["total"] == 2


def test_a_batch_of_which_every_record_is_refused_is_a_422_with_the_same_body(api: Api) -> None:
    answer = api.send([{"id": "b"}, record("c", status="failed")])
    assert (answer.status, answer.headers["Content-Type"]) == (422, "application/problem+json")
    assert [(error["index"], error["pointer"]) for error in answer.errors] == [(0, "/type"), (1, "/status")]
    del answer.body["errors"]
    assert answer.body == {
        "type": "/api/docs/problems#records_refused",
        "title": "Unprocessable Entity",
        "status": 422,
        "detail": "None of the 2 records could be accepted; errors says why.",
        "code": "records_refused",
        "accepted": 0,
        "duplicates": 0,
        "rejected": 2,
    }


def test_a_batch_of_known_and_refused_records_is_no_failure(api: Api) -> None:
    api.keep(record("a"))
    answer = api.send([record("a"), {"id": "b"}])
    assert (answer.status, answer.body["accepted"], answer.body["duplicates"], answer.body["rejected"]) == (
        200, 0, 1, 1,
    )  # fmt: skip


def test_an_empty_batch_is_accepted_as_such(api: Api) -> None:
    answer = api.send([])
    assert (answer.status, answer.body) == (
        200,
        {"accepted": 0, "duplicates": 0, "rejected": 0, "errors": []},
    )


def test_the_first_of_equal_ids_in_a_batch_is_the_one_that_is_kept(api: Api) -> None:
    answer = api.send(
        [record("a", count=1), record("b", count=10), record("a", count=100), record("a", count=1000)]
    )
    assert (answer.body["accepted"], answer.body["duplicates"]) == (2, 2)
    assert api.get("/records/a").body["count"] == 1


@pytest.mark.parametrize("folded", [False, True])
def test_the_same_id_again_is_counted_once_whatever_its_timestamp_and_content(api: Api, folded: bool) -> None:
    api.keep(record("a", tokens={"prompt": 10}, timestamp=at(NOW)))
    if folded:
        assert fold_pending() == 1
    others = (
        record("a", tokens={"prompt": 10}, timestamp=at(NOW)),
        record("a", tokens={"prompt": 99}, timestamp=at(NOW - timedelta(days=40))),
        record("a", tokens={"prompt": 99}, timestamp=at(NOW + timedelta(minutes=4))),
    )
    for other in others:
        assert api.send(other).body == {"accepted": 0, "duplicates": 1, "rejected": 0, "errors": []}
    assert (api.get("/records").ids, usage(api)["tokens"]["total"]) == (["a"], 10)
    assert usage(api, **{"from": at(NOW - timedelta(days=60)), "to": at(NOW)})["requests"]["total"] == 0


def test_an_id_is_the_organizations_whichever_credential_sends_it(acme: Tenant, globex: Tenant) -> None:
    acme.api.keep(record("a"))
    assert acme.another_credential().api.send(record("a")).body["duplicates"] == 1
    globex.api.keep(record("a"))


def test_ids_differ_by_case_space_and_spelling(api: Api) -> None:
    ids = ["a", "A", " a", "a ", "é", "e\u0301", "a/b", "a?b=c", "a%2Fb", "1", "01", "🙂" * 60]
    api.keep(*(record(each) for each in ids))
    assert sorted(api.get("/records").ids) == sorted(ids)


def test_records_without_an_id_are_never_duplicates(api: Api) -> None:
    api.keep(record(), record())
    api.keep(record())
    assert usage(api)["requests"]["total"] == 3


def test_use_can_be_another_credentials_of_the_same_organization(acme: Tenant) -> None:
    other = acme.another_credential()
    acme.api.keep(record("own"), record("others", clientId=other.client_id))
    assert acme.api.get("/records/others").body["clientId"] == other.client_id
    assert usage(acme.api, clientId=other.client_id)["requests"]["total"] == 1
    assert usage(acme.api)["requests"]["total"] == 2


def test_another_organizations_credential_is_as_unknown_as_none_at_all(acme: Tenant, globex: Tenant) -> None:
    foreign = acme.api.send(record("a", clientId=globex.client_id))
    nobody = acme.api.send(record("a", clientId="cl_00000000000000000000"))
    assert (foreign.status, foreign.errors[0]["code"]) == (422, "unknown_client")
    assert (
        foreign.errors[0]["detail"].replace(globex.client_id, "X")
        == nobody.errors[0]["detail"].replace("cl_00000000000000000000", "X")
        == "There is no credential 'X' in this organization."
    )


def test_five_minutes_ahead_is_accepted_and_counts_in_the_period(api: Api) -> None:
    late = api.send([record("a", timestamp=at(NOW + timedelta(minutes=5)))])
    assert late.body["accepted"] == 1
    beyond = api.send(record("b", timestamp=at(NOW + timedelta(minutes=5, microseconds=1))))
    assert beyond.errors[0]["code"] == "timestamp_in_future"
    assert (api.get("/records").ids, usage(api)["requests"]["total"]) == (["a"], 1)


@pytest.mark.parametrize(("plan", "days"), [("free", 30), ("starter", 90), ("professional", 365)])
def test_what_lies_before_the_plans_history_is_refused(acme: Tenant, plan: str, days: int) -> None:
    from organizations.services import change_plan

    change_plan(organization_id=acme.id, plan=plan)
    first = datetime(2026, 7, 15, tzinfo=UTC) - timedelta(days=days)
    answer = acme.api.send(
        [record("a", timestamp=at(first)), record("b", timestamp=at(first - timedelta(microseconds=1)))]
    )
    assert (answer.body["accepted"], answer.errors[0]["code"]) == (1, "timestamp_before_history")
    assert answer.errors[0]["detail"] == f"The plan's history begins at {at(first)}."


def test_the_history_begins_with_a_day_of_the_organization(acme: Tenant) -> None:
    from organizations.services import change_plan, set_timezone

    change_plan(organization_id=acme.id, plan="free")
    set_timezone(organization_id=acme.id, timezone="Asia/Kathmandu")
    first = datetime(2026, 6, 14, 18, 15, tzinfo=UTC)
    answer = acme.api.send(
        [record("a", timestamp=at(first)), record("b", timestamp=at(first - timedelta(microseconds=1)))]
    )
    assert (answer.body["accepted"], answer.errors[0]["code"]) == (1, "timestamp_before_history")


def test_sums_of_quantities_and_costs_are_exact(api: Api) -> None:
    api.keep(
        *(
            record(f"t{number}", quantities={"credits": "0.1", "quota": 7}, cost="0.000000001")
            for number in range(30)
        ),
        record("large", quantities={"credits": "999999999999999.000000001"}, cost="1000000"),
        record("number", quantities={"credits": 0.3, "x.y:z/w-v": 2}),
    )
    for _ in range(2):
        totals = usage(api)
        assert totals["quantities"] == {
            "credits": str(Decimal("3.3") + Decimal("999999999999999.000000001")),
            "quota": 210,
            "x.y:z/w-v": 2,
        }
        assert totals["credits"]["consumed"] == "1000000000000002.300000001"
        assert totals["cost"] == "1000000.000000030"
        assert totals["unpricedRecords"] == 1
        fold_pending()


def test_large_counts_add_up_beyond_what_one_integer_holds(api: Api) -> None:
    largest = {"prompt": 10**9, "completion": 10**9}
    api.keep(*(record(f"{number}", count=10**12, tokens=largest) for number in range(100)))
    fold_pending()
    assert usage(api)["tokens"]["total"] == 2 * 10**11


def test_metadata_comes_back_as_it_was_sent(api: Api) -> None:
    meta = {
        "text": 'ünï🙂"\\\n',
        "empty": "",
        "integer": -7,
        "huge": 12345678901234567890123456789,
        "fraction": 0.1,
        "yes": True,
        "nothing": None,
        "key with space/and~": "x",
    }
    api.keep(record("a", meta=meta))
    assert api.get("/records/a").body["meta"] == meta


def test_a_key_without_the_scope_can_not_write(acme: Tenant) -> None:
    reader = acme.another_credential(scopes=["usage:read"])
    answer = reader.api.send(record("a"))
    assert (answer.status, answer.body["code"]) == (403, "scope_required")
    assert answer.body["detail"] == "This key does not have the scope usage:write."
    assert reader.api.get("/records").ids == []


def test_a_batch_costs_few_statements_whatever_its_size(
    acme: Tenant, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    acme.api.keep(record("first"))
    # Nothing but the one statement, which here has a savepoint around it, and a scope entered and left.
    with django_assert_num_queries(5):
        acme.api.keep(*(record(f"r{number}") for number in range(500)))


def test_the_scope_is_afterwards_what_it_was_before(acme: Tenant) -> None:
    acme.api.keep(record("first"))
    acme.api.keep(record("second"))
    assert Record.objects.count() == 0
    globex = make_tenant("Globex")
    with tenant_scope(globex.id):
        acme.api.keep(record("third"))
        assert Record.objects.count() == 0
    with system_scope():
        acme.api.keep(record("fourth"))
        assert Record.objects.count() == 4


class Refusing(Stage):
    """A stage that finds, in the transaction, that the batch can't be."""

    seen: list[tuple[list[str], frozenset[str]]] = []

    def settle(self, batch: Batch, cursor: CursorWrapper) -> None:
        self.seen.append(([row.id for row in batch.accepted], batch.known))
        raise LookupError("no")


@pytest.fixture
def refusing() -> Iterator[type[Refusing]]:
    Refusing.seen.clear()
    stages = ["usage.stages.Complete", "usage.stages.Store", "tests.usage.test_ingest.Refusing"]
    with override_settings(USAGE_PIPELINE=stages):
        yield Refusing


def test_a_later_stage_sees_what_was_stored_and_undoes_it_by_raising(
    acme: Tenant, refusing: type[Refusing]
) -> None:
    with pytest.raises(LookupError):
        acme.api.send([record("b"), record("a")])
    ((stored, known),) = refusing.seen
    assert (sorted(stored), known) == (["a", "b"], frozenset())
    with tenant_scope(acme.id):
        assert not Record.objects.exists()
    with override_settings(USAGE_PIPELINE=["usage.stages.Complete", "usage.stages.Store"]):
        acme.api.keep(record("a"))
        assert usage(acme.api)["requests"]["total"] == 1
