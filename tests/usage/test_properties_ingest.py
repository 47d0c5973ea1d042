"""Whatever a client sends is refused by name or comes back as it was."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.usage.factories import NOW, Api, at
from usage.links import LINKS

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("stopped_clock")]

# What a text can hold: everything but U+0000 and half of a pair.
letters = st.characters(exclude_characters="\x00", exclude_categories=["Cs"])


def text(longest: int, shortest: int = 1) -> st.SearchStrategy[str]:
    return st.text(letters, min_size=shortest, max_size=longest)


counts = st.integers(0, 10**9)
scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats(allow_nan=False, allow_infinity=False).filter(
        lambda number: number == 0 or abs(number) > 1e-300
    )
    | text(50, 0)
)
amounts = st.integers(0, 10**15) | st.decimals(0, 10**14, places=9).map(lambda amount: format(amount, "f"))
meters = st.from_regex(r"\A[A-Za-z_][A-Za-z0-9_.:/-]{0,99}\Z")
dimensions = ("endpoint", "capability", "model", "provider", "errorType")
tokens = st.builds(
    lambda prompt, completion, more: {
        "prompt": prompt,
        "completion": completion,
        "total": prompt + completion + more,
    },
    st.integers(0, 10**8),
    st.integers(0, 10**8),
    st.integers(0, 10),
)
records = st.fixed_dictionaries(
    {"type": text(200)},
    optional={
        "count": st.integers(0, 10**12),
        "status": st.sampled_from(["success", "error"]),
        "statusCode": st.integers(100, 599),
        "latencyMs": st.integers(0, 86_400_000_000).map(lambda microseconds: microseconds / 1000),
        "tokens": tokens,
        "quantities": st.dictionaries(meters, amounts, max_size=3),
        "cost": st.integers(0, 10**15).map(lambda nanos: format(Decimal(nanos).scaleb(-9), "f")),
        "meta": st.dictionaries(text(20), scalars, max_size=5),
        "reservationId": text(255),
        **{name: text(200) for name in dimensions},
        **{name: text(255) for name in LINKS},
    },
)
anything = st.recursive(
    scalars | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2),
    max_leaves=4,
)
spoiled = st.builds(
    lambda record, name, value: {**record, name: value},
    records,
    st.sampled_from(
        ["type", "id", "timestamp", "clientId", "tokens", "quantities", "meta", "cost", "count", "x"]
    ),
    anything,
)
few = settings(
    max_examples=60,
    deadline=None,
    # What is found is short as it is, and making it shorter takes minutes.
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def same(one: Any, other: Any) -> bool:
    """Tell whether two values are the same, numbers by what their digits say."""
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(value, other[name]) for name, value in one.items())
    if is_number(one) and is_number(other):
        return Decimal(str(one)) == Decimal(str(other))
    return type(one) is type(other) and one == other


def is_read_as(sent: dict[str, Any], read: dict[str, Any]) -> bool:
    """Tell whether an answer says of every field what was sent."""
    for name, value in sent.items():
        match name:
            case "tokens":
                kept = all(read[name][part] == number for part, number in value.items())
            case "quantities":
                kept = same(
                    *({meter: Decimal(amount) for meter, amount in q[name].items()} for q in (sent, read))
                )
            case "cost":
                kept = Decimal(value) == Decimal(read[name])
            case _:
                kept = same(value, read[name])
        if not kept:
            return False
    return True


@few
@given(st.lists(records, min_size=1, max_size=5))
def test_every_record_within_the_limits_is_accepted_and_read_as_it_was_sent(
    api: Api, sent: list[dict[str, Any]]
) -> None:
    with transaction.atomic():
        named = [{**record, "id": f"r{number}"} for number, record in enumerate(sent)]
        answer = api.send(named)
        assert (answer.status, answer.body["accepted"]) == (200, len(sent)), answer.body
        for record in named:
            read = api.get(f"/records/{record['id']}").body
            assert is_read_as(record, read), (record, read)
            assert read["timestamp"] == at(NOW)
        transaction.set_rollback(True)


@few
@given(st.lists(records | spoiled, min_size=1, max_size=4))
def test_whatever_is_sent_is_accepted_or_refused_by_name_and_never_a_fault(
    api: Api, sent: list[dict[str, Any]]
) -> None:
    with transaction.atomic():
        answer = api.send(json.dumps(sent).encode())
        if answer.status != 400:
            told = answer.body["accepted"] + answer.body["duplicates"] + answer.body["rejected"]
            assert (answer.status in (200, 422), told) == (True, len(sent))
            for error in answer.errors:
                assert error["index"] in range(len(sent))
                assert error["code"]
                assert error["detail"]
        assert api.get("/records", take=1000).status == 200
        transaction.set_rollback(True)
