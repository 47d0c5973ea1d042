from datetime import UTC, datetime
from typing import Any

import pytest
from rest_framework import serializers

from core.serializers import CamelSerializer, MomentField, MoneyField, StrictSerializer, TextField, camel


class Rule(StrictSerializer):
    rule_name = TextField(max_length=5)
    spend_limit = MoneyField(required=False)
    starts_at = MomentField(required=False)


class Shown(CamelSerializer):
    spend_limit = MoneyField()
    starts_at = MomentField()
    owner = TextField(source="rule_name")


def errors(data: Any) -> dict[str, str]:
    rule = Rule(data=data)
    assert not rule.is_valid()
    return {name: found[0].code for name, found in rule.errors.items()}


def test_fields_are_in_camel_case_outside_and_in_snake_case_inside() -> None:
    rule = Rule(data={"ruleName": "a", "spendLimit": "1.5", "startsAt": "2026-01-01T00:00:00+01:00"})
    assert rule.is_valid()
    assert rule.validated_data == {
        "rule_name": "a",
        "spend_limit": 1_500_000_000,
        "starts_at": datetime(2025, 12, 31, 23, tzinfo=UTC),
    }


def test_values_are_written_as_the_contract_has_them() -> None:
    shown = Shown({"spend_limit": 5, "starts_at": datetime(2026, 1, 1, tzinfo=UTC), "rule_name": "x"})
    assert shown.data == {"spendLimit": "0.000000005", "startsAt": "2026-01-01T00:00:00Z", "owner": "x"}


@pytest.mark.parametrize(
    ("name", "wire"), [("a", "a"), ("client_id", "clientId"), ("a_b_c", "aBC"), ("p95_ms", "p95Ms")]
)
def test_a_name_is_turned_into_camel_case(name: str, wire: str) -> None:
    assert camel(name) == wire


@pytest.mark.parametrize(
    ("data", "found"),
    [
        ({"ruleName": "a", "rule_name": "a"}, {"rule_name": "unknown_field"}),
        ({"ruleName": "a", "x": 1, "y": 2}, {"x": "unknown_field", "y": "unknown_field"}),
        ({}, {"ruleName": "required"}),
        ({"ruleName": 3}, {"ruleName": "invalid"}),
        ({"ruleName": True}, {"ruleName": "invalid"}),
        ({"ruleName": None}, {"ruleName": "null"}),
        ({"ruleName": ""}, {"ruleName": "blank"}),
        ({"ruleName": "abcdef"}, {"ruleName": "max_length"}),
        ({"ruleName": "a\x00"}, {"ruleName": "null_characters_not_allowed"}),
        ({"ruleName": "\ud800"}, {"ruleName": "surrogate_characters_not_allowed"}),
        ({"ruleName": "a", "spendLimit": 1}, {"spendLimit": "invalid_money"}),
        ({"ruleName": "a", "spendLimit": 1.5}, {"spendLimit": "invalid_money"}),
        ({"ruleName": "a", "spendLimit": "1e3"}, {"spendLimit": "invalid_money"}),
        ({"ruleName": "a", "startsAt": "2026-01-01"}, {"startsAt": "invalid_moment"}),
        ({"ruleName": "a", "startsAt": 1.5}, {"startsAt": "invalid_moment"}),
        ({"ruleName": "a", "startsAt": True}, {"startsAt": "invalid_moment"}),
        ([], {"non_field_errors": "invalid"}),
        ("x", {"non_field_errors": "invalid"}),
    ],
)
def test_what_is_not_exactly_right_is_refused(data: Any, found: dict[str, str]) -> None:
    assert errors(data) == found


def test_a_choice_that_is_not_one_is_refused_with_those_that_are() -> None:
    class Choosing(StrictSerializer):
        color = serializers.ChoiceField(choices=["red", "green"])
        sizes = serializers.ListField(child=serializers.ChoiceField(choices=[(1, "small"), (2, "large")]))
        own = serializers.ChoiceField(choices=["a"], error_messages={"invalid_choice": "Only a."})

    given = Choosing(data={"color": "blue", "sizes": [1, 3], "own": "b"})
    assert not given.is_valid()
    assert given.errors == {
        "color": ['"blue" is not a valid choice; accepted: red, green.'],
        "sizes": {1: ['"3" is not a valid choice; accepted: 1, 2.']},
        "own": ["Only a."],
    }
