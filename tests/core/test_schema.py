from typing import Any

import pytest
from drf_spectacular.openapi import AutoSchema

from core import schema
from core.serializers import MomentField, MoneyField, TextField


def mapped(extension: type[Any], target: Any, direction: str) -> dict[str, Any]:
    instance = extension(target)
    auto = AutoSchema()
    found: dict[str, Any] = instance.map_serializer_field(auto, direction)
    return found


def test_every_operation_has_the_problems_that_any_can_have() -> None:
    assert [status for status, _ in schema.problems(404)] == [400, 401, 403, 404, 429, 503]
    assert {media_type for _, media_type in schema.problems()} == {"application/problem+json"}


def test_money_is_a_decimal_string_both_ways() -> None:
    assert mapped(schema.MoneyFieldSchema, MoneyField(), "response")["pattern"] == (
        r"^-?(0|[1-9][0-9]*)\.[0-9]{9}$"
    )
    assert mapped(schema.MoneyFieldSchema, MoneyField(), "request")["pattern"] == (
        r"^-?(0|[1-9][0-9]{0,9})(\.[0-9]{1,9})?$"
    )


def test_a_moment_is_a_date_time_and_as_input_also_a_number() -> None:
    moment = {"type": "string", "format": "date-time"}
    assert mapped(schema.MomentFieldSchema, MomentField(), "response") == moment
    text, number = mapped(schema.MomentFieldSchema, MomentField(), "request")["anyOf"]
    assert text.items() >= moment.items()
    assert number == {"type": "integer", "minimum": -2208988800000, "maximum": 32503679999999}


@pytest.mark.parametrize(
    ("field", "pattern"),
    [(TextField(), r"^[^\x00]*[^\s\x00][^\x00]*$"), (TextField(allow_blank=True), r"^[^\x00]*$")],
)
def test_text_is_told_without_what_no_text_has(field: TextField, pattern: str) -> None:
    assert mapped(schema.TextFieldSchema, field, "request")["pattern"] == pattern


def test_a_parameter_is_a_text_or_one_of_an_enum_unless_told_otherwise() -> None:
    assert schema.parameter("model", "Which.").type == {
        "type": "string", "minLength": 1, "maxLength": 255, "pattern": r"^[^\x00]*$",
    }  # fmt: skip
    assert schema.parameter("kind", "Which.", enum=["a", "b"]).type is str
    assert schema.parameter("take", "How many.", type=int).type is int


def test_a_listing_is_choices_between_commas() -> None:
    assert schema.listing(["a", "b"], max_length=20) == {
        "type": "string", "pattern": "^(a|b)(,(a|b))*$", "maxLength": 20,
    }  # fmt: skip
