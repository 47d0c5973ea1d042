"""Figures with their units, as they are told."""

from decimal import Decimal

import pytest

from alerts.figures import change, figure, label


@pytest.mark.parametrize(
    ("value", "unit", "said"),
    [
        ("22.3", "USD", "22.30 USD"),
        ("36", "USD", "36.00 USD"),
        ("1234.0561", "EUR", "1,234.06 EUR"),
        ("0.4", "USD", "0.40 USD"),
        ("0.00123456", "USD", "0.00123 USD"),
        ("0", "JPY", "0.00 JPY"),
        ("50", "percent", "50%"),
        ("7.317073171", "percent", "7.32%"),
        ("99.97", "percent", "99.97%"),
        ("1033.333", "percent", "1,033%"),
        ("3705.1", "ms", "3,705 ms"),
        ("94.9932", "ms", "94.99 ms"),
        ("100.4", "ms", "100 ms"),
        ("41", "", "41"),
        ("1234567.4", "", "1,234,567"),
        ("12.345", "", "12.34"),
        ("0.012345", "", "0.0123"),
        ("3", "promptTokens", "3 prompt tokens"),
    ],
)
def test_a_figure_is_as_exact_as_it_is_read(value: str, unit: str, said: str) -> None:
    assert figure(Decimal(value), unit) == said


def test_what_there_is_none_of_is_said() -> None:
    assert figure(None, "USD") == "nothing"


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("51.7732", "52%"),
        ("10", "10%"),
        ("7.317", "7.32%"),
        ("2400", "2,400%"),
        ("99.7", "99.7%"),
        ("99.97", "99.97%"),
        ("100", "100%"),
        ("-51.77", "-52%"),
    ],
)
def test_a_change_is_whole_but_never_all_when_it_is_less(value: str, said: str) -> None:
    assert change(Decimal(value)) == said


def test_names_of_several_words_are_written_as_words() -> None:
    assert label("promptTokens") == "Prompt tokens"
