"""How quantities and quotients are written."""

from __future__ import annotations

from decimal import Decimal

import pytest

from usage.quantities import average_ms, cost_per_million, number, plain, quotient


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (Decimal(3), 3),
        (Decimal("3.000000000"), 3),
        (Decimal("1.50"), "1.5"),
        (Decimal("0.000000001"), "0.000000001"),
        (Decimal("1E+3"), 1000),
        (7, 7),
    ],
)
def test_a_whole_quantity_is_a_number_and_any_other_a_decimal_string(
    value: Decimal | int, written: int | str
) -> None:
    assert number(value) == written


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("3E-6", "0.000003"),
        ("1E+3", "1000.0"),
        ("800", "800.0"),
        ("1.2500", "1.25"),
        ("-0.50", "-0.5"),
        ("12345678901234567890.123456789012345678", "12345678901234567890.123456789012345678"),
    ],
)
def test_a_decimal_has_a_point_and_no_exponent(value: str, written: str) -> None:
    assert plain(Decimal(value)) == written


def test_a_quotient_is_rounded_once_and_there_is_none_by_zero() -> None:
    assert quotient(2, 3, 6) == 0.666667
    assert quotient(0, 3, 6) == 0.0
    assert quotient(3, 0, 6) is None


def test_an_average_halfway_between_two_microseconds_is_the_same_wherever_it_is_shown() -> None:
    # Divided and scaled one after the other it came out as 657.862 here and 657.863 there.
    assert average_ms(1_315_725, 2) == 657.862
    assert average_ms(0, 0) is None


def test_the_cost_of_a_million_tokens_is_in_units_of_the_currency() -> None:
    assert cost_per_million(61_200_000, 120_000) == 0.51
    assert cost_per_million(0, 120_000) == 0.0
    assert cost_per_million(61_200_000, 0) is None
