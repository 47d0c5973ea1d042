"""Reading the body of a request: each dialect, and what is wrong with each record of it."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.problems import Problem
from usage.dialects.decode import ACCEPTED, MAX_RECORDS, NDJSON, Decoded, decode
from usage.dialects.plain import RecordIn, Tokens

JSON = "application/json"
EVENT = "application/cloudevents+json"
EVENTS = "application/cloudevents-batch+json"

FULL: dict[str, Any] = {
    "id": "r-1",
    "type": "conversation.completion",
    "timestamp": "2026-07-15T12:00:00Z",
    "count": 7,
    "clientId": "cl_00000000000000000000",
    "endpoint": "/v1/chat",
    "capability": "chat",
    "model": "large",
    "provider": "openai",
    "serviceTier": "batch",
    "status": "error",
    "statusCode": 503,
    "errorType": "overloaded",
    "latencyMs": 12.345,
    "tokens": {
        "prompt": 10,
        "completion": 5,
        "total": 16,
        "cachedPrompt": 4,
        "cacheWrite": 2,
        "reasoning": 3,
    },
    "quantities": {"pages": 3, "credits": "1.5"},
    "cost": "0.0612",
    "conversationId": "c1",
    "messageId": "m1",
    "taskId": "t1",
    "contactId": "k1",
    "blueprintId": "bp1",
    "botId": "b1",
    "datasetId": "d1",
    "skillsetId": "s1",
    "abilityId": "a1",
    "processorId": "p1",
    "documentId": "dc1",
    "executionId": "e1",
    "reservationId": "v1",
    "meta": {"text": "x", "number": 1, "fraction": 1.5, "flag": True, "nothing": None},
}


def read(body: Any, content_type: str = JSON, **environ: str) -> Decoded:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return decode(content_type, environ, raw)


def only(decoded: Decoded) -> RecordIn:
    assert decoded.errors == []
    ((_, record),) = decoded.records
    return record


def faults(decoded: Decoded) -> list[tuple[int, str | None, str, str]]:
    return [(error.index, error.id, error.code, error.pointer) for error in decoded.errors]


def refusal(body: Any, content_type: str = JSON) -> Problem:
    with pytest.raises(Problem) as caught:
        read(body, content_type)
    return caught.value


def test_every_field_of_a_record_is_read() -> None:
    record = only(read(FULL))
    read_back = {
        name: getattr(record, attribute)
        for name, attribute in zip(RecordIn.__struct_encode_fields__, RecordIn.__struct_fields__, strict=True)
    }
    tokens = read_back.pop("tokens")
    quantities = read_back.pop("quantities")
    assert read_back == {name: FULL[name] for name in FULL if name not in ("tokens", "quantities")}
    assert (tokens.prompt, tokens.completion, tokens.total) == (10, 5, 16)
    assert (tokens.cached_prompt, tokens.cache_write, tokens.reasoning) == (4, 2, 3)
    assert quantities == {"pages": Decimal(3), "credits": Decimal("1.5")}


def test_an_array_and_lines_say_the_same() -> None:
    records = [{"type": "a", "id": str(number)} for number in range(3)]
    lines = b"\n".join(json.dumps(record).encode() for record in records)
    as_lines = read(b"\r\n" + lines + b"\r\n\n", NDJSON)
    assert [(index, record.id) for index, record in as_lines.records] == [(0, "0"), (1, "1"), (2, "2")]
    as_array = read(records)
    assert as_array.errors == as_lines.errors == []
    assert msgspec.to_builtins(as_array.records) == msgspec.to_builtins(as_lines.records)


METERS = ["a", "_", "A9", "a.b:c/d-e_f", "m" * 100]
NO_METERS = ["", "1a", "a b", "ä", "a\n", "-a", "m" * 101]


@pytest.mark.parametrize(("names", "fits"), [(METERS, True), (NO_METERS, False)])
def test_a_meters_name_is_checked_alike_however_the_record_came(names: list[str], fits: bool) -> None:
    for name in names:
        record = {"type": "x", "quantities": {"pages": 2, name: 1}}
        found = [read(record), read([record]), read(json.dumps(record).encode(), NDJSON)]
        assert [len(one.errors) for one in found] == [0 if fits else 1] * 3, name
        assert len({(error.code, error.pointer, error.detail) for one in found for error in one.errors}) <= 1


def test_one_bad_name_among_records_refuses_its_record_alone() -> None:
    found = read([{"type": "x", "quantities": {name: 1}} for name in ("pages", "two words", "pages")])
    assert [index for index, _ in found.records] == [0, 2]
    assert [(error.index, error.pointer) for error in found.errors] == [(1, "/quantities/two words")]


def test_one_object_is_a_batch_of_one() -> None:
    assert only(read(b'  {"type": "a"} ')).type == "a"


@pytest.mark.parametrize(
    ("record", "code", "pointer"),
    [
        ({}, "missing_field", "/type"),
        ({"type": ""}, "invalid", "/type"),
        ({"type": "t" * 201}, "invalid", "/type"),
        ({"type": 1}, "invalid", "/type"),
        ({"type": None}, "invalid", "/type"),
        ({"type": "a", "id": ""}, "invalid", "/id"),
        ({"type": "a", "id": "i" * 256}, "invalid", "/id"),
        ({"type": "a", "id": 5}, "invalid", "/id"),
        ({"type": "a", "count": -1}, "invalid", "/count"),
        ({"type": "a", "count": 1.5}, "invalid", "/count"),
        ({"type": "a", "count": "1"}, "invalid", "/count"),
        ({"type": "a", "count": 10**12 + 1}, "invalid", "/count"),
        ({"type": "a", "endpoint": "e" * 201}, "invalid", "/endpoint"),
        ({"type": "a", "model": ""}, "invalid", "/model"),
        ({"type": "a", "statusCode": 99}, "invalid", "/statusCode"),
        ({"type": "a", "statusCode": 600}, "invalid", "/statusCode"),
        ({"type": "a", "latencyMs": -0.1}, "invalid", "/latencyMs"),
        ({"type": "a", "latencyMs": 86_400_001}, "invalid", "/latencyMs"),
        ({"type": "a", "tokens": {"prompt": -1}}, "invalid", "/tokens/prompt"),
        ({"type": "a", "tokens": {"prompt": 10**9 + 1}}, "invalid", "/tokens/prompt"),
        ({"type": "a", "tokens": {"cachedPrompt": 1.5}}, "invalid", "/tokens/cachedPrompt"),
        ({"type": "a", "tokens": {"input": 1}}, "unknown_field", "/tokens/input"),
        ({"type": "a", "tokens": 5}, "invalid", "/tokens"),
        ({"type": "a", "quantities": {"messages": 1, "pages": "many"}}, "invalid", "/quantities/pages"),
        ({"type": "a", "quantities": {"two words": 1}}, "invalid", "/quantities/two words"),
        ({"type": "a", "quantities": {f"m{n}": 1 for n in range(51)}}, "invalid", "/quantities"),
        ({"type": "a", "cost": 0.5}, "invalid", "/cost"),
        ({"type": "a", "botId": 5}, "invalid", "/botId"),
        ({"type": "a", "botId": ""}, "invalid", "/botId"),
        ({"type": "a", "meta": {"a": {"b": 1}}}, "invalid", "/meta/a"),
        ({"type": "a", "meta": {"b": 1, "a/c": [1]}}, "invalid", "/meta/a~1c"),
        ({"type": "a", "meta": {"": 1}}, "invalid", "/meta/"),
        ({"type": "a", "meta": {"a": "x" * 1001}}, "invalid", "/meta/a"),
        ({"type": "a", "meta": {f"k{n}": n for n in range(51)}}, "invalid", "/meta"),
        ({"type": "a", "metadata": {}}, "unknown_field", "/metadata"),
        ({"type": "a", "a/b~c": 1}, "unknown_field", "/a~1b~0c"),
        ("a", "invalid", ""),
        (None, "invalid", ""),
    ],
)
def test_a_bad_record_is_named_by_index_id_and_field(record: Any, code: str, pointer: str) -> None:
    good = {"type": "a", "id": "good"}
    decoded = read([good, record, good])
    assert [index for index, _ in decoded.records] == [0, 2]
    given_id = record.get("id") if isinstance(record, dict) else None
    assert faults(decoded) == [(1, given_id if isinstance(given_id, str) else None, code, pointer)]


def test_the_id_of_a_bad_record_is_said() -> None:
    decoded = read([{"type": "a", "id": "r-9", "count": -1}])
    assert faults(decoded) == [(0, "r-9", "invalid", "/count")]
    assert decoded.errors[0].as_dict() == {
        "index": 0,
        "id": "r-9",
        "code": "invalid",
        "detail": "Expected `int` >= 0; accepted: a whole number from 0 to 1000000000000.",
        "pointer": "/count",
    }


@pytest.mark.parametrize(
    ("members", "accepted"),
    [
        ({"type": ""}, "text of 1 to 200 characters"),
        ({"statusCode": 600}, "a whole number from 100 to 599"),
        ({"latencyMs": -1}, "a number from 0 to 86400000"),
        ({"tokens": 5}, "an object of prompt, completion, total, cachedPrompt, cacheWrite, reasoning"),
        ({"tokens": {"reasoning": "1"}}, "a whole number from 0 to 1000000000"),
        ({"cost": 0.5}, "a decimal string from 0 to 1000000 with at most 9 decimal places"),
        ({"status": 1}, "success, error"),
        ({"serviceTier": 1}, "standard, batch, priority, flex"),
        ({"timestamp": 1.5}, "ISO 8601 with an offset or Z, or Unix milliseconds"),
        (
            {"quantities": {"pages": "many"}},
            "a number or decimal string from 0 to 1000000000000000 with at most 9 decimal places",
        ),
        ({"quantities": {"a b": 1}}, "names of a letter or _, then up to 99 letters, digits and _ . : / -"),
        ({"quantities": {f"m{n}": 1 for n in range(51)}}, "an object of up to 50 members"),
        ({"meta": {"a": [1]}}, "text of up to 1000 characters, a number, a boolean or null"),
        ({"meta": {"k" * 101: 1}}, "names of 1 to 100 characters"),
    ],
)
def test_a_bad_value_is_answered_with_what_its_field_accepts(members: dict[str, Any], accepted: str) -> None:
    (error,) = read({"type": "a", **members}).errors
    assert error.detail.endswith(f"; accepted: {accepted}.")
    if members.keys().isdisjoint({"type", "timestamp"}):
        (error,) = read(event(data=members), EVENT).errors
        assert error.pointer.startswith(f"/data/{next(iter(members))}")
        assert error.detail.endswith(f"; accepted: {accepted}.")


def test_null_is_the_same_as_leaving_a_field_out() -> None:
    nulls = dict.fromkeys(FULL.keys() - {"type"})
    assert only(read({**nulls, "type": "a"})) == only(read({"type": "a"}))
    assert only(read({"type": "a", "tokens": dict.fromkeys(FULL["tokens"])})).tokens == Tokens(
        prompt=None, completion=None
    )


def test_an_unknown_field_is_answered_with_those_there_are() -> None:
    (error,) = read({"type": "a", "metadata": 1}).errors
    assert error.detail.startswith("There is no field 'metadata'; accepted: ")
    for name in (*FULL, "count"):
        assert f" {name}" in error.detail
    (error,) = read({"type": "a", "tokens": {"input": 1}}).errors
    assert error.detail == (
        "There is no field 'input'; accepted: prompt, completion, total, cachedPrompt, cacheWrite, reasoning."
    )


def test_a_line_that_is_no_json_hides_no_other() -> None:
    decoded = read(b'{"type": "a"}\n{"type": \n{"type": "b"}', NDJSON)
    assert [(index, record.type) for index, record in decoded.records] == [(0, "a"), (2, "b")]
    assert faults(decoded) == [(1, None, "malformed_json", "")]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"type": "a\x00b"}, "/type"),
        ({"type": "a", "id": "\x00"}, "/id"),
        ({"type": "a", "botId": "b\x00"}, "/botId"),
        ({"type": "a", "meta": {"k": "\x00"}}, "/meta/k"),
        ({"type": "a", "meta": {"k\x00": 1}}, "/meta"),
    ],
)
@pytest.mark.parametrize("content_type", [JSON, NDJSON])
def test_the_character_that_no_text_can_have_is_refused(body: Any, pointer: str, content_type: str) -> None:
    lines = b"\n".join(json.dumps(record).encode() for record in ({"type": "a"}, body))
    sent = lines if content_type == NDJSON else b"[" + lines.replace(b"\n", b",") + b"]"
    decoded = read(sent, content_type)
    assert [index for index, _ in decoded.records] == [0]
    assert [(error.index, error.code, error.pointer) for error in decoded.errors] == [(1, "invalid", pointer)]


def test_an_escaped_backslash_before_zeros_is_no_nul() -> None:
    assert only(read(b'{"type": "a", "id": "\\\\u0000"}')).id == "\\u0000"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "malformed_body"),
        (b" \n ", "malformed_body"),
        (b"{", "malformed_json"),
        (b'{"type": "a"} x', "malformed_json"),
        (b"[{]", "malformed_json"),
        (b'"text"', "malformed_body"),
        (b"17", "malformed_body"),
        (b"null", "malformed_body"),
        (b'{"type": "\xff"}', "malformed_body"),
    ],
)
def test_a_body_that_is_no_json_as_a_whole_is_a_400(body: bytes, code: str) -> None:
    problem = refusal(body)
    assert (problem.status, problem.code) == (400, code)


@pytest.mark.parametrize(
    "content_type", ["", "text/plain", "text/csv", "application/xml", "application/jsonx"]
)
def test_other_media_types_are_a_415_that_lists_the_accepted(content_type: str) -> None:
    problem = refusal({"type": "a"}, content_type)
    assert (problem.status, problem.code) == (415, "unsupported_media_type")
    assert all(accepted in problem.detail for accepted in ACCEPTED)


@pytest.mark.parametrize("content_type", [f"{JSON}; charset=utf-8", "Application/JSON"])
def test_parameters_and_case_of_the_media_type_are_nothing(content_type: str) -> None:
    assert only(read({"type": "a"}, content_type)).type == "a"


@pytest.mark.parametrize("content_type", [JSON, NDJSON])
def test_ten_thousand_records_are_read_and_one_more_is_a_413(content_type: str) -> None:
    def body(number: int) -> bytes:
        records = [b'{"type":"a"}'] * number
        return b"\n".join(records) if content_type == NDJSON else b"[" + b",".join(records) + b"]"

    assert len(read(body(MAX_RECORDS), content_type).records) == 10_000
    problem = refusal(body(MAX_RECORDS + 1), content_type)
    assert (problem.status, problem.code) == (413, "too_many_records")
    assert problem.detail == "A request holds at most 10,000 records; this one has 10,001."


def event(**members: Any) -> dict[str, Any]:
    return {"specversion": "1.0", "id": "1", "source": "/bots/7", "type": "task.execution", **members}


def test_an_event_is_a_record_with_its_data_as_fields() -> None:
    data = {"tokens": {"prompt": 3, "completion": 4}, "botId": "b1", "meta": {"own": 1}}
    record = only(
        read(event(time="2026-07-15T12:00:00+02:00", data=data, subject="order", sequence=7), EVENT)
    )
    assert record.id == "/bots/7#1"
    assert record.type == "task.execution"
    assert record.timestamp == "2026-07-15T12:00:00+02:00"
    assert record.bot_id == "b1"
    assert record.tokens is not None
    assert (record.tokens.prompt, record.tokens.completion) == (3, 4)
    assert record.meta == {"sequence": 7, "subject": "order", "own": 1}


def test_events_of_different_sources_are_different_records_even_with_a_hash() -> None:
    one = only(read(event(source="a", id="b#c"), EVENT)).id
    other = only(read(event(source="a#b", id="c"), EVENT)).id
    assert (one, other) == ("a#b#c", "a%23b#c")


def test_the_subject_of_an_event_names_the_client_when_it_is_one() -> None:
    client = "cl_0123456789abcdefghij"
    assert only(read(event(subject=client), EVENT)).client_id == client
    named = only(read(event(subject=client, data={"clientId": "cl_other"}), EVENT))
    assert (named.client_id, named.meta) == ("cl_other", {"subject": client})


def test_an_event_without_data_is_a_record_without_fields() -> None:
    record = only(read(event(datacontenttype="application/json"), EVENT))
    assert (record.id, record.tokens, record.meta) == ("/bots/7#1", None, None)


def test_data_that_is_null_is_no_data() -> None:
    assert only(read(event(data=None), EVENT)).meta is None


@pytest.mark.parametrize(
    ("attributes", "detail"),
    [({"a" * 101: "x"}, "length <= 100"), ({"a": "x" * 1001}, "length <= 1000")],
)
def test_attributes_are_as_long_as_metadata_can_be(attributes: dict[str, str], detail: str) -> None:
    (error,) = read(event(**attributes), EVENT).errors
    assert error.code == "invalid"
    assert detail in error.detail


def test_the_name_of_a_meter_has_no_line_break_at_its_end() -> None:
    (error,) = read({"type": "x", "quantities": {"pages\n": 1}}).errors
    assert (error.code, error.pointer) == ("invalid", "/quantities/pages\n")


def test_events_come_in_batches_with_an_error_for_each_bad_one() -> None:
    batch = [
        event(id="1"),
        {**event(), "specversion": "0.3"},
        {"id": "x"},
        event(id=""),
        event(data={"count": -1}),
        event(data={"type": "b"}),
        event(data={"a": 1}),
        event(data=[1]),
        event(data_base64="aGk="),
        event(extension={"a": 1}),
        event(time="yesterday", id="2"),
        17,
    ]
    decoded = read(batch, EVENTS)
    assert [(index, record.id) for index, record in decoded.records] == [(0, "/bots/7#1"), (10, "/bots/7#2")]
    assert [(error.index, error.code, error.pointer) for error in decoded.errors] == [
        (1, "invalid", "/specversion"),
        (2, "missing_field", "/specversion"),
        (3, "missing_field", "/id"),
        (4, "invalid", "/data/count"),
        (5, "unknown_field", "/data/type"),
        (6, "unknown_field", "/data/a"),
        (7, "invalid", "/data"),
        (8, "invalid", "/data_base64"),
        (9, "invalid", "/extension"),
        (11, "invalid", ""),
    ]


def test_an_event_whose_id_is_too_long_with_its_source_is_refused() -> None:
    decoded = read(event(source="s" * 200, id="i" * 60), EVENT)
    assert [(error.code, error.pointer) for error in decoded.errors] == [("invalid", "/id")]


def test_the_attributes_of_an_event_count_among_the_entries_of_meta() -> None:
    meta = {f"k{number}": number for number in range(50)}
    assert only(read(event(data={"meta": meta}), EVENT)).meta == meta
    decoded = read(event(data={"meta": meta}, extra=1), EVENT)
    assert [(error.code, error.pointer) for error in decoded.errors] == [("invalid", "/data/meta")]


def test_a_batch_of_events_must_be_an_array_and_a_single_one_an_object() -> None:
    assert refusal(event(), EVENTS).code == "malformed_body"
    assert faults(read([event()], EVENT)) == [(0, None, "invalid", "")]


def test_the_attributes_of_an_event_may_be_headers() -> None:
    environ = {
        "HTTP_CE_SPECVERSION": "1.0",
        "HTTP_CE_ID": "1",
        "HTTP_CE_SOURCE": "/b%20ots",
        "HTTP_CE_TYPE": "task.execution",
        "HTTP_CE_TIME": "2026-07-15T12:00:00Z",
        "HTTP_CE_SEQUENCE": "7",
    }
    record = only(read({"tokens": {"prompt": 1}}, JSON, **environ))
    assert (record.id, record.type, record.meta) == ("/b ots#1", "task.execution", {"sequence": "7"})
    assert record.timestamp == "2026-07-15T12:00:00Z"
    decoded = read({"type": "b"}, JSON, **environ)
    assert [(error.code, error.pointer) for error in decoded.errors] == [("unknown_field", "/data/type")]


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from([*FULL, "specversion", "source", "time", "data", "x"]), inner, max_size=4
        )
    ),
    max_leaves=12,
)


@given(st.lists(json_values, max_size=6), st.sampled_from(ACCEPTED))
def test_whatever_is_sent_every_record_is_read_or_refused_once(records: list[Any], content_type: str) -> None:
    body = (
        b"\n".join(json.dumps(record).encode() for record in records)
        if content_type == NDJSON
        else json.dumps(records).encode()
    )
    if content_type == NDJSON and not records:
        assert refusal(body, content_type).status == 400
        return
    decoded = read(body, content_type)
    places = sorted([index for index, _ in decoded.records] + [error.index for error in decoded.errors])
    assert places == list(range(1 if content_type == EVENT else len(records)))
