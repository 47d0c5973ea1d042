"""The forms of spend limits: one to set, and one to try on the past."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from django import forms

from billing.models import Enforcement, Window
from billing.models.limits import MAX_WARN_AT
from core.money import parse_money
from organizations.models import Credential
from portal.forms import PlainForm

WARN_AT: Final = (50, 80, 95)
ORGANIZATION_WIDE: Final = "The whole organization"
WEEKS: Final = {"4": "The last 4 weeks", "8": "The last 8 weeks", "13": "The last 13 weeks"}
_EXAMPLE: Final = "Write a plain amount, such as 250 or 99.50."


class AmountField(forms.CharField):
    """An amount of money, more than nothing.

    Units: nanos.
    """

    def __init__(self, **kwargs: Any) -> None:
        attributes = {"inputmode": "decimal", "autocomplete": "off", "spellcheck": "false"}
        super().__init__(max_length=32, widget=forms.TextInput(attributes), **kwargs)

    def clean(self, value: Any) -> int:
        """Return the amount.

        Raises: ValidationError saying how amounts are written.
        """
        text = super().clean(value)
        try:
            nanos = parse_money(text)
        except ValueError as error:
            raise forms.ValidationError(_EXAMPLE) from error
        if nanos <= 0:
            raise forms.ValidationError("The limit must be more than 0.")
        return nanos


class SharesField(forms.CharField):
    """Whole percentages, with commas between them."""

    def __init__(self, **kwargs: Any) -> None:
        attributes = {"inputmode": "text", "autocomplete": "off", "spellcheck": "false"}
        super().__init__(max_length=80, required=False, widget=forms.TextInput(attributes), **kwargs)

    def clean(self, value: Any) -> tuple[int, ...]:
        """Return the shares in their order, each once.

        Raises: ValidationError saying what is accepted.
        """
        parts = [part.strip().removesuffix("%").strip() for part in super().clean(value).split(",")]
        given = [part for part in parts if part]
        if any(not part.isascii() or not part.isdigit() or not 1 <= int(part) <= 100 for part in given):
            raise forms.ValidationError("Write whole numbers from 1 to 100, with commas between them.")
        shares = tuple(sorted({int(part) for part in given}))
        if len(shares) > MAX_WARN_AT:
            raise forms.ValidationError(f"At most {MAX_WARN_AT} shares can be warned at.")
        return shares


class TermsForm(PlainForm):
    """A limit: whose, how much, over which time, and what reaching it means."""

    clientId = forms.ChoiceField(label="Whose spending", required=False)  # noqa: N815 as addresses have it
    limit = AmountField()
    window = forms.ChoiceField(
        label="Over which time",
        choices=[(Window.ROLLING.value, "Any seven days, rolling"), (Window.WEEK.value, "Calendar weeks")],
        initial=Window.ROLLING.value,
    )
    enforcement = forms.ChoiceField(
        label="When it is reached",
        choices=[
            (Enforcement.PAUSE.value, "Pause: calls are refused"),
            (Enforcement.WARN.value, "Only warn: nothing is refused"),
        ],
        initial=Enforcement.PAUSE.value,
    )
    warnAt = SharesField(  # noqa: N815 as addresses have it
        label="Warn at (%)",
        initial=", ".join(map(str, WARN_AT)),
        help_text="Each share is announced when the spending reaches it.",
    )

    def __init__(self, *args: Any, currency: str, keys: Sequence[Credential], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        whose: Any = self.fields["clientId"]
        whose.choices = [
            ("", ORGANIZATION_WIDE),
            *((key.client_id, f"{key.name} ({key.client_id})") for key in keys),
        ]
        whose.error_messages["invalid_choice"] = "There is no such key in this organization."
        self.fields["limit"].label = f"Limit in {currency}"


class TrialForm(TermsForm):
    """A limit to try, and on which weeks."""

    weeks = forms.ChoiceField(label="On which weeks", choices=list(WEEKS.items()), initial="4")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["warnAt"].help_text = ""
