"""How an invoice is shown: words, grouped figures, no place cut."""

from __future__ import annotations

import pytest

from billing.invoices.shown import amount, label


@pytest.mark.parametrize(
    ("meter", "shown"),
    [
        ("prompt", "Prompt tokens"),
        ("cachedPrompt", "Cached prompt tokens"),
        ("cacheWrite1h", "Cache write 1h tokens"),
        ("requests", "Requests"),
        ("pages", "Pages"),
        ("processorRuns", "Processor runs"),
        ("Größe/Zeichen", "Größe/Zeichen"),
    ],
)
def test_a_meter_is_called_by_its_words(meter: str, shown: str) -> None:
    assert label(meter) == shown


def test_an_amount_has_the_places_it_is_given() -> None:
    assert amount(1_234_567_000_000_001, 9) == "1,234,567.000000001"
    assert amount(-500_000_000, 2) == "−0.50"
    assert amount(7 * 10**9, 0) == "7"
