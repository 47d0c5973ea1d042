"""Into how many parts a currency's unit is paid.

Source: ISO 4217, list one; currencies that are not named here have two decimal places.
"""

from typing import Final

USUAL_PLACES: Final = 2
_PLACES: Final = {
    **dict.fromkeys(
        (
            "BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND", "VUV",
            "XAF", "XOF", "XPF",
        ),
        0,
    ),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
    **dict.fromkeys(("CLF", "UYW"), 4),
}  # fmt: skip


def minor_places(currency: str) -> int:
    """Return how many decimal places an amount that is paid in a currency has."""
    return _PLACES.get(currency, USUAL_PLACES)
