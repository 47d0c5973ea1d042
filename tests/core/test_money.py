from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.money import (
    MAX_NANOS,
    NANOS,
    format_minor,
    format_money,
    from_minor,
    parse_money,
    round_half_even,
    to_minor,
)

amounts = st.integers(min_value=-MAX_NANOS, max_value=MAX_NANOS)


@pytest.mark.parametrize(
    ("text", "nanos"),
    [
        ("0", 0),
        ("-0", 0),
        ("1", NANOS),
        ("0.0612", 61_200_000),
        ("0.000000001", 1),
        ("-0.000000001", -1),
        ("12.50", 12_500_000_000),
        ("9223372036.854775807", MAX_NANOS),
        ("-9223372036.854775807", -MAX_NANOS),
    ],
)
def test_a_plain_decimal_is_read_exactly(text: str, nanos: int) -> None:
    assert parse_money(text) == nanos


@pytest.mark.parametrize(
    "text",
    [
        "", " 1", "1 ", "1\n", "+1", "1e3", "1E-9", ".5", "5.", "1.0000000001", "01", "1,5", "1_000", "٣",
        "NaN", "Infinity", "0x1", "--1", "9223372036.854775808", "99999999999", "1" * 5000,
    ],
)  # fmt: skip
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        parse_money(text)


@pytest.mark.parametrize(
    ("nanos", "text"),
    [
        (0, "0.000000000"),
        (61_200_000, "0.061200000"),
        (-1, "-0.000000001"),
        (-NANOS, "-1.000000000"),
        (MAX_NANOS, "9223372036.854775807"),
    ],
)
def test_an_amount_is_written_with_nine_places(nanos: int, text: str) -> None:
    assert format_money(nanos) == text


@given(amounts)
def test_what_is_written_is_read_back(nanos: int) -> None:
    assert parse_money(format_money(nanos)) == nanos


@given(amounts)
def test_what_is_written_is_the_exact_amount(nanos: int) -> None:
    assert Decimal(format_money(nanos)) * NANOS == nanos


@pytest.mark.parametrize(
    ("value", "rounded"),
    [
        ("0.5", 0),
        ("1.5", 2),
        ("2.5", 2),
        ("-0.5", 0),
        ("-1.5", -2),
        ("-2.5", -2),
        ("0.50000001", 1),
        ("1.4", 1),
    ],
)
def test_a_tie_goes_to_the_even_neighbour(value: str, rounded: int) -> None:
    assert round_half_even(Decimal(value)) == rounded


@given(st.integers(min_value=-(10**40), max_value=10**40))
def test_a_whole_amount_is_left_as_it_is_whatever_its_size(nanos: int) -> None:
    assert round_half_even(Decimal(nanos)) == nanos


@given(st.decimals(allow_nan=False, allow_infinity=False, places=6, min_value=-(10**12), max_value=10**12))
def test_rounding_moves_by_half_a_nano_at_most(value: Decimal) -> None:
    assert abs(round_half_even(value) - value) <= Decimal("0.5")


@pytest.mark.parametrize(
    ("nanos", "places", "minor", "written"),
    [
        (171_446_883_894, 2, 17145, "171.45"),
        (5_000_000, 2, 0, "0.00"),
        (15_000_000, 2, 2, "0.02"),
        (-15_000_000, 2, -2, "-0.02"),
        (1_234_500_000_000, 0, 1234, "1234"),
        (1_500_000, 3, 2, "0.002"),
        (MAX_NANOS, 2, 922_337_203_685, "9223372036.85"),
    ],
)
def test_an_amount_is_paid_in_the_places_of_its_currency(
    nanos: int, places: int, minor: int, written: str
) -> None:
    assert (to_minor(nanos, places), format_minor(minor, places)) == (minor, written)
    assert to_minor(from_minor(minor, places), places) == minor
