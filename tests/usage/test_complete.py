"""From what was sent to what is stored: defaults, units, limits."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from hashlib import md5
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.usage.factories import NOW
from usage.batch import Row
from usage.complete import Context, complete, record_key
from usage.dialects.errors import Fault
from usage.dialects.plain import RecordIn, Tokens

HISTORY = datetime(2026, 1, 1, tzinfo=UTC)
CONTEXT = Context(
    organization_id=7,
    client_id="cl_own",
    credentials={"cl_own": 1, "cl_other": 2},
    received_at=NOW,
    history_from=HISTORY,
)


def row(**fields: Any) -> Row:
    return complete(RecordIn(**{"type": "conversation.completion", **fields}), CONTEXT)


def fault(**fields: Any) -> Fault:
    with pytest.raises(Fault) as caught:
        row(**fields)
    return caught.value


def test_what_is_not_said_has_its_default() -> None:
    made = row(id="a")
    assert made == Row(
        key=md5(b"7:a").hexdigest(),  # noqa: S324 the digest that the column holds
        id="a",
        credential_id=1,
        occurred_at=NOW,
        count=1,
        succeeded=True,
        execution=False,
        type="conversation.completion",
    )


def test_the_key_is_the_organizations_own() -> None:
    assert record_key(1, "23") != record_key(12, "3")
    assert record_key(1, "a") == record_key(1, "a")


def test_a_record_without_an_id_gets_one_of_its_own_every_time() -> None:
    first, second = row(), row()
    assert first.id.startswith("rec_")
    assert first.id != second.id
    assert first.key == record_key(7, first.id)


@pytest.mark.parametrize(
    ("tokens", "count", "expected"),
    [
        (None, None, 1),
        (Tokens(prompt=10, completion=5), None, 15),
        (Tokens(prompt=10, completion=5, total=20), None, 20),
        (Tokens(), None, 0),
        (Tokens(prompt=None, completion=None), None, 0),
        (Tokens(prompt=10), 3, 3),
        (Tokens(prompt=10), 0, 0),
        (None, 0, 0),
    ],
)
def test_the_count_is_the_tokens_unless_it_is_given(
    tokens: Tokens | None, count: int | None, expected: int
) -> None:
    assert row(tokens=tokens, count=count).count == expected


def test_the_total_is_the_sum_of_its_parts_unless_it_is_more() -> None:
    assert row(tokens=Tokens(prompt=10, completion=5)).total_tokens == 15
    assert row(tokens=Tokens(prompt=10, completion=5, total=15)).total_tokens == 15
    assert row(tokens=Tokens(prompt=10, completion=5, total=18)).total_tokens == 18
    less = fault(tokens=Tokens(prompt=10, completion=5, total=14))
    assert (less.pointer, less.code) == ("/tokens/total", "invalid")


def test_parts_of_tokens_can_not_exceed_their_whole() -> None:
    whole = row(tokens=Tokens(prompt=5, completion=5, cached_prompt=3, cache_write=2, reasoning=5))
    assert (whole.cached_prompt_tokens, whole.cache_write_tokens, whole.reasoning_tokens) == (3, 2, 5)
    assert fault(tokens=Tokens(prompt=5, cached_prompt=3, cache_write=3)).pointer == "/tokens/prompt"
    assert fault(tokens=Tokens(prompt=5, cached_prompt=6)).pointer == "/tokens/prompt"
    assert fault(tokens=Tokens(completion=5, reasoning=6)).pointer == "/tokens/completion"


@pytest.mark.parametrize(
    ("record_type", "fields", "expected"),
    [
        ("task.execution", {}, True),
        ("processor.run", {}, True),
        ("ability.invocation", {}, True),
        ("run", {}, True),
        ("conversation.completion", {}, False),
        ("runner", {}, False),
        ("run.conversation", {}, False),
        ("conversation.completion", {"execution_id": "e"}, True),
    ],
)
def test_runs_executions_and_invocations_are_executions(
    record_type: str, fields: dict[str, str], expected: bool
) -> None:
    assert row(type=record_type, **fields).execution is expected


def test_status_is_success_unless_it_is_error() -> None:
    assert row().succeeded
    assert row(status="success").succeeded
    assert not row(status="error").succeeded
    unknown = fault(status="failed")
    assert (unknown.pointer, unknown.code) == ("/status", "invalid")
    assert unknown.detail == "Invalid status: 'failed'; accepted: success, error."


def test_the_use_is_the_calling_credentials_unless_another_is_named() -> None:
    assert row().credential_id == 1
    assert row(client_id="cl_other").credential_id == 2
    stranger = fault(client_id="cl_stranger")
    assert (stranger.pointer, stranger.code) == ("/clientId", "unknown_client")


def test_a_caller_without_a_credential_must_name_one() -> None:
    context = Context(7, None, {"cl_other": 2}, NOW, HISTORY)
    assert complete(RecordIn(type="a", client_id="cl_other"), context).credential_id == 2
    with pytest.raises(Fault) as caught:
        complete(RecordIn(type="a"), context)
    assert (caught.value.pointer, caught.value.code) == ("/clientId", "missing_field")


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("2026-07-15T12:00:00Z", datetime(2026, 7, 15, 12, tzinfo=UTC)),
        ("2026-07-15T12:00Z", datetime(2026, 7, 15, 12, tzinfo=UTC)),
        ("2026-07-15 12:00:00+00:00", datetime(2026, 7, 15, 12, tzinfo=UTC)),
        ("2026-07-15T14:00:00+02:00", datetime(2026, 7, 15, 12, tzinfo=UTC)),
        ("2026-07-15T06:15:00-05:45", datetime(2026, 7, 15, 12, tzinfo=UTC)),
        ("2026-07-15T12:00:00.1234567Z", datetime(2026, 7, 15, 12, 0, 0, 123456, tzinfo=UTC)),
        ("2026-07-15T12:00:00.9999999Z", datetime(2026, 7, 15, 12, 0, 0, 999999, tzinfo=UTC)),
        ("2026-07-15T12:00:00,5Z", datetime(2026, 7, 15, 12, 0, 0, 500000, tzinfo=UTC)),
        ("1784116800000", datetime(2026, 7, 15, 12, tzinfo=UTC)),
        (1784116800123, datetime(2026, 7, 15, 12, 0, 0, 123000, tzinfo=UTC)),
    ],
)
def test_a_timestamp_may_have_any_offset_or_be_unix_milliseconds(
    written: str | int, expected: datetime
) -> None:
    assert row(timestamp=written).occurred_at == expected


@pytest.mark.parametrize(
    "written",
    [
        "",
        "now",
        "2026-07-15",
        "2026-07-15T12:00:00",
        "2026-02-30T12:00:00Z",
        "2026-07-15T24:30:00Z",
        "2026-07-15T12:00:00+25:00",
        "2026-W29-3T12:00:00Z",
        "1784116800.5",
        "9" * 20,
        10**18,
        "0001-01-01T00:00:00Z",
        "9999-12-31T23:59:59Z",
    ],
)
def test_a_timestamp_that_is_none_is_refused(written: str | int) -> None:
    refused = fault(timestamp=written)
    assert (refused.pointer, refused.code) == ("/timestamp", "invalid")


def test_five_minutes_ahead_is_accepted_and_a_microsecond_more_is_not() -> None:
    latest = NOW + timedelta(minutes=5)
    assert row(timestamp=latest.isoformat()).occurred_at == latest
    refused = fault(timestamp=(latest + timedelta(microseconds=1)).isoformat())
    assert (refused.pointer, refused.code) == ("/timestamp", "timestamp_in_future")
    assert refused.detail == "The timestamp is over 5 minutes ahead: at most 2026-07-15T12:39:56.789012Z."


def test_the_first_moment_of_the_history_is_accepted_and_the_one_before_is_not() -> None:
    assert row(timestamp="2026-01-01T00:00:00Z").occurred_at == HISTORY
    refused = fault(timestamp="2025-12-31T23:59:59.999999Z")
    assert (refused.pointer, refused.code) == ("/timestamp", "timestamp_before_history")
    assert refused.detail == "The plan's history begins at 2026-01-01T00:00:00Z."


@pytest.mark.parametrize(
    ("milliseconds", "microseconds"),
    [(0, 0), (12.345, 12345), (0.0004, 0), (0.0006, 1), (86_400_000, 86_400_000_000)],
)
def test_latency_is_kept_in_whole_microseconds(milliseconds: float, microseconds: int) -> None:
    assert row(latency_ms=milliseconds).latency_us == microseconds


@pytest.mark.parametrize(
    ("written", "nanos"),
    [("0", 0), ("0.0612", 61_200_000), ("0.000000001", 1), ("1000000", 10**15), ("12.5", 12_500_000_000)],
)
def test_a_cost_is_kept_in_nanos(written: str, nanos: int) -> None:
    assert row(cost=written).cost_nanos == nanos


@pytest.mark.parametrize(
    "written", ["", "-0.01", "+1", "1e3", "0.0000000001", "1000000.000000001", "1,5", " 1", "NaN", "1" * 40]
)
def test_a_cost_that_is_no_plain_amount_is_refused(written: str) -> None:
    refused = fault(cost=written)
    assert (refused.pointer, refused.code) == ("/cost", "invalid")


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        ("0", 0),
        ("-0", 0),
        ("3", 3),
        ("3.000", 3),
        ("1e3", 1000),
        ("1.5", "1.5"),
        ("1.50", "1.5"),
        ("0.000000001", "0.000000001"),
        ("1e-9", "0.000000001"),
        ("999999999999999.123456789", "999999999999999.123456789"),
        ("1000000000000000", 10**15),
        ("1.50000000000000000000000000000000000000", "1.5"),
    ],
)
def test_a_quantity_is_kept_exactly(value: str, kept: int | str) -> None:
    assert row(quantities={"credits": Decimal(value)}).quantities == {"credits": kept}


@pytest.mark.parametrize(
    "value",
    [
        "-1",
        "-0.1",
        "NaN",
        "sNaN",
        "Infinity",
        "-Infinity",
        "1000000000000000.1",
        "1e400",
        "1e999999",
        "0.0000000001",
        "1e-400",
    ],
)
def test_a_quantity_beyond_its_limits_is_refused(value: str) -> None:
    refused = fault(quantities={"pages": Decimal(1), "a/b": Decimal(value)})
    assert (refused.pointer, refused.code) == ("/quantities/a~1b", "invalid")


def test_resource_ids_are_kept_together_by_their_names_on_the_wire() -> None:
    made = row(bot_id="b", conversation_id="c", reservation_id="v")
    assert made.links == {"conversationId": "c", "botId": "b"}
    assert made.reservation_id == "v"


def test_what_is_empty_is_not_kept() -> None:
    made = row(meta={}, quantities={})
    assert (made.meta, made.quantities, made.links) == (None, None, None)


amounts = st.decimals(min_value=0, max_value=10**15, places=9)


@given(amounts)
def test_any_amount_with_nine_places_survives_unchanged(amount: Decimal) -> None:
    quantities = row(quantities={"credits": amount}).quantities
    assert quantities is not None
    assert Decimal(quantities["credits"]) == amount
