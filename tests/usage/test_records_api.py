"""GET /records and GET /records/{id}: pages, windows, single records."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import time_machine
from django.core import signing

from organizations.services import change_plan, set_timezone
from tests.usage.factories import NOW, Answer, Api, Tenant, at, record

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def clock(stopped_clock: time_machine.Traveller) -> time_machine.Traveller:
    """Everything here happens at `NOW` unless the test moves the clock."""
    return stopped_clock


def minutes_ago(number: float) -> str:
    return at(NOW - timedelta(minutes=number))


def pages(api: Api, **query: Any) -> Iterator[Answer]:
    """Yield every page, following the cursors."""
    cursor: dict[str, str] = {}
    while True:
        page = api.get("/records", **query, **cursor)
        assert page.status == 200, page.body
        yield page
        if page.body["cursor"] is None:
            return
        cursor = {"cursor": page.body["cursor"]}


def walk(api: Api, **query: Any) -> list[str]:
    return [each for page in pages(api, **query) for each in page.ids]


def refused(answer: Answer) -> tuple[int, str]:
    return answer.status, answer.body["code"]


def test_the_newest_record_comes_first_unless_the_order_is_ascending(api: Api) -> None:
    api.keep(*(record(f"r{number}", timestamp=minutes_ago(number)) for number in (2, 0, 3, 1)))
    assert api.get("/records").ids == ["r0", "r1", "r2", "r3"]
    assert api.get("/records", order="desc").ids == ["r0", "r1", "r2", "r3"]
    assert api.get("/records", order="asc").ids == ["r3", "r2", "r1", "r0"]


def test_without_records_there_is_an_empty_page(api: Api) -> None:
    answer = api.get("/records")
    assert answer.body == {"items": [], "cursor": None, "historyFrom": "2016-07-07T00:00:00Z"}
    assert answer.headers.get("Link") is None


@pytest.mark.parametrize("order", ["asc", "desc"])
@pytest.mark.parametrize("take", [1, 2, 3, 7, 8, 1000])
def test_pages_hold_every_record_once_even_when_many_share_a_moment(api: Api, take: int, order: str) -> None:
    api.keep(*(record(f"r{number}", timestamp=minutes_ago(number // 4)) for number in range(8)))
    seen = list(pages(api, take=take, order=order))
    assert [len(page.items) for page in seen] == [take] * (8 // take) + ([8 % take] if 8 % take else [])
    ids = [each for page in seen for each in page.ids]
    assert sorted(ids) == [f"r{number}" for number in range(8)]
    assert [each in ("r0", "r1", "r2", "r3") for each in ids[:4]] == [order == "desc"] * 4


def test_the_last_page_that_is_full_has_no_cursor(api: Api) -> None:
    api.keep(record("a"), record("b"))
    assert api.get("/records", take=2).body["cursor"] is None


@pytest.mark.parametrize("order", ["asc", "desc"])
def test_pages_are_stable_while_records_arrive(api: Api, order: str) -> None:
    api.keep(*(record(f"old{number}", timestamp=minutes_ago(10 * number)) for number in range(1, 21)))
    seen: list[str] = []
    for turn, page in enumerate(pages(api, take=3, order=order)):
        seen += page.ids
        api.keep(
            record(f"new{turn}", timestamp=minutes_ago(-turn / 10)),
            record(f"late{turn}", timestamp=minutes_ago(10 * turn + 5)),
        )
        if turn > 30:
            break
    assert len(seen) == len(set(seen))
    assert [each for each in seen if each.startswith("old")] == [
        f"old{number}" for number in (range(1, 21) if order == "desc" else range(20, 0, -1))
    ]
    # Going backward, what is new lies behind the reader; going forward, ahead of it.
    assert any(each.startswith("new") for each in seen) is (order == "asc")


def test_the_link_header_leads_to_the_next_page_with_the_same_parameters(api: Api) -> None:
    api.keep(
        *(record(f"r{number}", timestamp=minutes_ago(number), meta={"a b": "ü&"}) for number in range(3))
    )
    first = api.get("/records", take=2, **{"meta[a b]": "ü&"})
    target, relation = first.headers["Link"].split("; ")
    assert relation == 'rel="next"'
    address = urlsplit(target.strip("<>"))
    assert (address.scheme, address.netloc, address.path) == ("http", "testserver", "/api/v1/records")
    query = dict(parse_qsl(address.query))
    assert query == {"take": "2", "meta[a b]": "ü&", "cursor": first.body["cursor"]}
    assert api.get("/records", **query).ids == ["r2"]


def test_a_cursor_that_was_tampered_with_is_refused(api: Api) -> None:
    api.keep(record("a"), record("b"))
    cursor = api.get("/records", take=1).body["cursor"]
    for place, character in enumerate(cursor):
        changed = cursor[:place] + ("B" if character == "A" else "A") + cursor[place + 1 :]
        assert refused(api.get("/records", take=1, cursor=changed)) == (400, "invalid_cursor"), place
    for other in (cursor[:-1], cursor + "A", "x", "e30", signing.Signer(salt="x").sign_object(["a", "b"])):
        assert refused(api.get("/records", take=1, cursor=other)) == (400, "invalid_cursor")


@pytest.mark.parametrize(
    "changed",
    [
        {"order": "asc"},
        {"type": "b"},
        {"meta[a]": "1"},
        {"botId": "b"},
        {"from": "2026-07-01T00:00:00Z"},
        {"status": "error"},
    ],
)
def test_a_cursor_belongs_to_the_filters_it_came_with(api: Api, changed: dict[str, str]) -> None:
    api.keep(record("a"), record("b"))
    cursor = api.get("/records", take=1).body["cursor"]
    assert refused(api.get("/records", cursor=cursor, **changed)) == (400, "invalid_cursor")


def test_the_size_of_a_page_may_change_on_the_way(api: Api) -> None:
    api.keep(*(record(f"r{number}", timestamp=minutes_ago(number)) for number in range(5)))
    cursor = api.get("/records", take=1).body["cursor"]
    assert api.get("/records", take=4, cursor=cursor).ids == ["r1", "r2", "r3", "r4"]


def test_a_cursor_belongs_to_its_organization(acme: Tenant, globex: Tenant) -> None:
    for tenant in (acme, globex):
        tenant.api.keep(record("a"), record("b"))
    cursor = acme.api.get("/records", take=1).body["cursor"]
    assert refused(globex.api.get("/records", take=1, cursor=cursor)) == (400, "invalid_cursor")


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"take": "0"}, "take must be a whole number from 1 to 1000."),
        ({"take": "1001"}, "take must be a whole number from 1 to 1000."),
        ({"take": "ten"}, "take must be a whole number from 1 to 1000."),
        ({"order": "up"}, "Invalid order: 'up'; accepted: asc, desc."),
        ({"status": "failed"}, "Invalid status: 'failed'; accepted: success, error."),
        ({"model": ""}, "model must have 1 to 255 characters."),
        ({"botId": "b\x00"}, "botId holds a character that no text can have."),
        ({"from": "yesterday"}, "from: 'yesterday' is neither ISO 8601"),
        ({"to": "2026-07-15T00:00:00"}, "to: '2026-07-15T00:00:00' has no offset"),
        ({"from": at(NOW), "to": at(NOW)}, "The window [from, to) must end after it starts."),
        ({"from": "2026-07-20T00:00:00Z"}, "The window [from, to) must end after it starts."),
        ({"meta[]": "a"}, "'meta[]' needs a key and a printable value."),
    ],
)
def test_a_parameter_that_can_not_be_read_is_a_400_that_says_why(
    api: Api, query: dict[str, str], said: str
) -> None:
    answer = api.get("/records", **query)
    assert answer.status == 400
    assert answer.body["detail"].startswith(said)
    assert answer.errors[0]["pointer"] == f"/{next(iter(query)) if len(query) == 1 else 'to'}"


@pytest.mark.parametrize("name", ["types", "colour", "meta", "limit", "offset", "tokens", "reservationId"])
def test_an_unknown_parameter_is_a_400_that_lists_the_accepted(api: Api, name: str) -> None:
    answer = api.get("/records", **{name: "x"})
    assert refused(answer) == (400, "unknown_parameter")
    assert answer.body["detail"] == (
        f"There is no parameter {name!r}; accepted: type, endpoint, capability, model, provider, clientId, "
        "status, statusCode, errorType, missing, createdAt, conversationId, messageId, taskId, contactId, "
        "blueprintId, botId, datasetId, skillsetId, abilityId, processorId, documentId, executionId, from, "
        "to, cursor, order, take, meta[key]."
    )


def test_a_window_has_its_start_and_not_its_end(api: Api) -> None:
    tick = timedelta(microseconds=1)
    start, end = NOW - timedelta(hours=2), NOW - timedelta(hours=1)
    moments = {"before": start - tick, "first": start, "last": end - tick, "after": end}
    api.keep(*(record(name, timestamp=at(moment)) for name, moment in moments.items()))
    assert api.get("/records", from_=at(start), to=at(end)).ids == ["last", "first"]
    milliseconds = str(int(datetime(2026, 7, 15, 12, tzinfo=UTC).timestamp() * 1000))
    assert api.get("/records", from_=milliseconds).ids == []
    assert api.get("/records", to="2026-07-15T12:34:56.789012+02:00").ids == ["before"]


def test_records_a_little_ahead_are_listed(api: Api) -> None:
    api.keep(record("ahead", timestamp=at(NOW + timedelta(minutes=5))))
    assert api.get("/records").ids == ["ahead"]


def test_a_single_record_is_found_by_its_id_whatever_its_characters(api: Api) -> None:
    ids = {
        "plain": "plain",
        "with/slash": "with/slash",
        "with space": "with%20space",
        "per%cent": "per%25cent",
        "quest?ion#": "quest%3Fion%23",
        "ünï🙂": "%C3%BCn%C3%AF%F0%9F%99%82",
    }
    api.keep(*(record(name) for name in ids))
    for name, path in ids.items():
        answer = api.get(f"/records/{path}")
        assert (answer.status, answer.body["id"]) == (200, name)


def test_a_record_that_is_not_there_is_a_404(acme: Tenant, globex: Tenant) -> None:
    globex.api.keep(record("theirs"))
    for missing in ("nothing", "theirs", "rec_" + "0" * 32, "x" * 300):
        answer = acme.api.get(f"/records/{missing}")
        assert refused(answer) == (404, "not_found")
        assert (
            answer.body["detail"] == f"There is no record {missing[:255]!r} in this organization's history."
        )


def test_a_single_record_takes_no_parameters(api: Api) -> None:
    api.keep(record("a"))
    assert refused(api.get("/records/a", take=1)) == (400, "unknown_parameter")


def test_a_key_without_the_scope_can_not_read(acme: Tenant) -> None:
    writer = acme.another_credential(scopes=["usage:write"])
    for path in ("/records", "/records/a", "/usage", "/usage/series"):
        assert refused(writer.api.get(path)) == (403, "scope_required")


def test_a_smaller_plan_shows_a_shorter_history_at_once(acme: Tenant, clock: time_machine.Traveller) -> None:
    first = datetime(2026, 6, 15, tzinfo=UTC)
    acme.api.keep(
        record("outside", timestamp=at(first - timedelta(microseconds=1))),
        record("inside", timestamp=at(first)),
    )
    assert acme.api.get("/records").ids == ["inside", "outside"]
    change_plan(organization_id=acme.id, plan="free")
    assert acme.api.get("/records").ids == ["inside"]
    assert acme.api.get("/records", from_="2026-01-01T00:00:00Z", to=at(first)).ids == []
    assert [acme.api.get(f"/records/{each}").status for each in ("inside", "outside")] == [200, 404]
    set_timezone(organization_id=acme.id, timezone="America/New_York")
    assert acme.api.get("/records").ids == []
    change_plan(organization_id=acme.id, plan="enterprise")
    assert acme.api.get("/records").ids == ["inside", "outside"]


def test_times_of_a_record_are_written_in_utc_with_the_digits_it_has(api: Api) -> None:
    api.keep(record("a", timestamp="2026-07-15T14:00:00+02:00"), record("b", timestamp=1784116800123))
    assert api.get("/records/a").body["timestamp"] == "2026-07-15T12:00:00Z"
    assert api.get("/records/b").body["timestamp"] == "2026-07-15T12:00:00.123000Z"
