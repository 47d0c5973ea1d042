"""Checks of single values, for forms and services alike."""

import re
from typing import Final

from django.core.exceptions import ValidationError

from core import periods

_CURRENCY: Final = re.compile(r"[A-Z]{3}", re.ASCII)


def validate_zone(name: str) -> None:
    """Accept the name of an IANA time zone.

    Raises: Django's ValidationError.
    """
    try:
        periods.zone(name)
    except ValueError as error:
        raise ValidationError(str(error), code="invalid_timezone") from error


def validate_currency(code: str) -> None:
    """Accept a currency code of ISO 4217's form.

    Raises: Django's ValidationError.
    """
    if _CURRENCY.fullmatch(code) is None:
        raise ValidationError(f"{code[:20]!r} is not an ISO 4217 code, such as USD", code="invalid_currency")
