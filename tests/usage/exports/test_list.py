"""`GET /exports`: pages of exports, filtered."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine

from tests.usage.exports.support import ask, write
from tests.usage.factories import NOW, Answer, Api, Tenant
from usage.exports import services

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def clock(stopped_clock: time_machine.Traveller) -> time_machine.Traveller:
    """Everything here happens at `NOW` unless the test moves the clock."""
    return stopped_clock


def refused(answer: Answer) -> tuple[int, str]:
    return answer.status, answer.body["code"]


def test_the_list_has_the_newest_first_and_is_read_page_by_page(
    acme: Tenant, clock: time_machine.Traveller
) -> None:
    asked = []
    for number in range(6):
        # Two at a time are of the same moment.
        clock.move_to(NOW + timedelta(minutes=number // 2))
        asked.append(write(acme, ask(acme, "costs", "csv"))["id"])
    newest = acme.api.get("/exports").ids
    assert sorted(newest) == sorted(asked)
    assert [set(newest[place : place + 2]) for place in (0, 2, 4)] == [
        set(asked[4:]),
        set(asked[2:4]),
        set(asked[:2]),
    ]
    for order, expected in {"desc": newest, "asc": newest[::-1]}.items():
        page = acme.api.get("/exports", take=4, order=order)
        assert page.ids == expected[:4]
        assert f"cursor={page.body['cursor']}" in page.headers["Link"]
        rest = acme.api.get("/exports", take=4, order=order, cursor=page.body["cursor"])
        assert (rest.ids, rest.body["cursor"]) == (expected[4:], None)


def test_the_list_is_filtered_by_state_dataset_and_format(acme: Tenant) -> None:
    done = write(acme, ask(acme, "daily", "ndjson"))
    queued = ask(acme, "records", "ndjson")
    costs = ask(acme, "costs", "csv")
    expected: dict[str, dict[str, list[str]]] = {
        "state": {"done": [done["id"]], "queued": [queued["id"], costs["id"]], "failed": []},
        "dataset": {"records": [queued["id"]], "daily": [done["id"]]},
        "format": {"ndjson": [done["id"], queued["id"]], "csv": [costs["id"]], "xlsx": []},
    }
    for name, values in expected.items():
        for value, ids in values.items():
            assert sorted(acme.api.get("/exports", **{name: value}).ids) == sorted(ids)
    assert acme.api.get("/exports", state="queued", format="csv").ids == [costs["id"]]


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"state": "ready"}, "Invalid state: 'ready'; accepted: queued, running, done, failed, expired."),
        (
            {"dataset": "dreams"},
            "Invalid dataset: 'dreams'; accepted: records, daily, costs, focus, focus-1.2.",
        ),
        ({"format": "pdf"}, "Invalid format: 'pdf'; accepted: csv, ndjson, parquet, xlsx."),
        ({"format": ""}, "Invalid format: ''; accepted: csv, ndjson, parquet, xlsx."),
        ({"take": "0"}, "take must be a whole number from 1 to 1000."),
        (
            {"colour": "red"},
            "There is no parameter 'colour'; accepted: state, dataset, format, cursor, order, take.",
        ),
    ],
)
def test_a_parameter_of_the_list_that_is_not_accepted_is_named(
    api: Api, query: dict[str, str], said: str
) -> None:
    answer = api.get("/exports", **query)
    assert (answer.status, answer.body["detail"]) == (400, said)
    assert answer.errors[0]["pointer"] == f"/{next(iter(query))}"


@pytest.mark.parametrize("changed", [{"order": "asc"}, {"state": "done"}, {"dataset": "costs"}])
def test_a_cursor_belongs_to_the_filters_it_came_with(acme: Tenant, changed: dict[str, str]) -> None:
    for _ in range(2):
        ask(acme)
    cursor = acme.api.get("/exports", take=1).body["cursor"]
    assert refused(acme.api.get("/exports", cursor=cursor, **changed)) == (400, "invalid_cursor")


def test_how_many_questions_a_list_asks_does_not_grow_with_it(
    acme: Tenant, django_assert_max_num_queries: Callable[..., Any]
) -> None:
    for _ in range(services.MOST_UNDER_WAY):
        ask(acme)
    # Open the door, enter the scope, begin and release, and one for the page.
    with django_assert_max_num_queries(6) as captured:
        assert len(acme.api.get("/exports").items) == services.MOST_UNDER_WAY
    assert sum("usage_export" in query["sql"] for query in captured.captured_queries) == 1
