"""NDJSON: records of the wire contract, and objects of any other kind with a mapping."""

import json
from datetime import UTC, datetime

import pytest

from organizations.services import CreatedOrganization
from tests.usage.imports.support import Run, figures, only, stored

pytestmark = pytest.mark.django_db

RECORD = {
    "type": "conversation.completion",
    "timestamp": "2026-01-02T03:04:05.1234569Z",
    "model": "gpt-4o",
    "tokens": {"prompt": 10, "completion": 5, "cachedPrompt": 4},
    "quantities": {"credits": "1.5", "pages": 0.1},
    "cost": "0.000125",
    "latencyMs": 12.5,
    "botId": "b1",
    "meta": {"ratio": 0.25, "deep": True},
}
FOREIGN = {
    "ts": 1767323045000,
    "model": "claude",
    "comment": ["anything"],
    "usage": {"in": 7, "out.put": 2, "cost": 1.25e-05, "ok": True},
    "request": {"id": 12345, "took": "3.5"},
}
MAPS = [
    "timestamp=ts",
    "tokens.prompt=usage.in",
    "tokens.completion=usage.out.put",
    "cost=usage.cost",
    "id=request.id",
    "latencyMs=request.took",
    "quantities.credits=usage.cost",
    "meta.ok=usage.ok",
]


def lines(*objects: object) -> str:
    return "".join(f"{json.dumps(one)}\n" for one in objects)


def test_a_line_is_a_record_of_the_wire_contract(run: Run, made: CreatedOrganization) -> None:
    assert run(lines(RECORD))[0] == figures(1)
    record = only(made)
    assert record.occurred_at == datetime(2026, 1, 2, 3, 4, 5, 123456, UTC)
    assert (record.total_tokens, record.cached_prompt_tokens, record.cost_nanos) == (15, 4, 125_000)
    assert record.quantities == {"credits": "1.5", "pages": "0.1"}
    assert record.meta == {"ratio": 0.25, "deep": True}
    assert (record.latency_us, record.links) == (12_500, {"botId": "b1"})


def test_lines_without_ids_are_known_again_and_equal_ones_are_two(run: Run) -> None:
    content = lines(RECORD, RECORD, RECORD | {"id": "own"})
    assert run(content)[0] == figures(3)
    assert run(content)[0] == figures(0, 3)
    assert run(content + "\n" + lines(RECORD))[0] == figures(1, 3)


def test_the_same_id_twice_in_a_file_is_one_record(run: Run) -> None:
    assert run(lines(RECORD | {"id": "a"}, RECORD | {"id": "a"}))[0] == figures(1, 1)


def test_constants_take_the_place_of_what_a_line_says(run: Run, made: CreatedOrganization) -> None:
    sets = ["model=other", "tokens.prompt=11", "meta.source=file"]
    assert run(lines(RECORD), set=sets)[0] == figures(1)
    record = only(made)
    assert (record.model, record.prompt_tokens, record.completion_tokens) == ("other", 11, 5)
    assert record.meta == {"ratio": 0.25, "deep": True, "source": "file"}


def test_objects_of_another_kind_are_mapped(run: Run, made: CreatedOrganization) -> None:
    assert run(lines(FOREIGN), map=MAPS, set=["type=chat"])[0] == figures(1)
    record = only(made)
    assert (record.record_id, record.type, record.model) == ("12345", "chat", "claude")
    assert record.occurred_at == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert (record.prompt_tokens, record.completion_tokens, record.total_tokens) == (7, 2, 9)
    assert (record.cost_nanos, record.latency_us) == (12_500, 3_500)
    assert record.quantities == {"credits": "0.0000125"}
    assert record.meta == {"ok": True}


def test_a_member_that_is_mapped_elsewhere_fills_no_field_of_its_own_name(
    run: Run, made: CreatedOrganization
) -> None:
    assert run(lines({"type": "a", "model": "m"}), map=["capability=model"])[0] == figures(1)
    assert (only(made).capability, only(made).model) == ("m", None)


