"""Exact numbers lose nothing; short ones have three digits and never round to a wrong suffix."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.money import NANOS
from portal.numbers import Change, change, exact, exact_money, short, short_money


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (0, "0"),
        (999, "999"),
        (1234567, "1,234,567"),
        (Decimal("1234.50"), "1,234.5"),
        (Decimal("1E+6"), "1,000,000"),
        (Decimal("0.0001"), "0.0001"),
        (-1234, "-1,234"),
        (100, "100"),
    ],
)
def test_exact_numbers_are_grouped_and_whole(value: int | Decimal, written: str) -> None:
    assert exact(value) == written


@given(st.integers(min_value=-(10**30), max_value=10**30))
def test_an_exact_number_can_be_read_back(value: int) -> None:
    assert int(exact(value).replace(",", "")) == value


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (0, "0"),
        (12345, "12,345"),
        (99999, "99,999"),
        (100000, "100K"),
        (123456, "123K"),
        (999499, "999K"),
        (999500, "1.00M"),
        (1234567, "1.23M"),
        (987654321, "988M"),
        (2 * 10**9, "2.00B"),
        (10**12, "1.00T"),
        (123 * 10**15, "123,000T"),
        (Decimal("0.31419"), "0.314"),
        (Decimal("12.345"), "12.3"),
        (Decimal("217.5"), "218"),
        (Decimal("1234.5678"), "1,235"),
        (Decimal("0.0001"), "0.0001"),
        (-1234567, "-1.23M"),
    ],
)
def test_short_numbers(value: int | Decimal, written: str) -> None:
    assert short(value) == written


@pytest.mark.parametrize(
    ("nanos", "in_full", "in_short"),
    [
        (0, "0.00", "0.00"),
        (1, "0.000000001", "0.000000001"),
        (61_200_000, "0.0612", "0.0612"),
        (500_000_000, "0.50", "0.50"),
        (450_100_000, "0.4501", "0.450"),
        (800_000, "0.0008", "0.000800"),
        (70, "0.00000007", "0.000000070"),
        (999_999_999, "0.999999999", "1.00"),
        (1_234_061_200_000, "1,234.0612", "1,234.06"),
        (40_835_000_000, "40.835", "40.84"),
        (99_999_999_999_999, "99,999.999999999", "100,000.00"),
        (123_456 * NANOS, "123,456.00", "123K"),
        (1_234_567 * NANOS + 1, "1,234,567.000000001", "1.23M"),
        (-61_200_000, "-0.0612", "-0.0612"),
    ],
)
def test_amounts(nanos: int, in_full: str, in_short: str) -> None:
    assert (exact_money(nanos), short_money(nanos)) == (in_full, in_short)


@given(st.integers(min_value=-(2**63), max_value=2**63 - 1))
def test_an_exact_amount_can_be_read_back(nanos: int) -> None:
    assert Decimal(exact_money(nanos).replace(",", "")) * NANOS == nanos


@pytest.mark.parametrize(
    ("now", "before", "said"),
    [
        (5, 5, Change("same", "no change")),
        (0, 0, Change("same", "no change")),
        (5, 0, Change("new", "no prior data")),
        (112, 100, Change("up", "12%")),
        (1034, 1000, Change("up", "3.4%")),
        (1099, 1000, Change("up", "9.9%")),
        (10996, 10000, Change("up", "10%")),
        (88, 100, Change("down", "12%")),
        (0, 100, Change("down", "100%")),
        (100001, 100000, Change("up", "<0.1%")),
        (999, 100, Change("up", "899%")),
        (1000, 100, Change("up", "10×")),
        (25_000_000, 100, Change("up", "250K×")),
    ],
)
def test_changes(now: int, before: int, said: Change) -> None:
    assert change(now, before) == said
