"""The decimal places of currencies."""

from __future__ import annotations

import pytest

from core.currencies import minor_places


@pytest.mark.parametrize(("currency", "places"), [("USD", 2), ("EUR", 2), ("JPY", 0), ("KWD", 3), ("CLF", 4)])
def test_an_amount_has_the_places_of_iso_4217(currency: str, places: int) -> None:
    assert minor_places(currency) == places