def test_a_mapped_member_that_no_line_has_is_told(run: Run) -> None:
    counted, said = run(lines({"type": "a", "u": {"p": 1}}), map=["tokens.prompt=u.p", "model=u.mdl"])
    assert counted == figures(1)
    assert said.splitlines()[-1] == "No line has: u.mdl."


def test_times_without_an_offset_are_those_of_the_zone(run: Run, made: CreatedOrganization) -> None:
    run(lines({"type": "a", "timestamp": "2026-01-15 12:00:00"}), timezone="Asia/Kolkata")
    assert only(made).occurred_at == datetime(2026, 1, 15, 6, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b'{"type": "x",', "line 2: This is not JSON"),
        (b'["x"]', "line 2: Expected `object`, got `array`."),
        (b'{"type": "x", "bogus": 1}', "line 2: There is no field 'bogus'; accepted: "),
        (b'{"type": "x", "model": "a\\u0000"}', "line 2: The character U+0000 is not accepted."),
        (b'{"type": "x", "model": "\xff"}', "line 2: "),
        (b'{"type": "' + b"x" * 1_100_000 + b'"}', "line 2: The line has over 1,048,576 bytes."),
        (b'{"type": "x", "tokens": {"prompt": -1}}', "line 2: Expected `int` >= 0; accepted: "),
        (
            b'{"type": "x", "timestamp": "2999-01-01T00:00:00Z"}',
            "line 2: The timestamp is over 5 minutes ahead",
        ),
        (b'{"type": "x", "timestamp": 0}', "line 2: The plan's history begins at "),
    ],
)
def test_a_bad_line_is_left_out_with_its_number(run: Run, line: bytes, reason: str) -> None:
    counted, said = run(b'{"type": "x"}\n' + line + b'\n{"type": "x"}')
    assert counted == figures(2, 0, 1)
    assert said.splitlines()[1].startswith(reason)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (
            {"u": {"p": "many"}, "ts": 1767323045000},
            "column u.p: tokens.prompt must be a whole number, not 'many'.",
        ),
        (
            {"u": {"p": True}, "ts": 1767323045000},
            "column u.p: tokens.prompt must be a whole number, not 'True'.",
        ),
        (
            {"u": {"p": 1.5}, "ts": 1767323045000},
            "column u.p: tokens.prompt must be a whole number, not '1.5'.",
        ),
        ({"u": {"p": 1}}, "column ts: There is no 'ts', the timestamp."),
        ({"u": {"p": 1}, "ts": None}, "column ts: There is no 'ts', the timestamp."),
        ({"u": {"p": 1}, "ts": [1]}, "column ts: timestamp must be ISO 8601 or Unix milliseconds."),
        ({"u": {"p": 1}, "ts": 1767323045000, "tokens": 5}, ": An object was expected."),
        ({"u": {"p": 1}, "ts": 1767323045000, "m": [1]}, "column m: model must be text."),
        (
            {"u": {"p": 1}, "ts": 1767323045000, "k": [1]},
            "column k: meta.k must be text, a number or a boolean.",
        ),
    ],
)
def test_a_mapped_value_that_will_not_do_is_told_by_its_member(run: Run, line: object, reason: str) -> None:
    maps = ["tokens.prompt=u.p", "timestamp=ts", "model=m", "meta.k=k"]
    counted, said = run(lines(line), map=maps, set=["type=x"])
    assert counted == figures(0, 0, 1)
    assert reason in said.splitlines()[1]


def test_numbers_of_a_table_with_gaps_are_whole(run: Run, made: CreatedOrganization) -> None:
    run(lines({"n": 3.0}, {"n": "4.0"}, {"n": 5}), map=["tokens.prompt=n"], set=["type=x"])
    assert sorted(record.prompt_tokens or 0 for record in stored(made)) == [3, 4, 5]


def test_the_form_can_be_named(run: Run) -> None:
    assert "No column is the type" in run('{"type":"x"}\n', format="csv")[1]
    assert run('{"type":"x"}\n', format="ndjson")[0] == figures(1)
