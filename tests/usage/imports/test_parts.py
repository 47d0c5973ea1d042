"""The pure parts of an import: values, times, headers, ids."""

from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from usage.complete import record_key
from usage.dialects.errors import Fault
from usage.dialects.plain import RecordIn, Tokens
from usage.imports import fields, mapping
from usage.imports.moments import localised
from usage.imports.records import content_id
from usage.imports.table import guess_delimiter

UTC = ZoneInfo("UTC")
APIA = ZoneInfo("Pacific/Apia")


def test_every_field_of_a_record_can_be_filled() -> None:
    names = set(RecordIn.__struct_encode_fields__) - {"tokens", "quantities", "meta"}
    assert set(fields.PLAIN) == names | {f"tokens.{name}" for name in Tokens.__struct_encode_fields__}


@pytest.mark.parametrize(
    ("name", "given_value", "expected"),
    [
        ("count", "12", 12),
        ("count", " 12.00 ", 12),
        ("count", Decimal("3.0"), 3),
        ("latencyMs", "1e3", 1000.0),
        ("latencyMs", ".5", 0.5),
        ("quantities.pages", "2.50", Decimal("2.50")),
        ("cost", "1.50", "1.5"),
        ("cost", "0.012300000000", "0.0123"),
        ("cost", "1.5e-05", "0.000015"),
        ("cost", Decimal("1.25E-5"), "0.0000125"),
        ("cost", "100", "100"),
        ("cost", 0, "0"),
        ("id", 17, "17"),
        ("id", " kept as it is ", " kept as it is "),
        ("timestamp", 5, 5),
        ("meta.a", Decimal("0.1"), 0.1),
        ("meta.a", "01", "01"),
        ("meta.a", True, True),
    ],
)
def test_a_value_is_read_as_its_field_has_it(name: str, given_value: Any, expected: Any) -> None:
    value = fields.find(name).read(given_value)
    assert (value, type(value)) == (expected, type(expected))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("count", "1,000"), ("count", "1.5"), ("count", "1e3"), ("count", ""), ("count", "٣"),
        ("count", "9" * 40),
        ("latencyMs", "nan"), ("latencyMs", "inf"), ("latencyMs", "1e999"), ("quantities.a", "1_0"),
        ("cost", "$1"), ("cost", "1e99"), ("cost", True), ("id", True), ("id", ["a"]), ("timestamp", 1.5),
        ("meta.a", {"b": 1}),
    ],
)  # fmt: skip
def test_a_value_that_will_not_do_is_a_fault_of_its_field(name: str, value: Any) -> None:
    field = fields.find(name)
    with pytest.raises(Fault) as caught:
        field.read(value)
    assert caught.value.pointer == field.pointer
    assert caught.value.detail.startswith(f"{name} ")


@given(st.decimals(min_value=0, max_value=1000, allow_nan=False, places=9))
def test_money_loses_nothing(amount: Decimal) -> None:
    assert Decimal(fields.read_money(str(amount))) == amount
    assert Decimal(fields.read_money(amount)) == amount


@pytest.mark.parametrize(
    ("text", "zone", "expected"),
    [
        ("2023-11-16 18:15:46.6805900", UTC, "2023-11-16T18:15:46.680590Z"),
        ("2023-11-16T18:15:46,123456789012", UTC, "2023-11-16T18:15:46.123456Z"),
        ("2023-11-16 18:15", UTC, "2023-11-16T18:15Z"),
        (" 2023-11-16 18:15:46 UTC ", APIA, "2023-11-16T18:15:46Z"),
        ("2023-11-16 18:15:46+00", APIA, "2023-11-16T18:15:46+00:00"),
        ("2023-11-16 18:15:46.5 -0330", APIA, "2023-11-16T18:15:46.5-0330"),
        ("2023-11-16 18:15:46.5", APIA, "2023-11-16T05:15:46.500000Z"),
        ("2023-11-16 18:15", APIA, "2023-11-16T05:15:00Z"),
        ("1700158546680", APIA, "1700158546680"),
        ("tomorrow", APIA, "tomorrow"),
        (5, APIA, 5),
        (None, APIA, None),
    ],
)
def test_a_time_gets_its_offset(text: str | int | None, zone: ZoneInfo, expected: str | int | None) -> None:
    assert localised(text, zone) == expected


@pytest.mark.parametrize(
    "text", ["2011-12-30 12:00", "2023-02-30 12:00", "2023-11-16 24:30", "0001-01-01 00:00"]
)
def test_a_time_that_the_zone_never_had_is_refused(text: str) -> None:
    with pytest.raises(Fault, match="Invalid timestamp"):
        localised(text, APIA)


@pytest.mark.parametrize(
    ("header", "expected"),
    [("a,b", ","), ("a;b;c,d", ";"), ("a\tb", "\t"), ("a|b", "|"), ("alone", ","), ("", ",")],
)
def test_the_delimiter_is_what_the_header_has_most_of(header: str, expected: str) -> None:
    assert guess_delimiter(header) == expected


def test_a_column_of_the_command_line_comes_before_one_called_like_the_field() -> None:
    wanted = mapping.parse(["model=engine"], ["provider=p"])
    bound = mapping.bind(wanted, ["model", "provider", "engine", "Bot_Id", "meta.", "quantities.1"])
    assert [(field.name, place) for field, place in bound] == [("model", 2), ("botId", 3)]


def test_ids_by_content_differ_by_line_and_by_place_and_stay() -> None:
    assert content_id(1, b"a") == "imp_8e4318350b2762d0d35d930ff2d4886f"
    assert (
        len(
            {
                content_id(1, b"a"),
                content_id(2, b"a"),
                content_id(1, b"b"),
                content_id(11, b""),
                content_id(1, b"1:"),
            }
        )
        == 5
    )
    assert len(record_key(1, content_id(1, b"a"))) == 32
