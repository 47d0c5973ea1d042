import pytest
from django.core.exceptions import ValidationError

from organizations.validators import validate_currency, validate_zone


def test_a_zone_is_one_of_the_ianas() -> None:
    validate_zone("America/Argentina/Buenos_Aires")
    with pytest.raises(ValidationError) as caught:
        validate_zone("Berlin")
    assert caught.value.code == "invalid_timezone"


@pytest.mark.parametrize("code", ["usd", "US", "USDX", "U$D", "", "USD\n"])
def test_a_currency_is_three_capitals(code: str) -> None:
    validate_currency("EUR")
    with pytest.raises(ValidationError) as caught:
        validate_currency(code)
    assert caught.value.code == "invalid_currency"
